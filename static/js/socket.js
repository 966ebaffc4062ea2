// @ts-check
/** One session with the server: hello, frames in a window, results, and coming back; live page and kiosk alike. */

import { PROTOCOL } from "./messages.js";
import { Backoff, OVERLOADED_HEAD_START, Pace } from "./pace.js";
import { frameHeader, helloText, LIVE_READER, MalformedMessage } from "./wire.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./geometry.js").Size} Size */

/**
 * What the welcome of every protocol says.
 * @typedef {object} CommonWelcome
 * @property {'welcome'} type
 * @property {number} protocol
 * @property {number} window
 * @property {number} max_frame_bytes
 */

/**
 * What the result of every protocol says.
 * @typedef {object} CommonResult
 * @property {'result'} type
 * @property {number} sequence
 * @property {'analysed' | 'dropped' | 'failed'} status
 * @property {{server: number}} timings
 * @property {number} window
 * @property {number} dropped
 */

/**
 * A result with what the page knows about its frame.
 * @template {CommonResult} [Result=import("./messages.js").Result]
 * @typedef {object} Answer
 * @property {Result} result
 * @property {Size} size of the frame that was sent
 * @property {number} captureTimeMs
 * @property {number} roundTripMs smoothed
 */

/**
 * @template {CommonWelcome} Welcome
 * @template {CommonResult} Result
 * @template Message
 * @typedef {object} SessionEvents
 * @property {(welcome: Welcome) => void} onWelcome
 * @property {(answer: Answer<Result>) => void} onAnswer
 * @property {(message: Message) => void} onMessage any other message but `error`
 * @property {(errorCode: string) => void} onWaiting the connection is lost, for this reason or for none that is known; it tries again
 * @property {(errorCode: string) => void} onRefused the server will not have this page; no further attempt
 */

const CLOSE = PROTOCOL.close_codes;

/** Closing for one of these reasons, the server would close for it again. */
const FINAL_CLOSE_CODES = new Set([
  CLOSE.NOT_AUTHENTICATED,
  CLOSE.NOT_PERMITTED,
  CLOSE.FOREIGN_ORIGIN,
  CLOSE.NOT_PAIRED,
  CLOSE.NO_SUCH_CHECKPOINT,
  CLOSE.OPENED_ELSEWHERE,
  CLOSE.UNSUPPORTED_PROTOCOL,
  CLOSE.FRAME_TOO_LARGE,
  CLOSE.MALFORMED,
]);

/** A link that answers nothing for so long is dead, though nobody said so (ms). */
const SILENCE_LIMIT_MS = 10_000;

/**
 * The error's name for a close code: the `error` message before it may have been lost.
 *
 * @param {number} closeCode
 * @returns {string}
 */
export function errorOfClose(closeCode) {
  const name = Object.entries(CLOSE).find(([, code]) => code === closeCode)?.[0];
  const errors = /** @type {Record<string, string>} */ (PROTOCOL.error_codes);
  return (name && errors[name]) || PROTOCOL.error_codes.SERVER_ERROR;
}

/**
 * Whether coming back is pointless after this close code.
 *
 * @param {number} closeCode
 * @returns {boolean}
 */
export function isFinal(closeCode) {
  return FINAL_CLOSE_CODES.has(closeCode);
}

/**
 * Whether the server chose this close code; the network, a proxy or a restart bring others.
 *
 * @param {number} closeCode
 * @returns {boolean}
 */
function isOurs(closeCode) {
  return Object.values(CLOSE).includes(closeCode);
}

/**
 * @param {string} path of a websocket of this site
 * @returns {string} its address, as secure as the page's own
 */
export function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * A session that stays alive through restarts of the server until it is closed or refused.
 *
 * @template {CommonWelcome} [Welcome=import("./messages.js").Welcome]
 * @template {CommonResult} [Result=import("./messages.js").Result]
 * @template [Message=import("./messages.js").ServerMessage]
 */
export class LiveSession {
  #url;
  #events;
  #reader;
  #pace = new Pace();
  #backoff = new Backoff();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Welcome | null} */
  #welcome = null;
  /** @type {Map<number, {size: Size, captureTimeMs: number, sentMs: number}>} */
  #inFlight = new Map();
  #sequence = 0;
  #window = 1;
  #linkMs = 0;
  /** @type {number | undefined} */
  #retryTimer;
  /** @type {number | undefined} */
  #silenceTimer;

  /**
   * @param {string} url
   * @param {SessionEvents<Welcome, Result, Message>} events
   * @param {import("./wire.js").MessageReader} reader of the protocol that is spoken there
   */
  constructor(url, events, reader = LIVE_READER) {
    this.#reader = reader;
    this.#url = url;
    this.#events = events;
  }

  /** @returns {number} bytes of the largest message that the server takes */
  get maxFrameBytes() {
    return this.#welcome?.max_frame_bytes ?? 0;
  }

