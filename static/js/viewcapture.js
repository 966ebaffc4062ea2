// @ts-check
/** Recordings and snapshots of the live page: the picture with boxes and names, as it is seen. */

import { byId, setText } from "./dom.js";
import { fitWidth } from "./geometry.js";
import { gettext, interpolate } from "./i18n.js";
import { Recording } from "./recording.js";

/** @typedef {import("./overlay.js").Overlay} Overlay */
/** @typedef {import("./recording.js").Recorded} Recorded */

const MOST_WIDTH_PX = 1280;
const CLOCK_EVERY_MS = 250;

/** Controls that use letters themselves. */
const OWN_LETTERS = "input, select, textarea, [contenteditable]";

/** @param {number} lengthMs */
function clock(lengthMs) {
  const seconds = Math.floor(lengthMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {string} ending */
function fileName(ending) {
  const now = new Date();
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  const parts = [...day, now.getHours(), now.getMinutes(), now.getSeconds()];
  return `faceweb-${parts.map((part) => String(part).padStart(2, "0")).join("-")}.${ending}`;
}

/**
 * @param {string} address of what is saved
 * @param {string} name
 */
function save(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

/** The buttons, and what they make. */
export class Capture {
  #video;
  #overlay;
  #record = byId("record", HTMLButtonElement);
  #recordText = byId("record-text", HTMLElement);
  #snapshot = byId("snapshot", HTMLButtonElement);
  #sign = byId("recording", HTMLElement);
  #clock = byId("recording-clock", HTMLElement);
  #said = byId("capture-said", HTMLElement);
  #download = byId("recording-download", HTMLAnchorElement);
  #canvas = document.createElement("canvas");
  #recording = new Recording((recorded) => this.#ended(recorded));
  #mirrored = false;
  #shows = false;
  #isSaved = true;

  /**
   * @param {HTMLVideoElement} video the camera's picture
   * @param {Overlay} overlay draws boxes and names
   */
  constructor(video, overlay) {
    this.#video = video;
    this.#overlay = overlay;
    this.#record.addEventListener("click", () => this.#toggle());
    this.#snapshot.addEventListener("click", () => this.#take());
    this.#download.addEventListener("click", () => (this.#isSaved = true));
    document.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("beforeunload", (event) => {
      // Nobody else has it.
      if (this.#recording.running || !this.#isSaved) event.preventDefault();
    });
    setInterval(() => setText(this.#clock, clock(this.#recording.lengthMs)), CLOCK_EVERY_MS);
  }

  /** @param {boolean} mirrored */
  set mirrored(mirrored) {
    this.#mirrored = mirrored;
  }

  /** The picture is there: it can be taken, and what was paused goes on. */
  show() {
    this.#shows = true;
    this.#record.disabled = this.#snapshot.disabled = false;
    this.#recording.resume();
    if (this.#recording.running) this.#draw();
  }

  /** The picture is away for a while. */
  pause() {
    this.#shows = false;
    this.#snapshot.disabled = true;
    this.#record.disabled = !this.#recording.running;
    this.#recording.pause();
  }

  /** The camera is off. */
  close() {
    this.pause();
    this.#recording.stop();
  }

  #toggle() {
    if (this.#recording.running) return this.#recording.stop();
    if (!this.#recording.supported) {
      this.#say(
        gettext("This browser cannot record. A current Chrome, Edge, Firefox or Safari can; snapshots work here too."),
      );
      return;
    }
    this.#forget();
    this.#paint();
    this.#recording.start(this.#canvas);
    this.#sign.hidden = false;
    setText(this.#recordText, gettext("Stop recording"));
    this.#say(gettext("Recording."));
    this.#draw();
  }

  #take() {
    if (!this.#shows) return;
    this.#paint();
    this.#canvas.toBlob((blob) => {
      if (!blob) return this.#say(gettext("The browser could not make a picture."));
      const address = URL.createObjectURL(blob);
      save(address, fileName("png"));
      // The browser has begun to save by the time that it comes to this.
      setTimeout(() => URL.revokeObjectURL(address));
      this.#say(gettext("The snapshot is in your downloads."));
    }, "image/png");
  }

  /** @param {Recorded} recorded */
  #ended({ file, ending, lengthMs, reason }) {
    this.#sign.hidden = true;
    this.#record.disabled = !this.#shows;
    setText(this.#recordText, gettext("Record"));
    if (file.size === 0) return this.#say(gettext("Nothing was recorded."));
    this.#isSaved = false;
    this.#download.href = URL.createObjectURL(file);
    this.#download.download = fileName(ending);
    const values = { length: clock(lengthMs), megabytes: (file.size / 2 ** 20).toFixed(1) };
    setText(this.#download, interpolate(gettext("Download the recording (%(length)s, %(megabytes)s MB)"), values));
    this.#download.hidden = false;
    const texts = {
      asked: gettext("The recording has ended. Download it: only this page has it."),
      too_long: gettext(
        "The recording has ended by itself: it became too long. Download it: only this page has it.",
      ),
      too_large: gettext(
        "The recording has ended by itself: it became too large. Download it: only this page has it.",
      ),
      failed: gettext(
        "The browser broke the recording off. Download what there is: only this page has it.",
      ),
    };
    this.#say(texts[reason]);
  }

  /** The recording of before is gone. */
  #forget() {
    if (this.#download.href) URL.revokeObjectURL(this.#download.href);
    this.#download.removeAttribute("href");
    this.#download.hidden = true;
    this.#isSaved = true;
  }

  #draw() {
    if (!this.#recording.running || !this.#shows) return;
    this.#paint();
    requestAnimationFrame(() => this.#draw());
  }

  #paint() {
    const { videoWidth, videoHeight } = this.#video;
    // A recording keeps the size that it began with: a camera may be changed on the way.
    if (!this.#recording.running) {
      const size = fitWidth({ width: videoWidth, height: videoHeight }, MOST_WIDTH_PX);
      Object.assign(this.#canvas, size);
    }
    const { width, height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (!context) throw new Error("no 2d canvas");
    context.setTransform(this.#mirrored ? -1 : 1, 0, 0, 1, this.#mirrored ? width : 0, 0);
    context.drawImage(this.#video, 0, 0, width, height);
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.#overlay.paint(context, { width, height });
  }

  /** @param {string} text */
  #say(text) {
    setText(this.#said, text);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = event.target;
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (target instanceof Element && target.closest(OWN_LETTERS)) return;
    if (event.key === "r" && !this.#record.disabled) this.#toggle();
    if (event.key === "s" && !this.#snapshot.disabled) this.#take();
  }
}
