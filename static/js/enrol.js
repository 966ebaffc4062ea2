// @ts-check
/**
 * Enrolment by upload: one photo after the other, so that each result shows as soon as it is known.
 *
 * Without this script the form sends all of them at once and the server renders the same list. The sentences come
 * with the form, as data attributes: the admin has no catalogue of its own for scripts.
 */

import { byId, make, setText } from "./dom.js";
import { takeDrops } from "./dropping.js";
import { interpolate } from "./i18n.js";

/**
 * What became of one file; `sample` is the new sample's number, `choose` the page on which one of several faces is
 * chosen, `decide` the one on which a doubt is answered, else both are empty.
 * @typedef {{
 *   file: string, accepted: boolean, sample: number | null, reasons: string[], choose: string, decide: string
 * }} Outcome
 */

/**
 * @param {string} file
 * @param {string} reason
 * @returns {Outcome} of a file that the server has not judged
 */
const notSent = (file, reason) => ({ file, accepted: false, sample: null, reasons: [reason], choose: "", decide: "" });

class EnrolPage {
  #form = byId("enrol-form", HTMLFormElement);
  #input = byId("id_photos", HTMLInputElement);
  #button = byId("enrol-button", HTMLButtonElement);
  #drop = byId("enrol-drop", HTMLElement);
  #bar = byId("enrol-bar", HTMLProgressElement);
  #progress = byId("enrol-progress", HTMLElement);
  #results = byId("enrol-results", HTMLElement);
  #busy = false;

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enrol([...(this.#input.files ?? [])]);
    });
    // Caught on its way to the input: a listener of Unfold's there expects a text field of its own beside it, and throws.
    this.#drop.addEventListener("change", (event) => this.#chosen(event), { capture: true });
    takeDrops(this.#drop, byId("enrol-drop-hint", HTMLElement), (files) => this.#enrol(files));
  }

  /**
   * What will not be sent is said as soon as it is chosen.
   *
   * @param {Event} event
   */
  #chosen(event) {
    event.stopPropagation();
    this.#results.replaceChildren(...this.#tooLarge([...(this.#input.files ?? [])]));
  }

  /** @param {readonly File[]} chosen */
  async #enrol(chosen) {
    if (this.#busy || chosen.length === 0) return;
    this.#results.replaceChildren(...this.#tooLarge(chosen));
    const files = chosen.filter((file) => !this.#isTooLarge(file));
    this.#begin();
    let accepted = 0;
    for (const [index, file] of files.entries()) {
      setText(this.#progress, interpolate(this.#text("busy"), { number: index + 1, total: files.length }));
      const outcome = await this.#send(file, (share) => (this.#bar.value = (index + share) / files.length));
      if (outcome.choose && chosen.length === 1) return location.assign(outcome.choose);
      if (outcome.accepted) accepted += 1;
      this.#results.append(this.#item(outcome));
    }
    this.#end(interpolate(this.#text("finished"), { accepted, total: chosen.length }));
  }

  #begin() {
    this.#busy = true;
    this.#button.disabled = true;
    this.#bar.value = 0;
    this.#bar.hidden = false;
  }

  /** @param {string} summary */
  #end(summary) {
    this.#busy = false;
    this.#button.disabled = false;
    this.#bar.hidden = true;
    this.#form.reset();
    setText(this.#progress, summary);
  }

  /**
   * @param {File} file
   * @param {(share: number) => void} onProgress how much of the file is sent, 0..1
   * @returns {Promise<Outcome>}
   */
  #send(file, onProgress) {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", String(new FormData(this.#form).get("csrfmiddlewaretoken")));
    body.append("photos", file);
    return new Promise((resolve) => {
      /** @param {string} reason */
      const failed = (reason) => resolve(notSent(file.name, reason));
      // Not fetch(): it does not tell how much of the photo has been sent.
      const request = new XMLHttpRequest();
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
      request.addEventListener("error", () => failed(this.#text("failed")));
      request.addEventListener("load", () => {
        /** @type {Outcome | undefined} */
        const outcome = request.response?.results?.[0];
        if (outcome) resolve(outcome);
        // The log-in page is an answer too, but none in JSON.
        else failed(this.#text(request.status === 200 || request.status === 403 ? "loggedOut" : "failed"));
      });
      request.open("POST", location.href);
      request.setRequestHeader("Accept", "application/json");
      request.send(body);
    });
  }

  /** @param {File} file */
  #isTooLarge(file) {
    return file.size > Number(this.#text("maxBytes"));
  }

  /**
   * @param {readonly File[]} files
   * @returns {HTMLElement[]} a line for each file that is too large to be sent
   */
  #tooLarge(files) {
    return files
      .filter((file) => this.#isTooLarge(file))
      .map(({ name }) => this.#item(notSent(name, this.#text("tooLarge"))));
  }

  /** @param {Outcome} outcome */
  #item(outcome) {
    const kind = outcome.accepted ? "accepted" : outcome.decide ? "setAside" : "refused";
    const item = make("li", { accepted: "is-accepted", setAside: "is-set-aside", refused: "is-refused" }[kind]);
    if (outcome.sample !== null) {
      const image = new Image(64, 64);
      image.className = "faceweb-thumbnail";
      image.alt = "";
      image.src = this.#text("pictureUrl").replace("0", String(outcome.sample));
      item.append(image);
    }
    const body = document.createElement("div");
    body.append(make("strong", "", outcome.file), make("span", "", this.#text(kind)));
    body.append(...outcome.reasons.map((reason) => make("p", "", reason)));
    if (outcome.choose) body.append(this.#link(outcome.choose, "choose"));
    if (outcome.decide) body.append(this.#link(outcome.decide, "decide"));
    item.append(body);
    return item;
  }

  /**
   * @param {string} address
   * @param {string} name of a data attribute of the form
   */
  #link(address, name) {
    const link = document.createElement("a");
    link.className = "faceweb-link";
    link.href = address;
    link.textContent = this.#text(name);
    return link;
  }

  /** @param {string} name of a data attribute of the form */
  #text(name) {
    const text = this.#form.dataset[name];
    if (text === undefined) throw new Error(`expected the form to have data-${name}`);
    return text;
  }
}

new EnrolPage();
