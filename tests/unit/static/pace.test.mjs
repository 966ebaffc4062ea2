import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff, MAX_DELAY_MS, MAX_FPS, MIN_DELAY_MS, MIN_FPS, Pace, RateMeter } from "../../../static/js/pace.js";

function paceAfter(results, { roundTripMs, window = 1 }) {
  const pace = new Pace();
  for (let i = 0; i < results; i += 1) pace.learn(roundTripMs, true, window);
  return pace;
}

test("starts at the full rate, before anything is measured", () => {
  assert.equal(new Pace().targetFps, MAX_FPS);
});

test("keeps the full rate with a quick server", () => {
  assert.equal(paceAfter(20, { roundTripMs: 30 }).targetFps, MAX_FPS);
});

test("sends as many as the round trip allows, times the window", () => {
  assert.equal(paceAfter(20, { roundTripMs: 100 }).targetFps, 10);
  assert.equal(paceAfter(20, { roundTripMs: 200, window: 3 }).targetFps, 15);
});

test("leaves a slow server more room than the window does", () => {
  assert.ok(paceAfter(20, { roundTripMs: 500 }).targetFps < 2);
});

test("never goes below one frame a second", () => {
  assert.equal(paceAfter(20, { roundTripMs: 30_000 }).targetFps, MIN_FPS);
});

test("slows down when frames are not analysed and comes back when they are", () => {
  const pace = paceAfter(10, { roundTripMs: 33 });
  const before = pace.targetFps;
  for (let i = 0; i < 5; i += 1) pace.learn(33, false, 1);
  assert.ok(pace.targetFps < before * 0.6);
  for (let i = 0; i < 100; i += 1) pace.learn(33, true, 1);
  assert.equal(pace.targetFps, before);
});

test("one late result does not halve the rate", () => {
  const pace = paceAfter(50, { roundTripMs: 60 });
  const before = pace.targetFps;
  pace.learn(300, true, 1);
  assert.ok(pace.targetFps > before / 2);
});

test("takes every frame of a jittering camera at the full rate", () => {
  const pace = new Pace();
  let taken = 0;
  for (let i = 0; i < 300; i += 1) {
    const now = i * (1000 / 30) + (i % 2 ? 3 : -3);
    if (!pace.isDue(now)) continue;
    pace.taken(now);
    taken += 1;
  }
  assert.ok(taken >= 298, `took ${taken} of 300`);
});

test("keeps the average at a rate that does not divide the camera's", () => {
  const pace = paceAfter(50, { roundTripMs: 100 });
  let taken = 0;
  for (let now = 0; now < 10_000; now += 1000 / 30) {
    if (!pace.isDue(now)) continue;
    pace.taken(now);
    taken += 1;
  }
  assert.ok(Math.abs(taken - 100) <= 3, `took ${taken}, wanted about 100`);
});

test("does not catch up after a pause", () => {
  const pace = paceAfter(50, { roundTripMs: 1000 });
  pace.taken(0);
  pace.taken(60_000);
  assert.equal(pace.isDue(60_100), false);
});

test("waits between half a second and ten, longer each time", () => {
  for (const random of [() => 0, () => 0.999]) {
    const backoff = new Backoff(random);
    const delays = Array.from({ length: 8 }, () => backoff.next());
    assert.ok(delays.every((delay) => delay >= MIN_DELAY_MS && delay <= MAX_DELAY_MS));
    assert.deepEqual([...delays].sort((a, b) => a - b), delays);
    assert.ok(delays[7] > delays[0]);
  }
});

test("starts over after a connection that worked", () => {
  const backoff = new Backoff(() => 0);
  const first = backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), first);
});

test("leaves an overloaded server alone for longer at once", () => {
  assert.ok(new Backoff(() => 0).next(2) > new Backoff(() => 0).next());
});

test("counts events of the last two seconds", () => {
  const meter = new RateMeter(2000);
  for (let now = 0; now < 4000; now += 100) meter.count(now);
  assert.equal(meter.perSecond(4000), 9.5);
  assert.equal(meter.perSecond(10_000), 0);
});
