// @ts-check
/** The health line: whether what the guard sees is what is happening now. */

import { setText } from "./dom.js";
import { RateMeter } from "./pace.js";

/** @typedef {import("./socket.js").Answer} Answer */

/** Results older than this (ms) must not be relied on. */
export const STALE_MS = 1000;

const NOTHING_YET = "\u2013";

/**
 * The places of the health line.
 * @typedef {object} HealthPlaces
 * @property {HTMLElement} sent
 * @property {HTMLElement} analysed
 * @property {HTMLElement} roundTrip
 * @property {HTMLElement} worker
 * @property {HTMLElement} dropped
 */

/** Counts frames and results of the running session. */
export class Health {
  #places;
  #sent = new RateMeter();
  #analysed = new RateMeter();
  /** @type {Answer | null} */
  #last = null;
  #roundTripMs = 0;
  #dropped = 0;
  #newestMs = 0;

  /** @param {HealthPlaces} places */
  constructor(places) {
    this.#places = places;
  }

  /** @param {number} nowMs when pictures begin, or go on after a pause */
  begin(nowMs) {
    this.#newestMs = nowMs;
  }

  /** @param {number} nowMs */
  frameSent(nowMs) {
    this.#sent.count(nowMs);
  }

  /**
   * @param {Answer} answer
   * @param {number} nowMs
   */
  answered(answer, nowMs) {
    this.#roundTripMs = answer.roundTripMs;
    this.#dropped = answer.result.dropped;
    if (answer.result.status !== "analysed") return;
    this.#last = answer;
    this.#analysed.count(nowMs);
    this.#newestMs = Math.max(this.#newestMs, answer.captureTimeMs);
  }

  /**
   * How old the newest analysed picture is.
   *
   * @param {number} nowMs
   * @returns {number} ms
   */
  ageMs(nowMs) {
    return nowMs - this.#newestMs;
  }

  /** @param {number} nowMs */
  show(nowMs) {
    const last = this.#last;
    setText(this.#places.sent, this.#sent.perSecond(nowMs).toFixed(1));
    setText(this.#places.analysed, this.#analysed.perSecond(nowMs).toFixed(1));
    setText(this.#places.roundTrip, last ? this.#roundTripMs.toFixed(0) : NOTHING_YET);
    setText(this.#places.worker, last ? last.result.timings.worker.toFixed(1) : NOTHING_YET);
    setText(this.#places.dropped, String(this.#dropped));
  }
}
