// @ts-check
/** Packs chosen files into one ZIP archive, so that thousands go up in one piece and keep their folders. */

/** Files and bytes of the plain ZIP format, without its extension for more. */
export const MOST_FILES = 65_000;
export const MOST_BYTES = 4_000_000_000;

const LOCAL_BYTES = 30;
const ENTRY_BYTES = 46;
const END_BYTES = 22;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** 1 January 1980: when a photo was changed is nobody's business. */
const DATE = 0x21;

/** What tells photos of one person apart at the end of a file name, as `recognition/importing/layouts.py` has it. */
const NUMBER = /[\s_.-]*(?:\(\s*\d+\s*\)|\d+)?\s*$/;

const TABLE = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** @param {Uint8Array} bytes */
export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * Paths of which none is there twice: a second `Ada_1.jpg` becomes `Ada (2).jpg`, which shows the same person.
 *
 * @param {readonly string[]} paths
 */
export function uniquePaths(paths) {
  const taken = new Set();
  return paths.map((path) => {
    const begin = path.lastIndexOf("/") + 1;
    const dot = path.lastIndexOf(".");
    const end = dot > begin ? dot : path.length;
    const stem = path.slice(begin, end).replace(NUMBER, "");
    let own = path;
    for (let number = 2; taken.has(own); number += 1) {
      own = path.slice(0, begin) + `${stem} (${number})`.trimStart() + path.slice(end);
    }
    taken.add(own);
    return own;
  });
}

/**
 * Packs files as they are; photos are compressed already. Of each only its checksum is computed here, and the archive
 * refers to the files on disk, so that few of them are in memory at once.
 *
 * @param {readonly {path: string, file: Blob}[]} files at most `MOST_FILES` with `MOST_BYTES`, no path twice
 * @param {(done: number) => void} [told] how many have been read
 * @returns {Promise<Blob>}
 */
export async function packed(files, told = () => {}) {
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {BlobPart[]} */
  const list = [];
  let offset = 0;
  let listBytes = 0;
  for (const [number, { path, file }] of files.entries()) {
    const name = new TextEncoder().encode(path);
    const checksum = crc32(new Uint8Array(await file.arrayBuffer()));
    const local = header(LOCAL_BYTES, 0x04034b50, name, checksum, file.size);
    const entry = header(ENTRY_BYTES, 0x02014b50, name, checksum, file.size);
    new DataView(entry.buffer).setUint32(42, offset, true);
    parts.push(local, name, file);
    list.push(entry, name);
    offset += LOCAL_BYTES + name.length + file.size;
    listBytes += ENTRY_BYTES + name.length;
    told(number + 1);
  }
  const end = new DataView(new ArrayBuffer(END_BYTES));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, listBytes, true);
  end.setUint32(16, offset, true);
  return new Blob([...parts, ...list, end.buffer], { type: "application/zip" });
}

/**
 * What a file's own header and its entry of the list have in common; in the latter one more version comes first.
 *
 * @param {number} size
 * @param {number} signature
 * @param {Uint8Array} name
 * @param {number} checksum
 * @param {number} bytes
 */
function header(size, signature, name, checksum, bytes) {
  const view = new DataView(new ArrayBuffer(size));
  const at = size === ENTRY_BYTES ? 6 : 4;
  view.setUint32(0, signature, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(at, VERSION, true);
  view.setUint16(at + 2, FLAGS, true);
  view.setUint16(at + 8, DATE, true);
  view.setUint32(at + 10, checksum, true);
  view.setUint32(at + 14, bytes, true);
  view.setUint32(at + 18, bytes, true);
  view.setUint16(at + 22, name.length, true);
  return new Uint8Array(view.buffer);
}
