// @ts-check
/** The live page: camera, session and display brought together. */

import { AlertBanner } from "./alerts.js";
import { Camera, CameraError, cameraObstacle, rememberDevice, rememberedDevice } from "./camera.js";
import { Capture } from "./viewcapture.js";
import { CameraChooser, MirrorSwitch } from "./chooser.js";
import { DecisionStrip } from "./decisions.js";
import { byId } from "./dom.js";
import { FrameGrabber } from "./frames.js";
import { Health, STALE_MS } from "./health.js";
import { gettext } from "./i18n.js";
import { InView } from "./inview.js";
import { PROTOCOL } from "./messages.js";
import { Overlay } from "./overlay.js";
import { LiveSession, socketUrl } from "./socket.js";
import { Stage } from "./stage.js";
import { explainCamera, explainRefusal, explainWaiting, noticeText } from "./texts.js";
import { ScreenLock } from "./wakelock.js";

/** @typedef {import("./socket.js").Answer} Answer */

const HEALTH_EVERY_MS = 500;

/** How long results must have been fresh until the warning goes: it must not flicker at one frame a second. */
const TRUSTED_AFTER_MS = 3000;

/** Controls that use the space bar themselves. */
const OWN_SPACE = "a, button, input, select, textarea, summary, [contenteditable]";

