// The kiosk: one step at a time, home again by itself, and its numbers kept true.

import { forgetUnanswered } from "./idempotency.js";
import { onFrame } from "./live.js";
import { say, waitText } from "./words.js";

const HOME_AFTER_TICKET = 15; // seconds the ticket stays
const HOME_AFTER_IDLE = 30; // seconds without a touch after which nobody is there any more
const HOME_LANGUAGE = "zh-CN";

const machine = document.getElementById("kiosk");
const form = document.getElementById("take");
const category = document.getElementById("category");
const chosen = document.getElementById("chosen");
const notice = document.getElementById("notice");
const prints = new URLSearchParams(location.search).has("print");

let touched = performance.now();
let leaving = 0; // when the ticket goes away

document.addEventListener("pointerdown", () => {
  touched = performance.now();
});

document.addEventListener("click", (event) => {
  const tile = event.target.closest("[data-category]");
  if (tile) {
    category.value = tile.dataset.category;
    chosen.textContent = tile.dataset.name;
    step("priority");
  }
  if (event.target.closest("[data-home]")) home();
});

for (const id of ["large", "low"]) {
  const button = document.getElementById(id);
  button.addEventListener("click", () => {
    const on = document.documentElement.classList.toggle(id);
    button.setAttribute("aria-pressed", String(on));
  });
}

form.addEventListener("htmx:before:request", () => {
  notice.replaceChildren();
  machine.dataset.busy = "yes";
});
document.addEventListener("htmx:finally:request", () => delete machine.dataset.busy);
document.addEventListener("htmx:error", () => tell(say("unsent")));
document.addEventListener("htmx:after:swap", (event) => {
  if (event.target.id === "socket") return;
  if (!document.querySelector("#ticket .issued")) return;
  step("ticket");
  leaving = performance.now() + HOME_AFTER_TICKET * 1000;
  if (prints) print();
});

setInterval(() => {
  const now = performance.now();
  if (leaving) {
    const left = Math.ceil((leaving - now) / 1000);
    const counter = document.getElementById("home-in");
    if (counter) counter.textContent = Math.max(0, left);
    if (left <= 0) home();
  } else if (now - touched > HOME_AFTER_IDLE * 1000) {
    touched = now;
    home();
  }
}, 250);

onFrame(({ data }) => {
  machine.dataset.open = data.open ? "yes" : "no";
  for (const one of data.categories) {
    const tile = document.querySelector(`[data-category="${CSS.escape(one.code)}"]`);
    if (!tile) continue;
    tile.querySelector("[data-waiting]").textContent = one.waiting;
    const wait = one.estimate && one.waiting === 0
      ? say("none")
      : waitText(one.estimate?.p50_minutes, one.estimate?.p90_minutes);
    tile.querySelector("[data-wait]").textContent = wait;
  }
});

function step(name) {
  machine.dataset.step = name;
}

// The next citizen finds the machine as everybody finds it: nothing of the last one is left.
function home() {
  leaving = 0;
  forgetUnanswered();
  document.getElementById("ticket").replaceChildren();
  notice.replaceChildren();
  category.value = "";
  step("category");
  document.documentElement.classList.remove("large", "low");
  for (const id of ["large", "low"]) document.getElementById(id).setAttribute("aria-pressed", "false");
  if (document.documentElement.lang !== HOME_LANGUAGE) {
    const url = new URL(location.href);
    url.searchParams.set("lang", "zh");
    location.replace(url);
  }
}

function tell(text) {
  const line = document.createElement("p");
  line.className = "notice-text";
  line.textContent = text;
  notice.replaceChildren(line);
  setTimeout(() => line.remove(), 8_000);
}
