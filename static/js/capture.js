// @ts-check
/**
 * Capture of a data set: takes pictures of whoever sits before the camera, and packs them into folders.
 *
 * The server judges each picture by the gates that refuse samples and aligns the face of a good one; both stay here.
 */

import { Camera, CameraError, cameraObstacle, rememberedDevice } from "./camera.js";
import { byId, make, setText } from "./dom.js";
import { FrameGrabber } from "./frames.js";
import { gettext, interpolate, ngettext } from "./i18n.js";
import { judged, NotJudged, Panel } from "./judging.js";
import { explainCamera } from "./texts.js";
import { packed } from "./zip.js";

/** @typedef {import("./texts.js").Explanation} Explanation */

/** Pictures that are not good: asked again so soon. */
const LOOK_EVERY_MS = 200;

/** Two pictures of one moment are one: a head turns a little in this time. */
const TAKE_EVERY_MS = 600;

/** Advice changes no more often than this: it is read aloud. */
const ADVICE_EVERY_MS = 1000;

/** Wide enough for a face of some hundred pixels. */
const WIDTH_PX = 1280;

/** More pictures at once are a film; they would fill the memory of a phone. */
const MOST_PICTURES = 500;

/** How long a browser may take to begin a download. */
const KEPT_MS = 60_000;

/** The newest pictures are shown. */
const SHOWN = 12;

/**
 * @typedef {object} Answer
 * @property {string} advice code
 * @property {string} sentence
 * @property {string} folder that pictures of this name belong into
 * @property {string} aligned JPEG in base64; empty of a picture that is not good
 */

/**
 * @typedef {object} Picture
 * @property {string} folder
 * @property {Blob} original
 * @property {Blob} aligned
 */