class LivePage {
  #root = byId("live", HTMLElement);
  #video = byId("video", HTMLVideoElement);
  #stageBox = byId("stage", HTMLElement);
  #stage = new Stage((kind) => this.#act(kind));
  #overlay = new Overlay(byId("overlay", HTMLCanvasElement));
  #inView = new InView(byId("in-view", HTMLElement), byId("in-view-empty", HTMLElement));
  #decisions = new DecisionStrip(
    byId("decisions", HTMLElement),
    byId("decisions-empty", HTMLElement),
    byId("announcer", HTMLElement),
    this.#root.dataset.cropUrl ?? "",
  );
  #health = new Health({
    sent: byId("health-sent", HTMLElement),
    analysed: byId("health-analysed", HTMLElement),
    roundTrip: byId("health-round-trip", HTMLElement),
    worker: byId("health-worker", HTMLElement),
    dropped: byId("health-dropped", HTMLElement),
  });
  #camera = new Camera(this.#video, () => this.#cameraFailed(new CameraError("ended")));
  #chooser = new CameraChooser(byId("camera", HTMLSelectElement), (id) => this.#choose(id));
  /** Only on the page of who may record it. */
  #capture = document.getElementById("capture") ? new Capture(this.#video, this.#overlay) : null;
  #mirror = new MirrorSwitch(byId("mirror", HTMLInputElement), (mirrored) => {
    this.#video.classList.toggle("mirrored", mirrored);
    this.#overlay.mirrored = mirrored;
    if (this.#capture) this.#capture.mirrored = mirrored;
  });
  #alerts = new AlertBanner(byId("alert", HTMLElement), this.#root.dataset.eventUrl ?? "");
  #screenLock = new ScreenLock();
  /** @type {LiveSession | null} */
  #session = null;
  #grabber = new FrameGrabber(
    this.#video,
    (nowMs) => this.#session?.wantsFrame(nowMs) ?? false,
    (frame) => this.#send(frame),
  );
  #staleSeenMs = -Infinity;
  /** Counts starts and stops, so that an answer to an earlier start is recognised as late. */
  #attempt = 0;

  constructor() {
    const toggle = byId("toggle", HTMLButtonElement);
    toggle.addEventListener("click", () => this.#toggle());
    // Disabled as it comes: a click before anybody listens would be lost.
    toggle.disabled = false;
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => this.#visibility());
    window.addEventListener("online", () => this.#session?.reconnectNow());
    window.addEventListener("pagehide", () => this.#stop());
    this.#video.addEventListener("resize", () => this.#shape());
    setInterval(() => this.#tick(), HEALTH_EVERY_MS);
    this.#stage.enter("idle");
    const obstacle = cameraObstacle();
    if (obstacle) {
      this.#cameraFailed(new CameraError(obstacle));
      return;
    }
    navigator.mediaDevices.addEventListener("devicechange", () => this.#listCameras());
    this.#listCameras();
  }

  #toggle() {
    if (this.#stage.stoppable) this.#stop();
    else this.#start();
  }

  /** @param {import("./texts.js").Explanation["action"] | "start"} kind */
  #act(kind) {
    if (kind === "login") location.assign(this.#root.dataset.loginUrl ?? "/");
    else if (kind === "reload") location.reload();
    else this.#start();
  }

  async #start() {
    const attempt = ++this.#attempt;
    this.#stage.enter("asking");
    if (!(await this.#openCamera(rememberedDevice(), attempt))) return;
    this.#stage.enter("connecting");
    this.#session = new LiveSession(socketUrl(this.#root.dataset.socketPath ?? "/ws/live/"), {
      onWelcome: (welcome) => {
        this.#inView.votesNeeded = welcome.votes_needed;
        this.#run();
      },
      onAnswer: (answer) => this.#show(answer),
      onMessage: (message) => this.#hear(message),
      onWaiting: (code) => this.#halt("reconnecting", explainWaiting(code)),
      onRefused: (code) => {
        this.#close();
        this.#stage.enter("error", explainRefusal(code));
      },
    });
    this.#session.connect();
  }

  /** @param {import("./messages.js").ServerMessage} message */
  #hear(message) {
    if (message.type === "decision") this.#decisions.add(message);
    if (message.type === "alert") this.#alerts.show(message);
    if (message.type !== "notice") return;
    this.#stage.notice = noticeText(message.code);
    const decides = message.code !== PROTOCOL.notice_codes.PACK_WITHOUT_THRESHOLDS;
    this.#overlay.decides = this.#inView.decides = decides;
  }

  #stop() {
    if (!this.#stage.stoppable) return;
    this.#close();
    this.#stage.enter("stopped");
  }

  /** Ends everything that the page holds: camera, session, screen lock. */
  #close() {
    this.#attempt += 1;
    this.#grabber.stop();
    this.#capture?.close();
    this.#session?.close();
    this.#session = null;
    this.#camera.close();
    this.#screenLock.release();
    this.#stage.notice = "";
    this.#clear();
  }

  /** The server is ready: pictures go out, unless nobody looks at the page. */
  #run() {
    if (document.hidden) return this.#halt("paused");
    this.#health.begin(performance.now());
    this.#stage.enter("running");
    this.#grabber.start();
    this.#capture?.show();
    this.#screenLock.hold();
  }

  /**
   * @param {"paused" | "reconnecting"} state
   * @param {import("./texts.js").Explanation} [explanation] why, where that is known
   */
  #halt(state, explanation) {
    this.#grabber.stop();
    this.#capture?.pause();
    this.#clear();
    this.#stage.enter(state, explanation);
  }

  #clear() {
    this.#overlay.clear();
    this.#inView.show([]);
  }

  #visibility() {
    if (document.hidden && this.#stage.state === "running") this.#halt("paused");
    else if (!document.hidden && this.#stage.state === "paused") this.#run();
  }

  /**
   * @param {string | null} deviceId
   * @param {number} attempt
   * @returns {Promise<boolean>} false when it failed, or was stopped meanwhile
   */
  async #openCamera(deviceId, attempt) {
    try {
      await this.#camera.open(deviceId);
    } catch (error) {
      if (attempt === this.#attempt) this.#cameraFailed(error);
      return false;
    }
    if (attempt !== this.#attempt) {
      // Another start may own the camera by now; only a stop leaves it to be closed here.
      if (!this.#stage.stoppable) this.#camera.close();
      return false;
    }
    this.#mirror.suggest(this.#camera.facesAway);
    this.#listCameras();
    return true;
  }

  /** @param {string} deviceId */
  async #choose(deviceId) {
    rememberDevice(deviceId);
    if (this.#stage.stoppable) await this.#openCamera(deviceId, this.#attempt);
  }

  #listCameras() {
    this.#chooser.refresh(this.#camera.deviceId).catch((error) => this.#cameraFailed(error));
  }

  /** @param {unknown} error */
  #cameraFailed(error) {
    const code = error instanceof CameraError ? error.code : "failed";
    this.#close();
    this.#stage.enter("error", explainCamera(code, location.host));
  }

  /** @param {import("./frames.js").Frame} frame */
  #send(frame) {
    const session = this.#session;
    if (!session) return;
    if (session.maxFrameBytes > 0 && frame.jpeg.size > session.maxFrameBytes) return this.#grabber.lowerQuality();
    if (session.send(frame)) this.#health.frameSent(performance.now());
  }

  /** @param {Answer} answer */
  #show(answer) {
    this.#health.answered(answer, performance.now());
    this.#grabber.offer();
    if (this.#stage.state !== "running" || answer.result.status !== "analysed") return;
    this.#overlay.show(answer.result.faces, answer.size);
    this.#inView.show(answer.result.faces);
  }

  #tick() {
    const now = performance.now();
    this.#health.show(now);
    if (this.#stage.state !== "running") return;
    if (this.#health.ageMs(now) <= STALE_MS) {
      if (now - this.#staleSeenMs > TRUSTED_AFTER_MS) this.#stage.stale = "";
      return;
    }
    this.#staleSeenMs = now;
    // Old boxes on a new picture would name the wrong person.
    this.#clear();
    const cameraStands = now - this.#grabber.lastPictureMs > STALE_MS;
    this.#stage.stale = cameraStands
      ? gettext("The camera delivers no new pictures. Do not rely on this view.")
      : gettext("Results are more than one second old. Do not rely on this view.");
  }

  #shape() {
    const { videoWidth, videoHeight } = this.#video;
    if (videoWidth > 0) this.#stageBox.style.setProperty("--picture-ratio", String(videoWidth / videoHeight));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = event.target;
    if (event.key !== " " || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (target instanceof Element && target.closest(OWN_SPACE)) return;
    event.preventDefault();
    this.#toggle();
  }
}

new LivePage();
