// @ts-check
/** A view as a video file, made in the browser: nothing of it is sent anywhere. */

/** Whoever forgets a recording finds it ended, with what it has. */
export const MOST_MS = 20 * 60 * 1000;
/** The browser holds it until it is downloaded. */
export const MOST_BYTES = 400 * 2 ** 20;

const FRAMES_A_SECOND = 30;
/** So that `MOST_MS` are a little less than `MOST_BYTES`. */
const BITS_A_SECOND = 2_500_000;
/** How much is lost where the browser dies, and how often it is looked how much there is. */
const CHUNK_MS = 1000;

/** VP8 first, which costs the processor least; Safari writes MP4. */
const KINDS = ["video/webm;codecs=vp8", "video/webm", "video/mp4"];

/** @typedef {"asked" | "too_long" | "too_large" | "failed"} EndReason */

/**
 * @typedef {object} Recorded
 * @property {Blob} file
 * @property {string} ending of its name
 * @property {number} lengthMs
 * @property {EndReason} reason why it ended
 */

/** @returns {string} the kind of file that this browser writes; empty where it writes none */
function kindOfFile() {
  if (typeof MediaRecorder === "undefined") return "";
  if (!("captureStream" in HTMLCanvasElement.prototype)) return "";
  return KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)) ?? "";
}

/** One recording of a canvas after the other. */
export class Recording {
  #onEnd;
  #kind = kindOfFile();
  /** @type {MediaRecorder | null} */
  #recorder = null;
  /** @type {Blob[]} */
  #chunks = [];
  #bytes = 0;
  #lengthMs = 0;
  #sinceMs = 0;
  /** @type {EndReason} */
  #reason = "asked";

  /** @param {(recorded: Recorded) => void} onEnd gets what was recorded, however it ended */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  get supported() {
    return this.#kind !== "";
  }

  get running() {
    return this.#recorder !== null;
  }

  /** @returns {number} how long it is, without pauses */
  get lengthMs() {
    const isRecording = this.#recorder?.state === "recording";
    return this.#lengthMs + (isRecording ? performance.now() - this.#sinceMs : 0);
  }

  /** @param {HTMLCanvasElement} canvas what to record, as it is drawn from now on */
  start(canvas) {
    if (this.#recorder || !this.supported) return;
    this.#chunks = [];
    this.#bytes = this.#lengthMs = 0;
    this.#reason = "asked";
    const stream = canvas.captureStream(FRAMES_A_SECOND);
    const recorder = new MediaRecorder(stream, { mimeType: this.#kind, videoBitsPerSecond: BITS_A_SECOND });
    recorder.addEventListener("dataavailable", ({ data }) => this.#keep(data));
    recorder.addEventListener("error", () => this.stop("failed"));
    recorder.addEventListener("stop", () => {
      stream.getTracks().forEach((track) => track.stop());
      this.#end();
    });
    this.#recorder = recorder;
    this.#sinceMs = performance.now();
    recorder.start(CHUNK_MS);
  }

  /** What is not shown is not recorded. */
  pause() {
    if (this.#recorder?.state !== "recording") return;
    this.#lengthMs = this.lengthMs;
    this.#recorder.pause();
  }

  resume() {
    if (this.#recorder?.state !== "paused") return;
    this.#sinceMs = performance.now();
    this.#recorder.resume();
  }

  /** @param {EndReason} [reason] */
  stop(reason = "asked") {
    if (!this.#recorder || this.#recorder.state === "inactive") return;
    this.#lengthMs = this.lengthMs;
    this.#reason = reason;
    this.#recorder.stop();
  }

  /** @param {Blob} chunk */
  #keep(chunk) {
    this.#chunks.push(chunk);
    this.#bytes += chunk.size;
    if (this.#bytes >= MOST_BYTES) this.stop("too_large");
    else if (this.lengthMs >= MOST_MS) this.stop("too_long");
  }

  #end() {
    const file = new Blob(this.#chunks, { type: this.#kind });
    const ending = this.#kind.startsWith("video/mp4") ? "mp4" : "webm";
    this.#recorder = null;
    this.#chunks = [];
    this.#onEnd({ file, ending, lengthMs: this.#lengthMs, reason: this.#reason });
  }
}
