// @ts-check
/** Each slider says where it stands while it is moved; without this the page says so when the form was sent. */

import { setText } from "./dom.js";

const DIGITS = 3;

for (const slider of document.querySelectorAll("#what-if input[type=range]")) {
  if (!(slider instanceof HTMLInputElement)) continue;
  const shown = document.querySelector(`output[for="${slider.id}"]`);
  if (!(shown instanceof HTMLElement)) continue;
  slider.addEventListener("input", () => setText(shown, slider.valueAsNumber.toFixed(DIGITS)));
}
