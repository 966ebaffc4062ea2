// @ts-check
/** From protocol objects to what travels, and back; the shapes are in `messages.js` and `kiosk/messages.js`. */

import { PROTOCOL } from "./messages.js";

/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").Hello} Hello */

export const FRAME_HEADER_BYTES = 16;

const UINT32_MAX = 0xffffffff;

/**
 * What incoming messages are checked against.
 * @typedef {object} Contract
 * @property {number} version
 * @property {Record<string, Record<string, string>>} shapes
 * @property {readonly string[]} server_messages names of the shapes that the server sends
 * @property {Record<string, readonly string[]>} closed_sets the words of each type that is a closed set
 */

/** @type {Contract} */
const LIVE = { ...PROTOCOL, closed_sets: { FaceState: PROTOCOL.face_states, Advice: PROTOCOL.advice } };

/** A message of the server that the protocol does not allow; the text says where. */
export class MalformedMessage extends Error {}

/**
 * @param {number} version of the protocol that the page speaks
 * @returns {string} the first message of a session
 */
export function helloText(version = PROTOCOL.version) {
  /** @type {Hello} */
  const hello = { type: "hello", protocol: version };
  return JSON.stringify(hello);
}

/**
 * The 16 bytes before a frame's JPEG.
 *
 * @param {number} sequence number of the frame, rising
 * @param {number} captureTimeMs when the page took it, by its own clock
 * @param {number} linkMs the last measured time on the link, 0 before the first result
 * @returns {ArrayBuffer}
 */
export function frameHeader(sequence, captureTimeMs, linkMs) {
  const header = new DataView(new ArrayBuffer(FRAME_HEADER_BYTES));
  header.setUint32(0, sequence, true);
  header.setFloat64(4, captureTimeMs, true);
  header.setUint32(12, Math.min(UINT32_MAX, Math.max(0, Math.round(linkMs * 1000))), true);
  return header.buffer;
}

/** Reads the server's messages of one protocol. */
export class MessageReader {
  #contract;
  #shapeOfType;

  /** @param {Contract} contract */
  constructor(contract) {
    this.#contract = contract;
    this.#shapeOfType = new Map(
      contract.server_messages.map((name) => [contract.shapes[name]?.type?.replaceAll("'", "") ?? "", name]),
    );
  }

  /** @returns {number} the version that the page speaks */
  get version() {
    return this.#contract.version;
  }

  /**
   * @param {string} text a text message of the server
   * @returns {any} a message of the contract
   */
  read(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch (error) {
      throw new MalformedMessage("not JSON", { cause: error });
    }
    const shape = this.#shapeOfType.get(message?.type);
    if (!shape) throw new MalformedMessage(`unknown type ${String(message?.type)}`);
    this.#requireType(message, shape, shape);
    return message;
  }

  /**
   * @param {unknown} value
   * @param {string} type as written in the contract's shapes
   * @param {string} path where in the message, for the text of the error
   */
  #requireType(value, type, path) {
    if (type.endsWith("[]")) {
      if (!Array.isArray(value)) throw new MalformedMessage(`${path}: expected a list`);
      value.forEach((item, index) => this.#requireType(item, type.slice(0, -2), `${path}[${index}]`));
      return;
    }
    const shape = this.#contract.shapes[type];
    if (shape) {
      if (typeof value !== "object" || value === null) throw new MalformedMessage(`${path}: expected ${type}`);
      const fields = /** @type {Record<string, unknown>} */ (value);
      for (const [name, fieldType] of Object.entries(shape)) {
        this.#requireType(fields[name], fieldType, `${path}.${name}`);
      }
      return;
    }
    if (type.endsWith(" | null")) {
      if (value !== null) this.#requireType(value, type.slice(0, -" | null".length), path);
      return;
    }
    if (!this.#isScalar(value, type)) throw new MalformedMessage(`${path}: expected ${type}`);
  }

  /**
   * @param {unknown} value
   * @param {string} type
   * @returns {boolean}
   */
  #isScalar(value, type) {
    const words = this.#contract.closed_sets[type];
    if (words) return typeof value === "string" && words.includes(value);
    if (type.startsWith("'")) return type.split(" | ").includes(`'${value}'`);
    return typeof value === type;
  }
}

export const LIVE_READER = new MessageReader(LIVE);

/**
 * @param {string} text a text message of the server
 * @returns {ServerMessage}
 */
export function parseServerMessage(text) {
  return LIVE_READER.read(text);
}
