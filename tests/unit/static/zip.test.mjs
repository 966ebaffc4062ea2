import assert from "node:assert/strict";
import { test } from "node:test";

import { crc32, packed, uniquePaths } from "../../../static/js/zip.js";

const bytesOf = async (archive) => new DataView(await archive.arrayBuffer());

test("computes the checksum that ZIP wants", () => {
  assert.equal(crc32(new Uint8Array()), 0);
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

test("gives a second file of a name a number", () => {
  assert.deepEqual(uniquePaths([]), []);
  assert.deepEqual(uniquePaths(["Ada.jpg", "Bob.jpg", "Ada.jpg", "Ada.jpg"]), [
    "Ada.jpg",
    "Bob.jpg",
    "Ada (2).jpg",
    "Ada (3).jpg",
  ]);
  assert.deepEqual(uniquePaths(["Ada_1.jpg", "Ada_1.jpg", "1.jpg", "1.jpg"]), [
    "Ada_1.jpg",
    "Ada (2).jpg",
    "1.jpg",
    "(2).jpg",
  ]);
  assert.deepEqual(uniquePaths(["a.b/Ada", "a.b/Ada", ".x", ".x"]), ["a.b/Ada", "a.b/Ada (2)", ".x", ".x (2)"]);
});

test("packs nothing into an empty archive", async () => {
  const view = await bytesOf(await packed([]));
  assert.equal(view.byteLength, 22);
  assert.equal(view.getUint32(0, true), 0x06054b50);
});

test("lists every file with its path, size and place, and tells how many were read", async () => {
  const told = [];
  const files = [
    { path: "staff/Ada/1.jpg", file: new Blob(["one"]) },
    { path: "staff/Zoë/1.jpg", file: new Blob(["three"]) },
  ];
  const view = await bytesOf(await packed(files, (done) => told.push(done)));
  assert.deepEqual(told, [1, 2]);
  const end = view.byteLength - 22;
  assert.equal(view.getUint16(end + 10, true), 2);
  let entry = view.getUint32(end + 16, true);
  for (const { path, file } of files) {
    assert.equal(view.getUint32(entry, true), 0x02014b50);
    assert.equal(view.getUint32(entry + 24, true), file.size);
    const local = view.getUint32(entry + 42, true);
    assert.equal(view.getUint32(local, true), 0x04034b50);
    const nameBytes = view.getUint16(entry + 28, true);
    assert.equal(new TextDecoder().decode(new Uint8Array(view.buffer, entry + 46, nameBytes)), path);
    const content = new Uint8Array(view.buffer, local + 30 + nameBytes, file.size);
    assert.equal(new TextDecoder().decode(content), await file.text());
    entry += 46 + nameBytes;
  }
  assert.equal(entry, end);
});
