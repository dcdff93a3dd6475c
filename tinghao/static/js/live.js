// Keeps a page honest: follows the frames of the page's socket, shows whether they still come,
// and sees to it that a lost socket always comes back.

import { countAll, hhmm, hallNow, setHallTime } from "./clock.js";

const SILENCE = 5_000; // ms without a frame or beat after which the page is no longer live
const CONNECTING = 10_000; // ms after which a socket that does not open is given up
const OUR_CLOSE = 4000; // the code with which the page itself drops a silent socket
const RIGHTS = [4401, 4403]; // close codes that a new page, not a new socket, answers

const socketElement = document.getElementById("socket");
const band = document.getElementById("band");
const listeners = [];

let connection = null;
let lastFrame = performance.now();
let lastHallTime = "";
let socketSince = performance.now();
let { epoch, seq } = socketElement.dataset;

setHallTime(socketElement.dataset.at, Number(socketElement.dataset.speed));
lastHallTime = hhmm();
countAll();
showLive(); // the server rendered this page a moment ago

// Calls `listener(frame)` for every snapshot and update, before its fragments are swapped in.
export function onFrame(listener) {
  listeners.push(listener);
}

export function isLive() {
  return document.documentElement.classList.contains("is-live");
}

socketElement.addEventListener("htmx:ws:before:connection", (event) => {
  connection = event.detail.connection;
  const url = new URL(connection.url, location.href);
  url.searchParams.set("since", `${epoch}:${seq}`);
  connection.url = url.href;
  socketSince = performance.now();
});

socketElement.addEventListener("htmx:ws:before:message:incoming", (event) => {
  const frame = JSON.parse(event.detail.message.data);
  lastFrame = performance.now();
  setHallTime(frame.at, frame.speed);
  lastHallTime = hhmm(hallNow());
  if (frame.type === "beat") return showLive();
  if (frame.type === "update" && (frame.epoch !== epoch || frame.prev !== Number(seq))) {
    // Something between is missing: ask again from what is known.
    event.detail.connection.socket?.close(OUR_CLOSE, "gap");
  }
  for (const listener of listeners) listener(frame);
  showLive();
});

// Only what has been shown counts as seen: `since` must never skip a frame that failed to render.
socketElement.addEventListener("htmx:ws:after:message:incoming", (event) => {
  const frame = JSON.parse(event.detail.message.data);
  if (frame.type === "beat") return;
  ({ epoch, seq } = frame);
  countAll();
});

socketElement.addEventListener("htmx:after:swap", () => countAll());

socketElement.addEventListener("htmx:ws:close", (event) => {
  const { code } = event.detail;
  connection = null;
  if (RIGHTS.includes(code)) return reloadPage();
  const retried = event.detail.connection?.config?.reconnectCodes ?? [];
  // An unforeseen way to close must not leave a wall dead until somebody comes by.
  if (code !== null && !retried.includes(code)) setTimeout(reloadPage, 2_000 + Math.random() * 3_000);
});

// Signed out in the meantime: the page itself leads to the sign-in.
document.addEventListener("htmx:before:response", (event) => {
  if (event.detail.ctx.response.status === 401) location.reload();
});

setInterval(() => {
  const silent = performance.now() - lastFrame;
  if (silent > SILENCE) showLost();
  const socket = connection?.socket;
  if (!socket) return;
  const opening = socket.readyState === WebSocket.CONNECTING;
  const age = performance.now() - socketSince;
  if ((socket.readyState === WebSocket.OPEN && silent > SILENCE && age > SILENCE) ||
      (opening && age > CONNECTING)) {
    socketSince = performance.now();
    socket.close(OUR_CLOSE, "no news");
  }
}, 500);

function showLive() {
  document.documentElement.classList.add("is-live");
  document.documentElement.classList.remove("stale");
  band.hidden = true;
}

function showLost() {
  const words = navigator.onLine ? socketElement.dataset.lost : socketElement.dataset.offline;
  const text = words.replace("{time}", lastHallTime);
  document.documentElement.classList.add("stale");
  document.documentElement.classList.remove("is-live");
  if (band.textContent !== text) band.textContent = text;
  band.hidden = false;
}

// Loads the page anew once the server answers again, and never in a hurry: a page that is refused
// at once would otherwise reload for ever.
async function reloadPage() {
  const last = Number(sessionStorage.getItem("reloaded") ?? 0);
  const wait = Math.max(0, last + 10_000 - Date.now());
  await new Promise((done) => setTimeout(done, wait));
  try {
    await fetch("/health/live", { cache: "no-store" });
  } catch {
    setTimeout(reloadPage, 2_000 + Math.random() * 3_000);
    return;
  }
  sessionStorage.setItem("reloaded", String(Date.now()));
  location.reload();
}
