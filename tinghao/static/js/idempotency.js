// Every POST of a page carries an Idempotency-Key, and the same one when it is tried again: a call
// that was lost on its way back must not call a second citizen.

const keys = new Map(); // what is asked -> the key it was asked with

function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Without https there is no randomUUID, but there are random numbers.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function asked(request) {
  const body = request.body ? new URLSearchParams(request.body).toString() : "";
  return `${request.action}\n${body}`;
}

// Forgets unanswered questions, once the page has seen what became of them.
export function forgetUnanswered() {
  keys.clear();
}

document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  if (request.method !== "POST") return;
  const question = asked(request);
  if (!keys.has(question)) keys.set(question, newKey());
  request.headers["Idempotency-Key"] = keys.get(question);
});

document.addEventListener("htmx:before:response", (event) => {
  const { request, response } = event.detail.ctx;
  if (request.method === "POST" && response.status < 500) keys.delete(asked(request));
});
