// The hall's time. A frame says what time it is in the hall and how fast that time runs (a demo or
// a replay may run faster); between frames it runs by itself.

let hallAt = Date.now(); // hall time, ms since 1970, at the moment `seenAt`
let seenAt = performance.now();
let speed = 1;
let offset = -new Date().getTimezoneOffset() * 60_000; // the hall's offset from UTC, ms

export function setHallTime(at, newSpeed) {
  hallAt = Date.parse(at);
  seenAt = performance.now();
  speed = newSpeed;
  const zone = /([+-])(\d\d):(\d\d)$/.exec(at);
  if (zone) offset = (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000;
}

export function hallNow() {
  return hallAt + (performance.now() - seenAt) * speed;
}

// Hall time as 10:42.
export function hhmm(time = hallNow()) {
  return new Date(time + offset).toISOString().slice(11, 16);
}

// Whole minutes of hall time since `time` (ms), never below zero.
export function minutesSince(time) {
  return Math.max(0, Math.floor((hallNow() - time) / 60_000));
}

// Elements that count: data-since="ms" shows minutes, with data-unit="seconds" m:ss.
// Frames carry absolute times only, so that a passing second costs the server nothing.
export function countAll(root = document) {
  for (const element of root.querySelectorAll("[data-since]")) {
    const since = Number(element.dataset.since);
    let text = String(minutesSince(since));
    if (element.dataset.unit === "seconds") {
      const seconds = Math.max(0, Math.floor((hallNow() - since) / 1000));
      text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }
    if (element.textContent !== text) element.textContent = text;
  }
  for (const element of root.querySelectorAll("#clock")) {
    const text = hhmm();
    if (element.textContent !== text) element.textContent = text;
  }
}

setInterval(countAll, 500);