class CapturePage {
  #root = byId("capture", HTMLElement);
  #video = byId("capture-video", HTMLVideoElement);
  #label = byId("id_label", HTMLInputElement);
  #toggle = byId("capture-toggle", HTMLButtonElement);
  #download = byId("capture-download", HTMLButtonElement);
  #discard = byId("capture-discard", HTMLButtonElement);
  #advice = byId("capture-advice", HTMLElement);
  #list = byId("capture-pictures", HTMLElement);
  #panel = new Panel("capture", () => this.#start());
  #camera = new Camera(this.#video, () => this.#failed(explainCamera("ended", location.host)));
  #grabber = new FrameGrabber(
    this.#video,
    (nowMs) => !this.#waiting && nowMs >= this.#nextMs,
    (frame) => this.#look(frame.jpeg),
    WIDTH_PX,
  );
  /** @type {Picture[]} */
  #pictures = [];
  #saved = true;
  #waiting = false;
  #nextMs = 0;
  #saidMs = -Infinity;
  /** Counts starts and stops: an answer to an earlier one is late. */
  #attempt = 0;

  constructor() {
    this.#toggle.addEventListener("click", () => (this.#isOn() ? this.#pause() : this.#start()));
    this.#label.addEventListener("keydown", (event) => event.key === "Enter" && !this.#isOn() && this.#start());
    this.#label.addEventListener("input", () => this.#isOn() && this.#pause(gettext("Paused: the name changed. Start again for the new one.")));
    this.#download.addEventListener("click", () => this.#save());
    this.#discard.addEventListener("click", () => this.#forget());
    document.addEventListener("visibilitychange", () => document.hidden && this.#isOn() && this.#pause());
    window.addEventListener("pagehide", () => this.#close());
    window.addEventListener("beforeunload", (event) => this.#saved || event.preventDefault());
    const obstacle = cameraObstacle();
    if (obstacle) return this.#failed(explainCamera(obstacle, location.host));
    // Disabled as it comes: a click before anybody listens would be lost.
    this.#toggle.disabled = false;
    if (document.activeElement === document.body) this.#label.focus();
  }

  async #start() {
    const isNamed = this.#label.value.trim() !== "";
    setText(byId("capture-label-error", HTMLElement), isNamed ? "" : gettext("Name the person first: the pictures go into a folder of that name."));
    if (!isNamed) return this.#label.focus();
    const attempt = ++this.#attempt;
    this.#panel.hide();
    this.#enter("asking");
    this.#say(gettext("Allow the camera: answer the browser's question at the top of the window."));
    try {
      await this.#camera.open(rememberedDevice());
    } catch (error) {
      if (attempt === this.#attempt) {
        this.#failed(explainCamera(error instanceof CameraError ? error.code : "failed", location.host));
      }
      return;
    }
    if (attempt !== this.#attempt) {
      if (!this.#isOn()) this.#camera.close();
      return;
    }
    this.#video.classList.toggle("is-mirrored", !this.#camera.facesAway);
    this.#enter("running");
    this.#waiting = false;
    this.#nextMs = 0;
    this.#grabber.start();
    this.#say(gettext("Look around slowly. Every good picture is taken."));
  }

  /** @param {string} [text] why */
  #pause(text = gettext("Paused. The camera is off.")) {
    this.#close();
    this.#enter("paused");
    this.#say(text);
  }

  #close() {
    this.#attempt += 1;
    this.#grabber.stop();
    this.#camera.close();
  }

  #isOn() {
    return ["asking", "running"].includes(this.#root.dataset.state ?? "");
  }

  /** @param {"asking" | "running" | "paused" | "error"} state */
  #enter(state) {
    this.#root.dataset.state = state;
    this.#root.dataset.advice = "";
    setText(this.#toggle, this.#isOn() ? gettext("Pause") : gettext("Start"));
  }

  /** @param {Blob} jpeg */
  async #look(jpeg) {
    if (this.#waiting || this.#root.dataset.state !== "running") return;
    this.#waiting = true;
    this.#nextMs = performance.now() + LOOK_EVERY_MS;
    const attempt = this.#attempt;
    const answer = await this.#ask(jpeg, attempt);
    if (!answer || attempt !== this.#attempt) return;
    this.#waiting = false;
    this.#root.dataset.advice = answer.advice;
    if (answer.aligned) this.#take(jpeg, answer);
    else this.#say(answer.sentence, ADVICE_EVERY_MS);
  }

  /**
   * @param {Blob} jpeg
   * @param {Answer} answer
   */
  #take(jpeg, answer) {
    const bytes = Uint8Array.from(atob(answer.aligned), (character) => character.charCodeAt(0));
    const aligned = new Blob([bytes], { type: "image/jpeg" });
    this.#nextMs = performance.now() + TAKE_EVERY_MS;
    this.#pictures.push({ folder: answer.folder, original: jpeg, aligned });
    this.#saved = false;
    this.#show(aligned);
    this.#say(answer.sentence, ADVICE_EVERY_MS);
    if (this.#pictures.length >= MOST_PICTURES) {
      this.#pause(interpolate(gettext("%(count)s pictures are taken. Download them, then go on."), { count: String(MOST_PICTURES) }));
    }
  }

  /** @param {Blob} [aligned] the newest picture; none after all were discarded */
  #show(aligned) {
    const count = this.#pictures.length;
    if (aligned) {
      const image = new Image(112, 112);
      image.className = "faceweb-thumbnail";
      image.alt = interpolate(gettext("Picture %(number)s"), { number: String(count) });
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      image.src = URL.createObjectURL(aligned);
      const item = make("li", "");
      item.append(image);
      this.#list.prepend(item);
      while (this.#list.childElementCount > SHOWN) this.#list.lastElementChild?.remove();
    } else {
      this.#list.replaceChildren();
    }
    const text = ngettext("%(count)s picture", "%(count)s pictures", count);
    setText(byId("capture-count", HTMLElement), count ? interpolate(text, { count: String(count) }) : gettext("No pictures yet"));
    this.#download.disabled = this.#discard.disabled = count === 0;
  }

  async #save() {
    if (this.#isOn()) this.#pause();
    /** @type {Map<string, number>} */
    const numbers = new Map();
    const files = this.#pictures.flatMap(({ folder, original, aligned }) => {
      const number = (numbers.get(folder) ?? 0) + 1;
      numbers.set(folder, number);
      const name = `${String(number).padStart(4, "0")}.jpg`;
      return [
        { path: `${folder}/originals/${name}`, file: original },
        { path: `${folder}/aligned/${name}`, file: aligned },
      ];
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await packed(files));
    link.download = "dataset.zip";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
    this.#saved = true;
    this.#say(gettext("Downloaded. The pictures are still here until you discard them or leave."));
  }

  #forget() {
    this.#pictures = [];
    this.#saved = true;
    this.#show();
    this.#say(gettext("All pictures are discarded."));
    this.#label.focus();
  }

  /**
   * @param {Blob} jpeg
   * @param {number} attempt of which a failure is told
   * @returns {Promise<Answer | null>} null after a failure, which the page shows then
   */
  async #ask(jpeg, attempt) {
    const body = new FormData();
    body.append("frame", jpeg, "frame.jpg");
    body.append("label", this.#label.value);
    try {
      return await judged(this.#root, this.#root.dataset.frameUrl ?? "", body, { loggedOut: LOGGED_OUT, refused: REFUSED });
    } catch (error) {
      if (!(error instanceof NotJudged)) throw error;
      if (attempt === this.#attempt) this.#failed(error.explanation);
      return null;
    }
  }

  /** @param {Explanation} explanation */
  #failed(explanation) {
    this.#close();
    this.#enter("error");
    this.#toggle.disabled = explanation.action !== "retry";
    this.#say("");
    this.#panel.show(explanation);
  }

  /**
   * @param {string} text
   * @param {number} [notWithinMs] of what was said last
   */
  #say(text, notWithinMs = 0) {
    if (performance.now() - this.#saidMs < notWithinMs) return;
    if (this.#advice.textContent !== text) this.#saidMs = performance.now();
    setText(this.#advice, text);
  }
}

/** @type {Explanation} */
const LOGGED_OUT = {
  title: gettext("You are logged out"),
  advice: gettext("Download the pictures first, if there are any: they are only in this page. Then log in again in another tab."),
  action: "retry",
};

/** @type {Explanation} */
const REFUSED = {
  title: gettext("The server did not take the picture"),
  advice: gettext("The name is too long, or the server met an error. Change the name, or try again."),
  action: "retry",
};

new CapturePage();
