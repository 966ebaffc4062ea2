import assert from "node:assert/strict";
import { test } from "node:test";

import { containedRect, fitWidth, labelPlace, onScreen } from "../../../static/js/geometry.js";

test("shrinks a wide picture, keeping its shape", () => {
  assert.deepEqual(fitWidth({ width: 1280, height: 720 }, 640), { width: 640, height: 360 });
});

test("never enlarges a picture", () => {
  assert.deepEqual(fitWidth({ width: 320, height: 240 }, 640), { width: 320, height: 240 });
});

test("centres a picture with bars at the sides, or above and below", () => {
  const picture = { width: 640, height: 480 };
  assert.deepEqual(containedRect({ width: 800, height: 480 }, picture), { x: 80, y: 0, width: 640, height: 480 });
  assert.deepEqual(containedRect({ width: 320, height: 480 }, picture), { x: 0, y: 120, width: 320, height: 240 });
});

const FRAME = { width: 640, height: 480 };
const BOX = { x: 64, y: 48, width: 128, height: 96 };

test("puts a box where the picture is shown", () => {
  const shown = { x: 80, y: 10, width: 1280, height: 960 };
  assert.deepEqual(onScreen(BOX, FRAME, shown, false), { x: 208, y: 106, width: 256, height: 192 });
});

test("exchanges left and right for a mirrored view", () => {
  const shown = { x: 0, y: 0, width: 640, height: 480 };
  assert.deepEqual(onScreen(BOX, FRAME, shown, true), { x: 448, y: 48, width: 128, height: 96 });
});

test("a box that reaches beyond the frame stays as far beyond when mirrored", () => {
  const shown = { x: 0, y: 0, width: 640, height: 480 };
  const box = { x: -20, y: 0, width: 100, height: 100 };
  assert.equal(onScreen(box, FRAME, shown, true).x, 560);
});

const SCREEN = { width: 640, height: 480 };
const LABEL = { width: 120, height: 24 };

test("writes above the box", () => {
  assert.deepEqual(labelPlace({ x: 100, y: 100, width: 80, height: 80 }, LABEL, SCREEN, 6), { x: 100, y: 70 });
});

test("writes below a box at the upper edge", () => {
  assert.deepEqual(labelPlace({ x: 100, y: 10, width: 80, height: 80 }, LABEL, SCREEN, 6), { x: 100, y: 96 });
});

test("writes inside a box that fills the picture", () => {
  const place = labelPlace({ x: 0, y: -20, width: 640, height: 520 }, LABEL, SCREEN, 6);
  assert.deepEqual(place, { x: 0, y: 450 });
});

test("keeps the label on the screen at both sides", () => {
  assert.equal(labelPlace({ x: 600, y: 100, width: 80, height: 80 }, LABEL, SCREEN, 6).x, 520);
  assert.equal(labelPlace({ x: -50, y: 100, width: 80, height: 80 }, LABEL, SCREEN, 6).x, 0);
});
