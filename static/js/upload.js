// @ts-check
/** The upload of a video: its page says how much has been sent, and why it is refused. */

import { byId, setText } from "./dom.js";
import { takeDrops } from "./dropping.js";
import { interpolate } from "./i18n.js";
import { sent } from "./sending.js";

const form = byId("upload-form", HTMLFormElement);
const button = byId("upload-button", HTMLButtonElement);
const file = byId("id_upload", HTMLInputElement);
const bar = byId("upload-bar", HTMLProgressElement);
const progress = byId("upload-progress", HTMLElement);

/** @param {string} name of a data attribute of the form */
function text(name) {
  const value = form.dataset[name];
  if (value === undefined) throw new Error(`expected the form to have data-${name}`);
  return value;
}

// Caught on its way to the input: a listener of Unfold's there expects a text field of its own beside it, and throws.
form.addEventListener("change", (event) => event.stopPropagation(), { capture: true });

takeDrops(byId("upload-drop", HTMLElement), byId("upload-drop-hint", HTMLElement), ([first]) => {
  if (!first || button.disabled) return;
  const one = new DataTransfer();
  one.items.add(first);
  file.files = one.files;
});

/** @param {string} reason */
function refused(reason) {
  progress.className = "faceweb-notice is-problem";
  button.disabled = false;
  bar.hidden = true;
  setText(progress, reason);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if ((file.files?.[0]?.size ?? 0) > Number(text("mostBytes"))) return refused(text("tooMuch"));
  progress.className = "";
  button.disabled = true;
  bar.hidden = false;
  const answer = await sent(new FormData(form), (share) => {
    bar.value = share;
    const percent = Math.floor(100 * share);
    setText(progress, percent < 100 ? interpolate(text("sending"), { percent }) : text("reading"));
  });
  if (answer?.location) location.assign(answer.location);
  else refused(answer?.errors?.join(" ") ?? text("failed"));
});
