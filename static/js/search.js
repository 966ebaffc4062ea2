// @ts-check
/**
 * Search by photo without leaving the page: drop, paste or choose, and it is searched at once.
 *
 * The form is sent as a browser would send it; of the page that comes back, the results are taken.
 */

import { byId, make, setText } from "./dom.js";
import { gettext } from "./i18n.js";

class SearchPage {
  #form = byId("search-form", HTMLFormElement);
  #input = byId("photo", HTMLInputElement);
  #button = byId("search-button", HTMLButtonElement);
  #preview = byId("preview", HTMLImageElement);
  #progress = byId("progress", HTMLElement);
  #progressBar = byId("progress-bar", HTMLProgressElement);
  #progressText = byId("progress-text", HTMLElement);
  #results = byId("results", HTMLElement);
  /** @type {XMLHttpRequest | null} */
  #request = null;

  constructor() {
    this.#form.querySelector(".drop-hint")?.removeAttribute("hidden");
    this.#input.addEventListener("change", () => this.#search());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search();
    });
    this.#form.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.#form.dataset.over = "true";
    });
    this.#form.addEventListener("dragleave", () => delete this.#form.dataset.over);
    this.#form.addEventListener("drop", (event) => {
      event.preventDefault();
      delete this.#form.dataset.over;
      this.#take(event.dataTransfer?.files);
    });
    // A thumbnail that cannot be had leaves the person's initial in its place; load errors do not bubble.
    this.#results.addEventListener("error", (event) => event.target instanceof Element && event.target.remove(), true);
    document.addEventListener("paste", (event) => this.#take(event.clipboardData?.files));
  }

  /** @param {FileList | undefined} files */
  #take(files) {
    if (!files || files.length === 0) return;
    this.#input.files = files;
    this.#search();
  }

  #search() {
    const photo = this.#input.files?.[0];
    if (!photo) return;
    this.#request?.abort();
    this.#show(photo);
    this.#results.replaceChildren();
    this.#busy(true);
    // Not fetch(): it does not tell how much of the photo has been sent.
    const request = new XMLHttpRequest();
    this.#request = request;
    request.responseType = "document";
    request.upload.addEventListener("progress", (event) => this.#sent(event));
    request.addEventListener("load", () => this.#answered(request));
    request.addEventListener("error", () => this.#failed(gettext("The server could not be reached. Try again.")));
    request.open("POST", location.href);
    request.send(new FormData(this.#form));
  }

  /** @param {File} photo */
  #show(photo) {
    URL.revokeObjectURL(this.#preview.src);
    this.#preview.src = URL.createObjectURL(photo);
    this.#preview.alt = gettext("The photo that is searched");
    this.#preview.hidden = false;
    // A file that is no picture: the server says so in words.
    this.#preview.addEventListener("error", () => (this.#preview.hidden = true), { once: true });
  }

  /** @param {boolean} busy */
  #busy(busy) {
    this.#progress.hidden = !busy;
    this.#button.disabled = busy;
    this.#progressBar.removeAttribute("value");
    setText(this.#progressText, busy ? gettext("Sending the photo") : "");
  }

  /** @param {ProgressEvent} event */
  #sent(event) {
    if (event.loaded < event.total) {
      this.#progressBar.value = event.loaded / event.total;
      return;
    }
    this.#progressBar.removeAttribute("value");
    setText(this.#progressText, gettext("Looking for faces and comparing them"));
  }

  /** @param {XMLHttpRequest} request */
  #answered(request) {
    const results = request.responseXML?.getElementById("results");
    if (results) {
      this.#busy(false);
      this.#results.replaceChildren(...results.childNodes);
      this.#results.focus();
    } else if (request.status < 400) {
      // The session has ended and the answer is the log-in page: show it.
      location.assign(request.responseURL);
    } else if (request.status === 403) {
      this.#failed(gettext("You are logged out, or may not search any more. Reload the page."));
    } else {
      this.#failed(gettext("The server could not search this photo. Try again, or with a smaller photo."));
    }
  }

  /** @param {string} text */
  #failed(text) {
    this.#busy(false);
    const banner = make("p", "banner danger", text);
    banner.setAttribute("role", "alert");
    this.#results.replaceChildren(banner);
  }
}

new SearchPage();
