// @ts-check
/** The kiosk page: camera, session and screen brought together. It runs for months without anybody's help. */

import { Camera, CameraError, rememberedDevice } from "../camera.js";
import { byId, setText } from "../dom.js";
import { FrameGrabber } from "../frames.js";
import { gettext, interpolate } from "../i18n.js";
import { LiveSession, socketUrl } from "../socket.js";
import { explainCamera } from "../texts.js";
import { ScreenLock } from "../wakelock.js";
import { MessageReader } from "../wire.js";
import { Entry } from "./entry.js";
import { PROTOCOL } from "./messages.js";
import { screenOf } from "./screen.js";
import { noticeText } from "./words.js";

/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").Welcome} Welcome */

/** Reading codes needs few pictures; a hand that holds a card moves slowly. */
const CODES_EVERY_MS = 250;

/** How soon a camera that went away is asked for again. */
const CAMERA_AGAIN_MS = 10_000;

/** After an error that nobody at the kiosk can mend, the page is loaded anew. */
const RELOAD_AFTER_MS = 30_000;

/** Who is shown the last seconds should hurry; before that a number only makes nervous. */
const COUNT_DOWN_FROM_S = 5;

class KioskPage {
  #root = byId("kiosk", HTMLElement);
  #video = byId("video", HTMLVideoElement);
  #mirror = byId("mirror", HTMLElement);
  #ring = /** @type {Element} */ (document.getElementById("ring"));
  #icon = /** @type {Element} */ (document.getElementById("icon-use"));
  #headline = byId("headline", HTMLElement);
  #detail = byId("detail", HTMLElement);
  #action = byId("action", HTMLButtonElement);
  #notice = byId("notice", HTMLElement);
  #countdown = byId("countdown", HTMLElement);
  #screenLock = new ScreenLock();
  #camera = new Camera(this.#video, () => this.#cameraFailed(new CameraError("ended")));
  /** @type {import("./screen.js").Knowledge} */
  #known = {
    refused: "",
    cameraTrouble: null,
    cameraRuns: false,
    connected: false,
    wasConnected: false,
    mode: "identify",
    waitsFor: "",
    notice: PROTOCOL.notice_codes.READY,
    state: null,
    conclusion: null,
    step: "id",
  };
  #entry = new Entry({
    onBegin: () => this.#session.say({ type: "enter_id" }),
    onChange: () => this.#show(),
    onClaim: ({ external_id, pin }) => this.#session.say({ type: "claim", external_id, pin }),
    onCancel: () => this.#session.say({ type: "cancel" }),
  });
  /** @type {LiveSession<Welcome, import("./messages.js").Result, ServerMessage>} */
  #session = new LiveSession(
    socketUrl(this.#root.dataset.socketPath ?? ""),
    {
      onWelcome: (welcome) => this.#welcomed(welcome),
      onAnswer: () => this.#grabber.offer(),
      onMessage: (message) => this.#hear(message),
      onWaiting: (code) => this.#disconnected(code),
      onRefused: (code) => this.#refused(code),
    },
    new MessageReader(PROTOCOL),
  );
  #grabber = new FrameGrabber(
    this.#video,
    (nowMs) => this.#wantsFrame(nowMs),
    (frame) => this.#send(frame),
  );
  #lastFrameMs = 0;
  #cameraTimer = 0;

  constructor() {
    this.#action.addEventListener("click", () => this.#act());
    window.addEventListener("online", () => this.#session.reconnectNow());
    window.addEventListener("pagehide", () => this.#session.close());
    // A browser gives the screen lock up with a page that is hidden.
    document.addEventListener("visibilitychange", () => document.hidden || this.#screenLock.hold());
    this.#show();
    this.#session.connect();
    this.#startCamera();
    this.#screenLock.hold();
  }

  async #startCamera() {
    clearTimeout(this.#cameraTimer);
    this.#known.cameraTrouble = null;
    this.#show();
    try {
      await this.#camera.open(rememberedDevice());
    } catch (error) {
      return this.#cameraFailed(error);
    }
    this.#known.cameraRuns = true;
    this.#video.classList.toggle("mirrored", !this.#camera.facesAway);
    this.#grabber.start();
    this.#show();
  }

  /** @param {unknown} error */
  #cameraFailed(error) {
    const code = error instanceof CameraError ? error.code : "failed";
    this.#grabber.stop();
    this.#camera.close();
    this.#known.cameraRuns = false;
    this.#known.cameraTrouble = explainCamera(code, location.host);
    // What was denied stays denied until somebody changes it; a cable is put back without a word.
    if (code !== "denied" && code !== "insecure" && code !== "unsupported") {
      this.#cameraTimer = window.setTimeout(() => this.#startCamera(), CAMERA_AGAIN_MS);
    }
    this.#show();
  }

  /** @param {Welcome} welcome */
  #welcomed(welcome) {
    this.#known.connected = this.#known.wasConnected = true;
    this.#known.mode = welcome.mode;
    this.#entry.needsPin = welcome.needs_pin;
    setText(byId("name", HTMLElement), welcome.name);
    setText(byId("place", HTMLElement), welcome.place);
    this.#show();
  }

  /** @param {ServerMessage} message */
  #hear(message) {
    const known = this.#known;
    if (message.type === "state") {
      if (message.phase !== "result") known.conclusion = null;
      known.state = message;
    }
    if (message.type === "conclusion") known.conclusion = message;
    if (message.type === "notice") known.notice = message.code;
    if (message.type === "scanned") this.#entry.scanned(message.external_id);
    this.#show();
  }

  /** @param {string} [reason] error code of the connection that ended, where there is one */
  #disconnected(reason = "") {
    this.#known.connected = false;
    this.#known.waitsFor = reason;
    this.#known.state = this.#known.conclusion = null;
    this.#show();
  }

  /** @param {string} code */
  #refused(code) {
    this.#disconnected();
    this.#known.refused = code;
    this.#grabber.stop();
    this.#camera.close();
    this.#show();
    if (this.#root.dataset.action === "reload") setTimeout(() => location.reload(), RELOAD_AFTER_MS);
  }

  #act() {
    switch (this.#root.dataset.action) {
      case "start":
        return this.#startCamera();
      case "enter_id":
        return this.#session.say({ type: "enter_id" });
      case "pair":
        return location.assign(this.#root.dataset.pairUrl ?? "/");
      case "login":
        return location.assign(this.#root.dataset.loginUrl ?? "/");
      case "reload":
      case "take_over":
        return location.reload();
    }
  }

  /** @param {number} nowMs */
  #wantsFrame(nowMs) {
    const { state } = this.#known;
    if (!state || !this.#session.wantsFrame(nowMs)) return false;
    return !state.reads_codes || nowMs - this.#lastFrameMs >= CODES_EVERY_MS;
  }

  /** @param {import("../frames.js").Frame} frame */
  #send(frame) {
    if (this.#session.maxFrameBytes > 0 && frame.jpeg.size > this.#session.maxFrameBytes) {
      return this.#grabber.lowerQuality();
    }
    if (this.#session.send(frame)) this.#lastFrameMs = performance.now();
  }

  #show() {
    const known = this.#known;
    known.step = this.#entry.step;
    const shown = screenOf(known);
    const { words } = shown;
    this.#root.dataset.state = shown.state;
    this.#root.dataset.tone = words.tone;
    this.#root.dataset.action = shown.action;
    this.#icon.setAttribute("href", `#icon-${words.icon}`);
    setText(this.#headline, words.headline);
    setText(this.#detail, words.detail);
    this.#action.hidden = shown.action === "";
    setText(this.#action, shown.actionLabel);
    this.#mirror.hidden = !shown.mirror;
    this.#ring.setAttribute("stroke-dasharray", `${100 * (known.state?.progress ?? 0)} 100`);
    const notice = shown.state === "closed" || !known.connected ? "" : noticeText(known.notice);
    this.#notice.hidden = notice === "";
    setText(this.#notice, notice);
    this.#entry.listening = shown.entry || shown.action === "enter_id";
    this.#entry.show(shown.entry);
    const left = shown.state === "looking" ? (known.state?.seconds_left ?? null) : null;
    this.#countdown.hidden = left === null || left > COUNT_DOWN_FROM_S;
    setText(this.#countdown, left === null ? "" : interpolate(gettext("%(count)s s"), { count: left }));
  }
}

new KioskPage();
