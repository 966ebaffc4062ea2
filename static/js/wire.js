// @ts-check
/** From protocol objects to what travels, and back; the shapes are in `messages.js`. */

import { PROTOCOL } from "./messages.js";

/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").Hello} Hello */

export const FRAME_HEADER_BYTES = 16;

const UINT32_MAX = 0xffffffff;

/** @type {Record<string, Record<string, string>>} */
const SHAPES = PROTOCOL.shapes;

/** @type {Record<string, readonly string[]>} */
const CLOSED_SETS = { FaceState: PROTOCOL.face_states, Advice: PROTOCOL.advice };

const SHAPE_OF_TYPE = new Map(
  PROTOCOL.server_messages.map((name) => [SHAPES[name]?.type?.replaceAll("'", "") ?? "", name]),
);

/** A message of the server that the protocol does not allow; the text says where. */
export class MalformedMessage extends Error {}

/** @returns {string} the first message of a session */
export function helloText() {
  /** @type {Hello} */
  const hello = { type: "hello", protocol: PROTOCOL.version };
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

/**
 * @param {string} text a text message of the server
 * @returns {ServerMessage}
 */
export function parseServerMessage(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch (error) {
    throw new MalformedMessage("not JSON", { cause: error });
  }
  const shape = SHAPE_OF_TYPE.get(message?.type);
  if (!shape) throw new MalformedMessage(`unknown type ${String(message?.type)}`);
  requireType(message, shape, shape);
  return message;
}

/**
 * @param {unknown} value
 * @param {string} type as written in `PROTOCOL.shapes`
 * @param {string} path where in the message, for the text of the error
 */
function requireType(value, type, path) {
  if (type.endsWith("[]")) {
    if (!Array.isArray(value)) throw new MalformedMessage(`${path}: expected a list`);
    value.forEach((item, index) => requireType(item, type.slice(0, -2), `${path}[${index}]`));
    return;
  }
  const shape = SHAPES[type];
  if (shape) {
    if (typeof value !== "object" || value === null) throw new MalformedMessage(`${path}: expected ${type}`);
    const fields = /** @type {Record<string, unknown>} */ (value);
    for (const [name, fieldType] of Object.entries(shape)) requireType(fields[name], fieldType, `${path}.${name}`);
    return;
  }
  if (type.endsWith(" | null")) {
    if (value !== null) requireType(value, type.slice(0, -" | null".length), path);
    return;
  }
  if (!isScalar(value, type)) throw new MalformedMessage(`${path}: expected ${type}`);
}

/**
 * @param {unknown} value
 * @param {string} type
 * @returns {boolean}
 */
function isScalar(value, type) {
  if (type in CLOSED_SETS) return typeof value === "string" && (CLOSED_SETS[type] ?? []).includes(value);
  if (type.startsWith("'")) return type.split(" | ").includes(`'${value}'`);
  return typeof value === type;
}
