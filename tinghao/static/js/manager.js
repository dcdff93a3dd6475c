// The manager's screen: dots that walk along the minutes, and a panel for each window.

import { hallNow } from "./clock.js";
import { forgetUnanswered } from "./idempotency.js";
import { onFrame } from "./live.js";

const SCALES = [30, 45, 60, 90, 120, 180, 240]; // minutes an axis may span
const STEP = 13; // px between dots that would lie on each other
const SVG = "http://www.w3.org/2000/svg";

const lanes = document.getElementById("lanes");
const panel = document.getElementById("panel-window");

onFrame(forgetUnanswered);
document.addEventListener("htmx:after:swap", place);
new ResizeObserver(place).observe(lanes);
setInterval(place, 2_000);
place();

// Places every dot by how long its citizen has waited. All lanes share one scale.
function place() {
  const now = hallNow();
  const waited = (dot) => Math.max(0, (now - Number(dot.dataset.at)) / 60_000);
  const all = [...lanes.querySelectorAll(".dot")].map(waited);
  const targets = [...lanes.children].map((lane) => Number(lane.dataset.target));
  const longest = Math.max(...all, ...targets.map((target) => target * 1.4), 0);
  const scale = SCALES.find((minutes) => minutes >= longest) ?? SCALES.at(-1);
  for (const lane of lanes.children) {
    const svg = lane.querySelector("svg");
    const { width, height } = svg.getBoundingClientRect();
    if (!width) continue;
    const left = 16;
    const right = width - 24;
    const base = height - 22;
    const x = (minutes) => left + Math.min(1, minutes / scale) * (right - left);
    drawTicks(svg.querySelector(".ticks"), scale, x, base, right, height);
    const target = Number(lane.dataset.target);
    set(svg.querySelector(".target"), { x1: x(target), x2: x(target), y1: 2, y2: base });
    const heights = new Map();
    const dots = [...svg.querySelectorAll(".dot")].reverse();
    const rows = Math.max(1, Math.floor((base - 10) / STEP));
    for (const dot of dots) {
      const minutes = waited(dot);
      const column = Math.round((x(minutes) - left) / STEP);
      const level = heights.get(column) ?? 0;
      heights.set(column, level + 1);
      set(dot, { cx: left + column * STEP, cy: base - 9 - (level % rows) * STEP });
      dot.classList.toggle("late", minutes > target);
    }
  }
}

function drawTicks(group, scale, x, base, right, height) {
  const key = `${scale}:${Math.round(right)}:${Math.round(height)}`;
  if (group.dataset.key === key) return;
  group.dataset.key = key;
  const every = scale <= 60 ? 5 : scale <= 120 ? 15 : 30;
  const parts = [make("line", { class: "baseline", x1: x(0), x2: right, y1: base, y2: base })];
  for (let minutes = 0; minutes <= scale; minutes += every) {
    parts.push(make("line", { class: "tick", x1: x(minutes), x2: x(minutes), y1: 2, y2: base }));
    const label = make("text", { x: x(minutes), y: base + 17 });
    label.textContent = minutes;
    parts.push(label);
  }
  group.replaceChildren(...parts);
}

function make(name, attributes) {
  return set(document.createElementNS(SVG, name), attributes);
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) panel.close();
  const tile = event.target.closest("[data-manage]");
  if (tile && panel) open(tile);
});
document.addEventListener("htmx:before:request", (event) => {
  if (event.target.matches("[data-command]")) panel.close();
});

function open(tile) {
  const { manage: number, state, ticket } = tile.dataset;
  const categories = tile.dataset.categories.split(" ");
  const offers = {
    open: state === "closed",
    resume: state === "paused",
    pause: state === "free",
    close: state === "free" || state === "paused",
    categories: true,
    release: Boolean(ticket),
  };
  panel.querySelector("[data-number]").textContent = number;
  panel.querySelector("[data-ticket]").textContent = ticket;
  for (const form of panel.querySelectorAll("form")) {
    form.hidden = !offers[form.dataset.for];
    form.setAttribute("hx-post", `${panel.dataset.root}${number}/${form.dataset.for}`);
    htmx.process(form);
  }
  for (const box of panel.querySelectorAll("[name=categories]")) {
    box.checked = categories.includes(box.value);
  }
  panel.showModal();
}