  connect() {
    clearTimeout(this.#retryTimer);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(helloText(this.#reader.version)));
    socket.addEventListener("message", (event) => {
      if (this.#socket === socket) this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#closed(event.code);
    });
    this.#watchSilence();
  }

  /** Does not wait for the next attempt, for when the network is back. */
  reconnectNow() {
    if (this.#socket === null && this.#retryTimer !== undefined) this.connect();
  }

  close() {
    const socket = this.#socket;
    this.#forgetConnection();
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    socket?.close(1000);
  }

  /**
   * @param {number} nowMs
   * @returns {boolean} whether a frame taken now would be sent at once
   */
  wantsFrame(nowMs) {
    return this.#welcome !== null && this.#inFlight.size < this.#window && this.#pace.isDue(nowMs);
  }

  /**
   * @param {Frame} frame
   * @returns {boolean} false when the connection went away while the frame was encoded
   */
  send(frame) {
    if (!this.#welcome || this.#socket?.readyState !== WebSocket.OPEN) return false;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) >>> 0;
    const { size, captureTimeMs } = frame;
    if (this.#inFlight.size === 0) this.#watchSilence();
    this.#inFlight.set(sequence, { size, captureTimeMs, sentMs: performance.now() });
    this.#pace.taken(performance.now());
    this.#socket.send(new Blob([frameHeader(sequence, captureTimeMs, this.#linkMs), frame.jpeg]));
    return true;
  }

  /**
   * @param {object} message a text message of the protocol
   * @returns {boolean} false while there is no session to say it in
   */
  say(message) {
    if (!this.#welcome || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** @param {unknown} data */
  #receive(data) {
    let message;
    try {
      message = this.#reader.read(String(data));
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      console.error(`live session: ${error.message}`);
      this.#refuse(PROTOCOL.error_codes.UNSUPPORTED_PROTOCOL);
      return;
    }
    this.#dispatch(message);
    this.#watchSilence();
  }

  /** @param {any} message of the reader's protocol */
  #dispatch(message) {
    switch (message.type) {
      case "welcome":
        if (message.protocol !== this.#reader.version) return this.#refuse(PROTOCOL.error_codes.UNSUPPORTED_PROTOCOL);
        this.#welcome = message;
        this.#setWindow(message.window);
        return this.#events.onWelcome(message);
      case "result":
        return this.#answer(message);
      case "error":
        // The close that follows carries the same code; a lost `error` must not change what happens.
        return;
      default:
        return this.#events.onMessage(message);
    }
  }

  /** @param {Result} result */
  #answer(result) {
    const sent = this.#inFlight.get(result.sequence);
    this.#setWindow(result.window);
    if (!sent) return;
    this.#inFlight.delete(result.sequence);
    const roundTripMs = performance.now() - sent.sentMs;
    const analysed = result.status === "analysed";
    this.#pace.learn(roundTripMs, analysed, this.#window);
    if (analysed) {
      // Of a frame that was not analysed the server does not say how long it lay there.
      this.#linkMs = Math.max(0, roundTripMs - result.timings.server);
      this.#backoff.reset();
    }
    const { size, captureTimeMs } = sent;
    this.#events.onAnswer({ result, size, captureTimeMs, roundTripMs: this.#pace.roundTripMs });
  }

  /** @param {number} window */
  #setWindow(window) {
    this.#window = Math.min(PROTOCOL.max_window, Math.max(1, window));
  }

  /** @param {number} closeCode */
  #closed(closeCode) {
    if (isFinal(closeCode)) return this.#refuse(errorOfClose(closeCode));
    this.#forgetConnection();
    const delayMs = this.#backoff.next(closeCode === CLOSE.OVERLOADED ? OVERLOADED_HEAD_START : 0);
    this.#retryTimer = window.setTimeout(() => this.connect(), delayMs);
    this.#events.onWaiting(isOurs(closeCode) ? errorOfClose(closeCode) : "");
  }

  /** @param {string} errorCode */
  #refuse(errorCode) {
    this.close();
    this.#events.onRefused(errorCode);
  }

  #forgetConnection() {
    clearTimeout(this.#silenceTimer);
    this.#socket = null;
    this.#welcome = null;
    this.#inFlight.clear();
    // A server that was just restarted may be faster or slower; measure it anew.
    this.#pace = new Pace();
    this.#linkMs = 0;
  }

  #watchSilence() {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = window.setTimeout(() => {
      const expectsAnswer = this.#welcome === null || this.#inFlight.size > 0;
      const socket = this.#socket;
      if (!expectsAnswer || !socket) return;
      // A dead link never finishes the closing handshake, so its close event is not waited for.
      this.#closed(1006);
      socket.close();
    }, SILENCE_LIMIT_MS);
  }
}
