// @ts-check
/** From a playing video to JPEG files: always the newest picture, one at a time. */

import { fitWidth } from "./geometry.js";

/** @typedef {import("./geometry.js").Size} Size */

/**
 * One picture of the camera as it is sent.
 * @typedef {object} Frame
 * @property {Blob} jpeg
 * @property {Size} size
 * @property {number} captureTimeMs by `performance.now()`
 */

/** Wide enough for faces at a door; wider costs link and detector time and finds no more of them. */
const DOOR_WIDTH_PX = 640;

const JPEG_QUALITY = 0.85;
const MIN_QUALITY = 0.4;

/**
 * @param {OffscreenCanvas | HTMLCanvasElement} canvas
 * @param {number} quality
 * @returns {Promise<Blob>}
 */
function toJpeg(canvas, quality) {
  if (canvas instanceof HTMLCanvasElement) {
    return new Promise((resolve, reject) => {
      const done = (/** @type {Blob | null} */ blob) => (blob ? resolve(blob) : reject(new Error("no JPEG")));
      canvas.toBlob(done, "image/jpeg", quality);
    });
  }
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}

/** Offers every new picture of a video, and encodes those that are wanted. */
export class FrameGrabber {
  #video;
  #wanted;
  #onFrame;
  #widthPx;
  #canvas;
  #quality = JPEG_QUALITY;
  /** Counts starts and stops: a callback of an earlier start finds another number and ends. */
  #run = 0;
  #running = false;
  #encoding = false;
  #lastVideoTime = -1;
  #lastPictureTaken = true;
  /** When the camera gave its last picture, by `performance.now()`. */
  lastPictureMs = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {(nowMs: number) => boolean} wanted whether a picture could be sent at once
   * @param {(frame: Frame) => void} onFrame
   * @param {number} [widthPx] that pictures have at most
   */
  constructor(video, wanted, onFrame, widthPx = DOOR_WIDTH_PX) {
    this.#video = video;
    this.#wanted = wanted;
    this.#onFrame = onFrame;
    this.#widthPx = widthPx;
    this.#canvas = "OffscreenCanvas" in window ? new OffscreenCanvas(1, 1) : document.createElement("canvas");
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#run += 1;
    this.lastPictureMs = performance.now();
    this.#awaitPicture(this.#run);
  }

  stop() {
    this.#running = false;
    this.#run += 1;
  }

  /** The server takes smaller files only: pictures get coarser until they fit. */
  lowerQuality() {
    this.#quality = Math.max(MIN_QUALITY, this.#quality * 0.8);
  }

  /** @param {number} run */
  #awaitPicture(run) {
    if ("requestVideoFrameCallback" in this.#video) {
      this.#video.requestVideoFrameCallback(() => this.#picture(run));
      return;
    }
    requestAnimationFrame(() => {
      const time = /** @type {HTMLVideoElement} */ (this.#video).currentTime;
      if (time === this.#lastVideoTime && run === this.#run) return this.#awaitPicture(run);
      this.#lastVideoTime = time;
      this.#picture(run);
    });
  }

  /** @param {number} run */
  #picture(run) {
    if (run !== this.#run) return;
    this.lastPictureMs = performance.now();
    this.#lastPictureTaken = false;
    this.offer();
    this.#awaitPicture(run);
  }

  /**
   * Takes the newest picture if it is wanted and was not taken yet.
   *
   * Called for every new picture, and again when the server is free: waiting for the camera's next
   * picture then would leave the server idle for up to a thirtieth of a second.
   */
  offer() {
    if (!this.#running || this.#lastPictureTaken || this.#encoding || this.#video.videoWidth === 0) return;
    if (!this.#wanted(performance.now())) return;
    this.#lastPictureTaken = true;
    this.#encode(this.lastPictureMs);
  }

  /** @param {number} captureTimeMs */
  async #encode(captureTimeMs) {
    this.#encoding = true;
    try {
      const size = fitWidth({ width: this.#video.videoWidth, height: this.#video.videoHeight }, this.#widthPx);
      this.#draw(size);
      const jpeg = await toJpeg(this.#canvas, this.#quality);
      if (this.#running) this.#onFrame({ jpeg, size, captureTimeMs });
    } finally {
      this.#encoding = false;
    }
    this.offer();
  }

  /** @param {Size} size */
  #draw(size) {
    // Setting a canvas's size clears and reallocates it, so only when the camera's shape changed.
    if (this.#canvas.width !== size.width) this.#canvas.width = size.width;
    if (this.#canvas.height !== size.height) this.#canvas.height = size.height;
    const context = /** @type {OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D | null} */ (
      this.#canvas.getContext("2d", { alpha: false })
    );
    if (!context) throw new Error("no 2d canvas");
    context.drawImage(this.#video, 0, 0, size.width, size.height);
  }
}
