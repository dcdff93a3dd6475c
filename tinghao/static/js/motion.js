// Movement, only where something happened, and none for people who asked for none.

export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// A number rolls in, letter by letter, in 400 ms.
export function rollIn(element, text) {
  element.replaceChildren(
    ...[...text].map((letter) => Object.assign(document.createElement("span"), { textContent: letter })),
  );
  if (still()) return;
  [...element.children].forEach((letter, index) => {
    letter.animate(
      [{ transform: "translateY(60%)", opacity: 0 }, { transform: "none", opacity: 1 }],
      { duration: 280, delay: index * 40, easing: "cubic-bezier(.2,.8,.2,1)", fill: "backwards" },
    );
  });
}

// An element pulses three times.
export function pulse(element) {
  if (!element || still()) return;
  element.animate(
    [{ transform: "none" }, { transform: "scale(1.06)" }, { transform: "none" }],
    { duration: 500, iterations: 3, easing: "ease-in-out" },
  );
}
