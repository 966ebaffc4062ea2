// @ts-check
/** The upload of an import: an archive of hundreds of megabytes takes minutes, and its page says how far it is. */

import { byId, setText } from "./dom.js";
import { interpolate } from "./i18n.js";

const form = byId("import-form", HTMLFormElement);
const button = byId("import-button", HTMLButtonElement);
const bar = byId("import-bar", HTMLProgressElement);
const progress = byId("import-progress", HTMLElement);

/** @param {string} name of a data attribute of the form */
function text(name) {
  const value = form.dataset[name];
  if (value === undefined) throw new Error(`expected the form to have data-${name}`);
  return value;
}

// Caught on its way to the input: a listener of Unfold's there expects a text field of its own beside it, and throws.
form.addEventListener("change", (event) => event.stopPropagation(), { capture: true });

form.addEventListener("submit", (event) => {
  event.preventDefault();
  button.disabled = true;
  bar.hidden = false;
  // Not fetch(): it does not tell how much has been sent.
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = loaded / total;
    const percent = Math.floor((100 * loaded) / total);
    setText(progress, percent < 100 ? interpolate(text("sending"), { percent }) : text("reading"));
  });
  /** @param {string} reason */
  const refused = (reason) => {
    button.disabled = false;
    bar.hidden = true;
    setText(progress, reason);
  };
  request.responseType = "json";
  request.addEventListener("error", () => refused(text("failed")));
  request.addEventListener("load", () => {
    /** @type {{location?: string, errors?: string[]} | null} */
    const answer = request.response;
    if (answer?.location) location.assign(answer.location);
    else refused(answer?.errors?.join(" ") ?? text("failed"));
  });
  request.open("POST", location.href);
  request.setRequestHeader("Accept", "application/json");
  request.send(new FormData(form));
});
