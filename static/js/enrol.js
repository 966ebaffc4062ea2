// Sends the chosen photos one after the other, so that each result shows as soon as it is known.
// Without this script the form sends them all at once and the server renders the same list.

const form = document.getElementById("enrol-form");
const input = document.getElementById("id_photos");
const list = document.getElementById("enrol-results");
const progress = document.getElementById("enrol-progress");
const button = form.querySelector("button");
const texts = form.dataset;

/** @param {{file: string, accepted: boolean, sample: number|null, reasons: string[]}} result */
function resultItem(result) {
  const item = document.createElement("li");
  item.className = result.accepted ? "is-accepted" : "is-refused";
  if (result.sample !== null) {
    const image = document.createElement("img");
    image.src = `/samples/${result.sample}/image/`;
    image.alt = "";
    image.width = image.height = 64;
    item.append(image);
  }
  const body = document.createElement("div");
  const name = document.createElement("strong");
  name.textContent = result.file;
  const state = document.createElement("span");
  state.textContent = result.accepted ? texts.done : texts.refused;
  body.append(name, state);
  for (const reason of result.reasons) {
    const line = document.createElement("p");
    line.textContent = reason;
    body.append(line);
  }
  item.append(body);
  return item;
}

/** @param {File} file */
async function send(file) {
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
  body.append("photos", file);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).results[0];
  } catch {
    // Offline, logged out or a server error: the file was not enrolled, and the reader must know.
    return { file: file.name, accepted: false, sample: null, reasons: [texts.failed] };
  }
}

/** @param {FileList|File[]} files */
async function enrol(files) {
  button.disabled = true;
  let number = 0;
  for (const file of files) {
    number += 1;
    progress.textContent = `${number} / ${files.length} · ${texts.busy}`;
    list.prepend(resultItem(await send(file)));
  }
  progress.textContent = "";
  button.disabled = false;
  form.reset();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  enrol([...input.files]);
});
const drop = form.querySelector(".faceweb-drop");
for (const kind of ["dragover", "dragenter"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("is-over");
  enrol([...event.dataTransfer.files]);
});
