// The lobby wall: gives every call its turn in the hero place.

import { hallNow, hhmm } from "./clock.js";
import { onFrame } from "./live.js";
import { pulse, rollIn } from "./motion.js";

const TURN = 2_500; // ms a call keeps the hero place while others wait for it
const CROWD = 6; // calls waiting for their turn; with more, only the newest half gets one
const STALE = 120_000; // ms of hall time after which a call is no longer announced

const hero = document.getElementById("hero");
const heroNumber = document.getElementById("hero-number");
const heroWindow = document.getElementById("hero-window");
const heroWhat = document.getElementById("hero-what");

// The call in the hero place is not repeated in the row below. A style sheet says so rather than a
// class, because frames rewrite the row at any time.
const shownOnce = new CSSStyleSheet();
document.adoptedStyleSheets.push(shownOnce);

const waiting = [];
let newest = Number(hero.dataset.call || 0);
let turnEnds = 0;
let timer = null;
let settling = null;
let windows = windowsOnPage();

hideInRow(hero.dataset.number);
settle();

onFrame((frame) => {
  const { data } = frame;
  windows = new Map(data.windows.map((one) => [one.number, one]));
  const fresh = data.calls.filter((call) => call.id > newest).sort((one, other) => one.id - other.id);
  for (const call of fresh) {
    newest = call.id;
    if (hallNow() - Date.parse(call.at) < STALE) waiting.push(call);
  }
  // All stand in the row and on their windows. A wall that is minutes behind helps nobody.
  if (waiting.length > CROWD) waiting.splice(0, waiting.length - CROWD / 2);
  // After a gap longer than what a snapshot tells, the newest call stands without a roll of drums.
  const latest = data.recent[0];
  if (latest && latest.id > Number(hero.dataset.call || 0) && waiting.length === 0) {
    newest = Math.max(newest, latest.id);
    if (timer === null) stand(latest);
  }
  setMode(data);
  settle();
  advance();
});

setInterval(() => setMode(null), 10_000);

function advance() {
  if (timer !== null || waiting.length === 0) return;
  const pause = Math.max(0, turnEnds - performance.now());
  timer = setTimeout(() => {
    timer = null;
    const call = waiting.shift();
    turnEnds = performance.now() + TURN;
    announce(call);
    advance();
  }, pause);
}

function announce(call) {
  stand(call);
  rollIn(heroNumber, call.number);
  pulse(document.querySelector(`#windows [data-window="${call.window}"]`));
}

function stand(call) {
  hero.dataset.call = call.id;
  hero.dataset.number = call.number;
  hero.dataset.window = call.window;
  hero.dataset.category = call.category;
  heroNumber.textContent = call.number;
  heroNumber.toggleAttribute("data-long", call.number.length > 4);
  heroWindow.textContent = call.window;
  for (const what of heroWhat.children) what.hidden = what.dataset.for !== call.category;
  hideInRow(call.number);
  if (hero.dataset.mode === "quiet") hero.dataset.mode = "call";
  settle();
}

// The number in the hero place is "being called" until its citizen stands at the window, and for
// its whole turn at least.
function settle() {
  const there = windows.get(Number(hero.dataset.window));
  const calling = there?.state === "called" && there.ticket === hero.dataset.number;
  const left = turnEnds - performance.now();
  hero.dataset.calling = calling || left > 0 ? "yes" : "no";
  clearTimeout(settling);
  if (left > 0) settling = setTimeout(settle, left + 20);
}

function hideInRow(number) {
  shownOnce.replaceSync(number ? `#recent [data-number="${CSS.escape(number)}"]{display:none}` : "");
}

let hall = null;
function setMode(data) {
  if (data) hall = data;
  if (!hall) return;
  const hours = /(\d\d:\d\d)\D+(\d\d:\d\d)/.exec(hall.hours ?? "");
  if (hall.open) hero.dataset.mode = hero.dataset.call ? "call" : "quiet";
  else if (hall.rest_day || !hours) hero.dataset.mode = "rest";
  else hero.dataset.mode = hhmm() < hours[1] ? "before" : "after";
}

function windowsOnPage() {
  return new Map(
    [...document.querySelectorAll("#windows [data-window]")].map((tile) => [
      Number(tile.dataset.window),
      { state: tile.dataset.state, ticket: tile.querySelector(".window-ticket")?.textContent.trim() },
    ]),
  );
}
