// @ts-check
/**
 * Guided enrolment: shows the camera and asks for one pose after the other.
 *
 * The server judges each picture by the gates that refuse samples, and takes the very picture that is good. The next
 * one is sent when the answer is there, so a slow server is never flooded.
 */

import { Camera, CameraError, cameraObstacle, rememberedDevice } from "./camera.js";
import { byId, setText } from "./dom.js";
import { FrameGrabber } from "./frames.js";
import { GuidedSlots } from "./guidedslots.js";
import { gettext } from "./i18n.js";
import { judged, NotJudged, Panel } from "./judging.js";
import { explainCamera } from "./texts.js";

/** @typedef {import("./texts.js").Explanation} Explanation */
/** @typedef {import("./guidedslots.js").Slot} Slot */

/** More pictures a second show nobody more, and a head takes longer to turn. */
const FRAME_EVERY_MS = 200;

/** Advice changes no more often than this: it is read aloud. */
const ADVICE_EVERY_MS = 1000;

/**
 * @typedef {object} Answer
 * @property {string} advice code
 * @property {string} sentence
 * @property {string} box where the face was; empty without one
 * @property {Slot[] | null} slots all poses, when one of them was taken
 */

class GuidedPage {
  #root = byId("guided", HTMLElement);
  #video = byId("guided-video", HTMLVideoElement);
  #toggle = byId("guided-toggle", HTMLButtonElement);
  #skip = byId("guided-skip", HTMLButtonElement);
  #instruction = byId("guided-instruction", HTMLElement);
  #advice = byId("guided-advice", HTMLElement);
  #panel = new Panel("guided", () => this.#start());
  #slots = new GuidedSlots(byId("guided-slots", HTMLElement), this.#root.dataset.retakeUrl ? (pose) => this.#retake(pose) : null);
  #camera = new Camera(this.#video, () => this.#failed(explainCamera("ended", location.host)));
  #grabber = new FrameGrabber(
    this.#video,
    (nowMs) => !this.#waiting && nowMs - this.#sentMs >= FRAME_EVERY_MS,
    (frame) => this.#look(frame.jpeg),
  );
  #waiting = false;
  #sentMs = -Infinity;
  #before = "";
  #saidMs = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #toSay;
  /** Counts starts, stops and changes of the pose: an answer to an earlier one is late. */
  #attempt = 0;

  constructor() {
    this.#slots.show(JSON.parse(byId("guided-slots-data", HTMLScriptElement).textContent ?? "[]"));
    this.#toggle.addEventListener("click", () => (this.#isOn() ? this.#pause() : this.#start()));
    this.#skip.addEventListener("click", () => this.#skipPose());
    document.addEventListener("visibilitychange", () => document.hidden && this.#isOn() && this.#pause());
    window.addEventListener("pagehide", () => this.#close());
    const obstacle = cameraObstacle();
    if (obstacle) return this.#failed(explainCamera(obstacle, location.host));
    if (this.#slots.isComplete) this.#finish();
    // Disabled as it comes: a click before anybody listens would be lost.
    this.#toggle.disabled = this.#slots.isComplete;
    if (document.activeElement === document.body) this.#toggle.focus();
  }

  async #start() {
    const attempt = ++this.#attempt;
    this.#panel.hide();
    this.#slots.forgetSkipped();
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
    this.#grabber.start();
    this.#next("");
  }

  /** @param {string} [text] why */
  #pause(text = gettext("Paused. The camera is off.")) {
    this.#close();
    this.#enter("paused");
    setText(this.#instruction, gettext("Paused"));
    this.#say(text);
  }

  #close() {
    this.#attempt += 1;
    this.#grabber.stop();
    this.#camera.close();
    this.#slots.wanted = "";
  }

  #isOn() {
    return ["asking", "running"].includes(this.#root.dataset.state ?? "");
  }

  /** @param {"asking" | "running" | "paused" | "done" | "error"} state */
  #enter(state) {
    this.#root.dataset.state = state;
    this.#root.dataset.advice = "";
    setText(this.#toggle, this.#isOn() ? gettext("Pause") : gettext("Start"));
    this.#toggle.disabled = state === "done";
    this.#skip.disabled = state !== "running";
  }

  /**
   * Asks for the next pose that has no picture.
   *
   * @param {string} before what to say first
   */
  #next(before) {
    this.#attempt += 1;
    this.#waiting = false;
    this.#before = "";
    if (this.#slots.isComplete) return this.#finish();
    const slot = this.#slots.next();
    if (!slot) return this.#pause(gettext("Every other pose was skipped. Start again to take them."));
    this.#slots.wanted = slot.pose;
    setText(this.#instruction, slot.instruction);
    this.#say(`${before} ${slot.instruction}.`.trim());
  }

  #skipPose() {
    this.#slots.skip();
    this.#next("");
  }

  #finish() {
    this.#close();
    this.#enter("done");
    setText(this.#instruction, gettext("The set is complete"));
    this.#say(gettext("All five pictures are taken. Look at them below; retake any that is not good."));
  }

  /** @param {Blob} jpeg */
  async #look(jpeg) {
    if (this.#waiting || this.#root.dataset.state !== "running") return;
    this.#waiting = true;
    this.#sentMs = performance.now();
    const attempt = this.#attempt;
    const body = new FormData();
    body.append("frame", jpeg, "frame.jpg");
    body.append("pose", this.#slots.wanted);
    body.append("before", this.#before);
    /** @type {Answer | null} */
    const answer = await this.#post(this.#root.dataset.frameUrl ?? "", body, attempt);
    if (answer?.slots) this.#slots.show(answer.slots);
    if (!answer || attempt !== this.#attempt) return;
    this.#waiting = false;
    this.#before = answer.box;
    this.#root.dataset.advice = answer.advice;
    if (answer.slots) this.#next(answer.sentence);
    else this.#say(answer.sentence, ADVICE_EVERY_MS);
  }

  /** @param {string} pose */
  async #retake(pose) {
    const body = new FormData();
    body.append("pose", pose);
    const answer = await this.#post(this.#root.dataset.retakeUrl ?? "", body, null);
    if (!answer) return;
    this.#slots.show(answer.slots);
    if (this.#root.dataset.state === "running") this.#next("");
    else this.#start();
    this.#toggle.focus();
  }

  /**
   * @param {string} address
   * @param {FormData} body
   * @param {number | null} attempt of which a failure is told; null is told always
   * @returns {Promise<any>} null after a failure, which the page shows then
   */
  async #post(address, body, attempt) {
    try {
      return await judged(this.#root, address, body, { loggedOut: LOGGED_OUT, refused: REFUSED });
    } catch (error) {
      if (!(error instanceof NotJudged)) throw error;
      if (attempt === null || attempt === this.#attempt) this.#failed(error.explanation);
      return null;
    }
  }

  /** @param {Explanation} explanation */
  #failed(explanation) {
    this.#close();
    this.#enter("error");
    this.#toggle.disabled = explanation.action !== "retry";
    setText(this.#instruction, gettext("Needs attention"));
    this.#say("");
    this.#panel.show(explanation);
  }

  /**
   * @param {string} text
   * @param {number} [notWithinMs] of what was said last; the newest text is said then
   */
  #say(text, notWithinMs = 0) {
    clearTimeout(this.#toSay);
    const waitMs = this.#saidMs + notWithinMs - performance.now();
    if (waitMs > 0) {
      this.#toSay = setTimeout(() => this.#say(text), waitMs);
      return;
    }
    if (this.#advice.textContent !== text) this.#saidMs = performance.now();
    setText(this.#advice, text);
  }
}

/** @type {Explanation} */
const LOGGED_OUT = {
  title: gettext("You are logged out"),
  advice: gettext("You are logged out, or may not enrol any more. Reload the page."),
  action: "reload",
};

/** @type {Explanation} */
const REFUSED = {
  title: gettext("The server did not take the picture"),
  advice: gettext("The person was removed or merged meanwhile, or the server met an error. Reload the page."),
  action: "reload",
};

new GuidedPage();
