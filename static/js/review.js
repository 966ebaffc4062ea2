// @ts-check
/** Judging by keyboard: each key presses a button, follows a link, or goes into a field that names it. */

import { byId } from "./dom.js";

const STORED = "faceweb-single-keys";

const single = byId("single-keys", HTMLInputElement);
single.checked = localStorage.getItem(STORED) !== "off";
single.addEventListener("change", () => localStorage.setItem(STORED, single.checked ? "on" : "off"));

/**
 * @param {EventTarget | null} target
 * @returns {boolean} whether a key belongs to what has the focus: a letter of a text, a press of a button
 */
function isTakenBy(target, /** @type {string} */ key) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("input, textarea, select")) return true;
  return key === "Enter" && target.matches("a, button, summary");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.activeElement instanceof HTMLTextAreaElement) {
    document.activeElement.blur();
    return;
  }
  if (!single.checked || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (isTakenBy(event.target, event.key)) return;
  const named = document.querySelector(`#review [data-key="${CSS.escape(event.key)}"]`);
  if (!(named instanceof HTMLElement)) return;
  event.preventDefault();
  if (named instanceof HTMLTextAreaElement) named.focus();
  else named.click();
});
