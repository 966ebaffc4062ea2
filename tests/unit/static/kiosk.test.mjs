import assert from "node:assert/strict";
import { test } from "node:test";

import { PROTOCOL } from "../../../static/js/kiosk/messages.js";
import { screenOf } from "../../../static/js/kiosk/screen.js";
import { closedWords, conclusionWords, instructionText, noticeText, refusal } from "../../../static/js/kiosk/words.js";
import { PROTOCOL as LIVE } from "../../../static/js/messages.js";
import { MalformedMessage, MessageReader } from "../../../static/js/wire.js";

const STATE = { type: "state", phase: "ready", instruction: "", progress: 0, seconds_left: null, reads_codes: false };
const CONCLUSION = {
  type: "conclusion",
  outcome: "accepted",
  sentence: "welcome",
  person: "Ada",
  locked_for_s: null,
  shown_s: 4,
};
const KNOWN = {
  refused: "",
  cameraTrouble: null,
  cameraRuns: true,
  connected: true,
  wasConnected: true,
  waitsFor: "",
  mode: "identify",
  notice: "ready",
  state: STATE,
  conclusion: null,
  step: "id",
};

test("reads its messages and no others", () => {
  const reader = new MessageReader(PROTOCOL);
  assert.deepEqual(reader.read(JSON.stringify(STATE)), STATE);
  assert.deepEqual(reader.read(JSON.stringify({ ...STATE, seconds_left: 3 })).seconds_left, 3);
  const wrong = [{ ...STATE, phase: "asleep" }, { ...STATE, reads_codes: 1 }, { ...CONCLUSION, sentence: "banned" }];
  for (const message of [...wrong, { type: "decision" }]) {
    assert.throws(() => reader.read(JSON.stringify(message)), MalformedMessage);
  }
});

test("has a sentence for every instruction, sentence and refusal", () => {
  for (const instruction of PROTOCOL.closed_sets.Instruction) {
    assert.equal(instructionText(instruction) === "", instruction === "");
  }
  for (const sentence of PROTOCOL.closed_sets.Sentence) {
    const words = conclusionWords({ ...CONCLUSION, sentence });
    assert.ok(words.headline && words.detail && words.icon, sentence);
    assert.equal(words.tone === "yes", sentence === "welcome");
  }
  for (const code of Object.values(LIVE.error_codes)) assert.ok(refusal(code).words.headline, code);
  for (const code of Object.values(PROTOCOL.notice_codes)) {
    assert.equal(Boolean(closedWords(code) || noticeText(code)), code !== "ready", code);
  }
});

const SCREENS = [
  ["the removal of the kiosk before all else", { refused: "not_paired", cameraTrouble: {}, connected: false }, "refused"],
  ["trouble with the camera", { cameraTrouble: { title: "No camera", advice: "", action: "retry" } }, "camera"],
  ["the browser's question", { cameraRuns: false }, "camera"],
  ["that it connects", { connected: false, wasConnected: false }, "connecting"],
  ["that it is out of use", { notice: "out_of_use" }, "closed"],
  ["that the database is away", { notice: "database_unavailable" }, "closed"],
  ["that it waits for the database", { connected: false, waitsFor: "database_unavailable" }, "closed"],
  ["that it waits for something else", { connected: false, waitsFor: "overloaded" }, "connecting"],
  ["that nothing is measured", { notice: "pack_without_thresholds" }, "closed"],
  ["that it is ready, though nobody is enrolled", { notice: "gallery_empty" }, "ready"],
  ["the entry of an id", { state: { ...STATE, phase: "claim" } }, "claim"],
  ["what to do", { state: { ...STATE, phase: "looking", instruction: "come_closer" } }, "looking"],
  ["the result", { state: { ...STATE, phase: "result" }, conclusion: CONCLUSION }, "result"],
  ["no result of which nothing is known", { state: { ...STATE, phase: "result" } }, "connecting"],
];

test("a page that another window took over from comes back by a button and never by itself", () => {
  const shown = screenOf({ ...KNOWN, refused: "opened_elsewhere" });
  assert.deepEqual([shown.state, shown.action, shown.actionLabel], ["refused", "take_over", "Go on here"]);
});

for (const [what, known, state] of SCREENS) {
  test(`shows ${what}`, () => assert.equal(screenOf({ ...KNOWN, ...known }).state, state));
}

test("a result that is over is shown no longer", () => {
  assert.notEqual(screenOf({ ...KNOWN, conclusion: CONCLUSION }).state, "result");
});

test("offers to enter an id where both is possible", () => {
  assert.equal(screenOf(KNOWN).action, "");
  assert.equal(screenOf({ ...KNOWN, mode: "both" }).action, "enter_id");
});

test("shows the field for a claim only", () => {
  assert.equal(screenOf(KNOWN).entry, false);
  assert.equal(screenOf({ ...KNOWN, state: { ...STATE, phase: "claim" } }).entry, true);
  assert.equal(screenOf({ ...KNOWN, state: { ...STATE, phase: "claim" }, step: "pin" }).mirror, false);
});

test("says how long a lock lasts, and that only staff can lift a stop", () => {
  const locked = { ...CONCLUSION, outcome: "locked_out", sentence: "locked_out", person: null };
  assert.match(conclusionWords({ ...locked, locked_for_s: 29.2 }).detail, /30 seconds/);
  assert.match(conclusionWords({ ...locked, locked_for_s: 170 }).detail, /3 minutes/);
  assert.doesNotMatch(conclusionWords(locked).detail, /\d/);
});
