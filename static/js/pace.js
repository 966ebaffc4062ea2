// @ts-check
/** How fast to send and how long to wait: arithmetic only, every clock reading is passed in. */

export const MIN_FPS = 1;
export const MAX_FPS = 30;

/** Weight of the newest round trip in the smoothed one: about the last ten results count. */
const SMOOTHING = 0.2;

/** Above this round trip (ms) the page leaves the server pauses, not only the next free place. */
const SLOW_ROUND_TRIP_MS = 250;

/** How much one frame that was not analysed takes from the rate, and one analysed gives back. */
const DROP_FACTOR = 0.85;
const RECOVER_FACTOR = 1.03;
const MIN_EASE = 0.1;

/** A camera's frames jitter; one that comes this much (ms) early is taken, not the one after it. */
const DUE_TOLERANCE_MS = 8;

/** The rate at which frames are offered to the server, between 1 and 30 a second. */
export class Pace {
  #smoothedMs = 0;
  #ease = 1;
  #window = 1;
  #nextDueMs = 0;

  /** @returns {number} the smoothed round trip in ms, 0 before the first result */
  get roundTripMs() {
    return this.#smoothedMs;
  }

  /** @returns {number} frames per second */
  get targetFps() {
    if (this.#smoothedMs === 0) return MAX_FPS;
    const capacity = (this.#window * 1000) / this.#smoothedMs;
    const pause = Math.min(1, SLOW_ROUND_TRIP_MS / this.#smoothedMs);
    return Math.min(MAX_FPS, Math.max(MIN_FPS, capacity * pause * this.#ease));
  }

  /**
   * Learns from one result.
   *
   * @param {number} roundTripMs from sending the frame to its result
   * @param {boolean} analysed false where the server took a newer frame instead, or failed
   * @param {number} window frames in flight that the server allows
   */
  learn(roundTripMs, analysed, window) {
    this.#window = window;
    if (!analysed) {
      this.#ease = Math.max(MIN_EASE, this.#ease * DROP_FACTOR);
      return;
    }
    this.#ease = Math.min(1, this.#ease * RECOVER_FACTOR);
    this.#smoothedMs =
      this.#smoothedMs === 0 ? roundTripMs : this.#smoothedMs + SMOOTHING * (roundTripMs - this.#smoothedMs);
  }

  /**
   * Whether a frame that is there now should be sent.
   *
   * @param {number} nowMs
   * @returns {boolean}
   */
  isDue(nowMs) {
    return nowMs + DUE_TOLERANCE_MS >= this.#nextDueMs;
  }

  /** @param {number} nowMs when a frame was taken */
  taken(nowMs) {
    // Counting on from the due time keeps the average rate; after a pause nothing is caught up.
    this.#nextDueMs = Math.max(this.#nextDueMs, nowMs - DUE_TOLERANCE_MS) + 1000 / this.targetFps;
  }
}

const FIRST_DELAY_MS = 1000;
export const MIN_DELAY_MS = 500;
export const MAX_DELAY_MS = 10_000;

/** An overloaded server is left alone as long as one that failed this many times. */
export const OVERLOADED_HEAD_START = 2;

/** Waiting times between attempts to reconnect: doubling, each cut at random by up to a half. */
export class Backoff {
  #attempts = 0;
  #random;

  /** @param {() => number} random a number in [0, 1) */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /**
   * @param {number} headStart attempts to count as already failed
   * @returns {number} ms to wait before the next attempt
   */
  next(headStart = 0) {
    this.#attempts = Math.max(this.#attempts, headStart);
    const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    // The random half keeps a hundred pages from coming back in the same moment after a restart.
    return Math.max(MIN_DELAY_MS, (full / 2) * (1 + this.#random()));
  }

  /** A connection worked: the next failure starts from the beginning. */
  reset() {
    this.#attempts = 0;
  }
}

/** Events per second over a sliding time. */
export class RateMeter {
  /** @type {number[]} */
  #timesMs = [];
  #spanMs;

  /** @param {number} spanMs */
  constructor(spanMs = 2000) {
    this.#spanMs = spanMs;
  }

  /** @param {number} nowMs */
  count(nowMs) {
    this.#timesMs.push(nowMs);
    this.#forget(nowMs);
  }

  /**
   * @param {number} nowMs
   * @returns {number}
   */
  perSecond(nowMs) {
    this.#forget(nowMs);
    return (this.#timesMs.length * 1000) / this.#spanMs;
  }

  /** @param {number} nowMs */
  #forget(nowMs) {
    while (this.#timesMs.length > 0 && (this.#timesMs[0] ?? nowMs) <= nowMs - this.#spanMs) this.#timesMs.shift();
  }
}
