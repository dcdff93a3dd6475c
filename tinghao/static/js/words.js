// The sentences that scripts fill in, in the language of the page, and how a wait is said.

const words = JSON.parse(document.getElementById("words").textContent);

export function say(name, places = {}) {
  return words[name].replace(/\{(\w+)\}/g, (whole, place) => places[place] ?? whole);
}

// The same rounding as on the server: to 5 minutes, above an hour to 10, the upper bound upwards.
export function waitText(p50, p90) {
  if (p50 === null || p50 === undefined) return say("unknown");
  const high = Math.max(p90, p50, 0);
  const highStep = high > 60 ? 10 : 5;
  const lowStep = p50 > 60 ? 10 : 5;
  const to = Math.max(5, Math.ceil(high / highStep) * highStep);
  const from = Math.min(to, Math.max(5, Math.floor(p50 / lowStep + 0.5) * lowStep));
  return from === to ? say("about", { n: to }) : say("range", { from, to });
}
