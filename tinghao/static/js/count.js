// Things on the desk that move with the hall's time: the bar of the time in service, and what can
// still be undone.

import { hallNow } from "./clock.js";

export function moveBars(root = document) {
  for (const bar of root.querySelectorAll("[data-bar-since]")) {
    const seconds = (hallNow() - Number(bar.dataset.barSince)) / 1000;
    const share = seconds / Number(bar.dataset.barSeconds);
    bar.firstElementChild.style.transform = `scaleX(${Math.min(1, Math.max(0, share))})`;
    bar.classList.toggle("over", share > 1);
  }
  for (const line of root.querySelectorAll("[data-until]")) {
    const left = Math.ceil((Number(line.dataset.until) - hallNow()) / 1000);
    line.hidden = left <= 0;
    line.querySelector("[data-left]").textContent = Math.max(0, left);
  }
}

setInterval(moveBars, 500);
document.addEventListener("htmx:after:swap", () => moveBars());
moveBars();
