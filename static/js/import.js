// @ts-check
/** The upload of an import: hundreds of megabytes take minutes, and its page says how far it is. Photos and folders are
 * packed here first: a form sends no folders, and no more files than the server lets anybody send. */

import { byId, setText } from "./dom.js";
import { interpolate } from "./i18n.js";
import { sent } from "./sending.js";
import { MOST_BYTES, MOST_FILES, packed, uniquePaths } from "./zip.js";

const form = byId("import-form", HTMLFormElement);
const button = byId("import-button", HTMLButtonElement);
const photos = byId("id_upload", HTMLInputElement);
const folder = byId("id_folder", HTMLInputElement);
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

// Of the two, the one that was chosen last counts.
photos.addEventListener("input", () => (folder.value = ""));
folder.addEventListener("input", () => (photos.value = ""));

byId("import-folder", HTMLElement).hidden = false;
// It is enough to choose a folder.
photos.required = false;

/** @param {string} reason */
function refused(reason) {
  progress.className = "faceweb-notice is-problem";
  button.disabled = false;
  bar.hidden = true;
  setText(progress, reason);
}

/** @param {readonly File[]} files */
function excess(files) {
  const mostBytes = Math.min(MOST_BYTES, Number(text("mostBytes")));
  const isTooMuch = files.length > MOST_FILES || files.reduce((sum, file) => sum + file.size, 0) > mostBytes;
  const values = { files: MOST_FILES.toLocaleString(), gigabytes: Math.floor(mostBytes / 1e8) / 10 };
  return isTooMuch ? interpolate(text("tooMuch"), values) : "";
}

/**
 * What is sent: the form as it is for one file, else an archive in place of the files.
 *
 * @param {readonly File[]} files
 */
async function content(files) {
  const data = new FormData(form);
  const [first] = files;
  data.delete("folder");
  if (first && (files.length > 1 || first.webkitRelativePath)) {
    const paths = uniquePaths(files.map((file) => file.webkitRelativePath || file.name));
    const archive = await packed(
      files.map((file, number) => ({ path: paths[number] ?? file.name, file })),
      (done) => {
        bar.value = done / files.length;
        setText(progress, interpolate(text("packing"), { percent: Math.floor((100 * done) / files.length) }));
      },
    );
    const name = first.webkitRelativePath.split("/")[0] || text("photos");
    data.set("upload", archive, `${name}.zip`);
  }
  return data;
}

/** @param {FormData} data */
async function send(data) {
  const answer = await sent(data, (share) => {
    bar.value = share;
    const percent = Math.floor(100 * share);
    setText(progress, percent < 100 ? interpolate(text("sending"), { percent }) : text("reading"));
  });
  if (answer?.location) location.assign(answer.location);
  else refused(answer?.errors?.join(" ") ?? text("failed"));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const files = [...(photos.files ?? []), ...(folder.files ?? [])];
  const fault = excess(files);
  if (fault) return refused(fault);
  progress.className = "";
  button.disabled = true;
  bar.hidden = false;
  try {
    await send(await content(files));
  } catch {
    // A file that was moved or changed since it was chosen cannot be read.
    refused(text("unreadable"));
  }
});
