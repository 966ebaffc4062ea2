import assert from "node:assert/strict";
import { test } from "node:test";

import { FRAME_HEADER_BYTES, frameHeader, helloText, MalformedMessage, parseServerMessage } from "../../../static/js/wire.js";

const FACE = {
  track: "7",
  box: { x: 1, y: 2, width: 3, height: 4 },
  state: "known",
  person: { id: 5, name: "Ada" },
  similarity: 0.61,
  votes: 3,
  advice: "",
};
const TIMINGS = { waited: 0, decode: 1, detect: 2, embed: 3, search: 4, worker: 10, server: 12 };
const RESULT = {
  type: "result",
  sequence: 9,
  status: "analysed",
  faces: [FACE],
  embedded: 1,
  everywhere: true,
  timings: TIMINGS,
  window: 2,
  dropped: 1,
};

test("opens with the version of the protocol", () => {
  assert.deepEqual(JSON.parse(helloText()), { type: "hello", protocol: 1 });
});

test("packs the frame's header little endian, the link in microseconds", () => {
  const header = new DataView(frameHeader(0x01020304, 1234.5, 12.3456));
  assert.equal(header.byteLength, FRAME_HEADER_BYTES);
  assert.equal(header.getUint32(0, true), 0x01020304);
  assert.equal(header.getFloat64(4, true), 1234.5);
  assert.equal(header.getUint32(12, true), 12346);
});

test("never sends a negative or an overflowing link time", () => {
  assert.equal(new DataView(frameHeader(0, 0, -5)).getUint32(12, true), 0);
  assert.equal(new DataView(frameHeader(0, 0, 1e12)).getUint32(12, true), 0xffffffff);
});

test("reads a result", () => {
  assert.deepEqual(parseServerMessage(JSON.stringify(RESULT)), RESULT);
});

test("reads nulls where the protocol has them", () => {
  const face = { ...FACE, state: "deciding", person: null, similarity: null };
  assert.equal(parseServerMessage(JSON.stringify({ ...RESULT, faces: [face] })).faces[0].person, null);
});

const REFUSED = [
  ["no JSON", "{"],
  ["a type the page does not know", JSON.stringify({ type: "greeting" })],
  ["a message of the page itself", helloText()],
  ["no object", "null"],
  ["a missing field", JSON.stringify({ ...RESULT, window: undefined })],
  ["a status that does not exist", JSON.stringify({ ...RESULT, status: "lost" })],
  ["a state that does not exist", JSON.stringify({ ...RESULT, faces: [{ ...FACE, state: "maybe" }] })],
  ["an advice that does not exist", JSON.stringify({ ...RESULT, faces: [{ ...FACE, advice: "smile" }] })],
  ["a null that the protocol has not", JSON.stringify({ ...RESULT, faces: [{ ...FACE, box: null }] })],
  ["faces that are no list", JSON.stringify({ ...RESULT, faces: FACE })],
];

for (const [what, text] of REFUSED) {
  test(`refuses ${what}`, () => assert.throws(() => parseServerMessage(text), MalformedMessage));
}
