// The ticket on a phone. All phones of a category get one frame; each finds itself in it by number.

import "./idempotency.js";
import { onFrame } from "./live.js";
import { say, waitText } from "./words.js";

const SOON = 3; // this many ahead or fewer: come near
const MARKS = 20; // people drawn on the line

let sounding = null; // the AudioContext, once the citizen has asked for a ring
const title = document.title;

drawLine();

onFrame(({ data }) => {
  const card = document.getElementById("card");
  if (card.dataset.lively !== "yes") return;
  const { number } = card.dataset;
  const ahead = data.order.findIndex((one) => one.number === number);
  const called = data.called.find((one) => one.number === number);
  if (called) {
    show(card, called.state, called);
  } else if (ahead >= 0) {
    // Back in the queue: the page has no buttons for that yet, the server has.
    if (card.dataset.state !== "waiting") return refresh();
    showWaiting(card, ahead, data.order[ahead]);
  } else if (card.dataset.state !== "held") {
    return refresh();
  }
  showOthers(data.called);
});

function show(card, state, { window, attempt }) {
  for (const place of card.querySelectorAll("[data-window]")) place.textContent = window;
  const call = `${card.dataset.number}:${window}:${attempt}`;
  const isNews = state === "called" && card.dataset.call !== call;
  card.dataset.state = state;
  card.dataset.call = call;
  document.title = state === "called" ? say("goTo", { number: window }) : title;
  if (state === "called" && isNews) ring();
}

function showWaiting(card, ahead, place) {
  const waiting = card.querySelector('[data-show="waiting"]');
  waiting.querySelector("[data-when=ahead] .num").textContent = ahead;
  waiting.querySelector("[data-when=soon]").hidden = ahead > SOON;
  waiting.querySelector("[data-wait]").textContent = waitText(place.p50_minutes, place.p90_minutes);
  drawLine(ahead);
}

function showOthers(called) {
  const list = document.getElementById("others");
  const latest = called.filter((one) => one.state === "called")
    .sort((one, other) => (one.at < other.at ? 1 : -1)).slice(0, 3);
  const arrow = document.querySelector("#others .arrow");
  list.replaceChildren(...latest.map((one) => {
    const item = document.createElement("li");
    const parts = [one.number, one.window].map((text) => {
      const part = document.createElement("b");
      part.className = "num";
      part.textContent = text;
      return part;
    });
    item.append(parts[0], arrow ? arrow.cloneNode(true) : " → ", parts[1]);
    return item;
  }));
}

function drawLine(ahead) {
  const line = document.getElementById("line");
  if (!line) return;
  const count = ahead ?? Number(document.querySelector("[data-when=ahead] .num")?.textContent ?? 0);
  const soon = document.querySelector("[data-when=soon]");
  if (soon) soon.hidden = count > SOON;
  const marks = Math.min(count, MARKS) + 1;
  while (line.children.length > marks) line.firstElementChild.remove();
  while (line.children.length < marks) line.prepend(document.createElement("i"));
}

// The page asks what became of its number; all phones of a category must not ask at once.
let refreshing = false;
async function refresh() {
  if (refreshing) return;
  refreshing = true;
  await new Promise((done) => setTimeout(done, Math.random() * 1_000));
  try {
    await htmx.ajax("GET", location.pathname, { target: "#card", select: "#card", swap: "outerHTML" });
  } finally {
    refreshing = false;
  }
  document.title = title;
  drawLine();
}

function ring() {
  // A browser lets a page vibrate only after it has been touched.
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 150, 300, 150, 300]);
  if (!sounding) return;
  [0, 0.35].forEach((delay, index) => {
    const tone = sounding.createOscillator();
    const volume = sounding.createGain();
    const start = sounding.currentTime + delay;
    tone.frequency.value = index === 0 ? 880 : 660;
    volume.gain.setValueAtTime(0.4, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.9);
    tone.connect(volume).connect(sounding.destination);
    tone.start(start);
    tone.stop(start + 0.9);
  });
}

document.addEventListener("click", (event) => {
  const sound = event.target.closest("#sound");
  if (sound) {
    sounding = sounding ? null : new AudioContext();
    sound.setAttribute("aria-pressed", String(Boolean(sounding)));
    if (sounding) ring();
  }
  const opens = event.target.closest("[data-open]");
  if (opens) document.getElementById(opens.dataset.open).showModal();
  if (event.target.closest("[data-dismiss]")) event.target.closest("dialog").close();
});
document.addEventListener("htmx:before:request", (event) => event.target.closest("dialog")?.close());
document.addEventListener("htmx:after:swap", () => drawLine());
document.addEventListener("htmx:error", () => {
  const line = document.createElement("p");
  line.className = "notice-text";
  line.textContent = say("unsent");
  document.getElementById("notice").replaceChildren(line);
});
