// The window console's keys. `event.code` names the place of a key, so they work while a Chinese
// input method is on.

import "./count.js";
import { forgetUnanswered } from "./idempotency.js";
import { onFrame } from "./live.js";

const screen = document.getElementById("console");
const notice = document.getElementById("notice");
const names = JSON.parse(document.getElementById("names").textContent);
const socket = document.getElementById("socket");

let clearing = null;
const inFlight = new Set(); // forms whose answer is on its way

nameCategories();
onFrame(forgetUnanswered);
document.addEventListener("htmx:after:swap", nameCategories);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const panel = document.querySelector("dialog[open]");
  if (panel) return chooseInPanel(event, panel);
  if (event.target.matches("input, select, textarea")) return;
  const key = screen.querySelector(`.key[data-code="${event.code}"]`);
  if (!key) return;
  event.preventDefault();
  if (!event.repeat) press(key);
});

document.addEventListener("click", (event) => {
  const key = event.target.closest(".key, .primary");
  if (key?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    return say(key.dataset.why);
  }
  if (key?.dataset.panel) return openPanel(key.dataset.panel);
  if (event.target.closest("[data-dismiss]")) event.target.closest("dialog").close();
});

document.addEventListener("htmx:before:request", (event) => {
  if (!event.target.matches("[data-command]")) return;
  inFlight.add(event.target);
  say("");
  event.target.closest("dialog")?.close();
});
document.addEventListener("htmx:finally:request", (event) => {
  inFlight.delete(event.target);
});
document.addEventListener("htmx:error", () => say(socket.dataset.unsent));
document.addEventListener("htmx:after:swap", () => {
  const text = notice.querySelector(".notice-text");
  if (text) later(text.dataset.tone === "refusal" ? 10_000 : 5_000);
});

function press(key) {
  // A second press while the first is on its way is one press.
  if (key.form && inFlight.has(key.form)) return;
  key.animate?.([{ transform: "translateY(3px)" }, { transform: "none" }], 160);
  key.click();
}

function chooseInPanel(event, panel) {
  if (event.target.matches("input:not([type=hidden]), textarea")) return;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const choice = digit && panel.querySelector(`[data-digit="${digit}"]`);
  if (!choice || event.repeat) return;
  event.preventDefault();
  choice.click();
}

function openPanel(name) {
  say("");
  const panel = document.getElementById(`panel-${name}`);
  panel.querySelector("form").reset();
  panel.showModal();
}

function say(text) {
  notice.replaceChildren();
  clearTimeout(clearing);
  if (!text) return;
  const line = document.createElement("p");
  line.className = "notice-text";
  line.dataset.tone = "quiet";
  line.textContent = text;
  notice.append(line);
  later(5_000);
}

function later(delay) {
  clearTimeout(clearing);
  clearing = setTimeout(() => notice.replaceChildren(), delay);
}

function nameCategories() {
  for (const place of document.querySelectorAll("[data-name-of]")) {
    const name = names[place.dataset.nameOf] ?? "";
    if (place.textContent !== name) place.textContent = name;
  }
}
