// @ts-check
/** Where things are on the screen: arithmetic only. */

/** @typedef {import("./messages.js").Box} Box */

/**
 * @typedef {object} Size
 * @property {number} width
 * @property {number} height
 */

/**
 * The largest size of the same shape that is no wider than allowed; never enlarged.
 *
 * @param {Size} size
 * @param {number} maxWidth
 * @returns {Size}
 */
export function fitWidth(size, maxWidth) {
  const scale = Math.min(1, maxWidth / size.width);
  return { width: Math.round(size.width * scale), height: Math.round(size.height * scale) };
}

/**
 * Where a picture lies in its container when shown whole and centred (`object-fit: contain`).
 *
 * @param {Size} container
 * @param {Size} picture
 * @returns {Box}
 */
export function containedRect(container, picture) {
  const scale = Math.min(container.width / picture.width, container.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: (container.width - width) / 2, y: (container.height - height) / 2, width, height };
}

/**
 * A box of a sent frame, in pixels of the screen.
 *
 * @param {Box} box in pixels of the frame
 * @param {Size} frame the size of the frame that was sent
 * @param {Box} shown where the picture is on the screen
 * @param {boolean} mirrored whether left and right are exchanged on the screen
 * @returns {Box}
 */
export function onScreen(box, frame, shown, mirrored) {
  const scale = shown.width / frame.width;
  const left = mirrored ? frame.width - box.x - box.width : box.x;
  return {
    x: shown.x + left * scale,
    y: shown.y + box.y * (shown.height / frame.height),
    width: box.width * scale,
    height: box.height * (shown.height / frame.height),
  };
}

/**
 * Where a label goes: above its box, below it where there is no room, inside at the bottom where
 * there is none either, and always within the screen.
 *
 * @param {Box} box on the screen
 * @param {Size} label
 * @param {Size} screen
 * @param {number} gap
 * @returns {{x: number, y: number}} the label's left upper corner
 */
export function labelPlace(box, label, screen, gap) {
  const x = Math.max(0, Math.min(box.x, screen.width - label.width));
  const above = box.y - gap - label.height;
  if (above >= 0) return { x, y: above };
  const below = box.y + box.height + gap;
  if (below + label.height <= screen.height) return { x, y: below };
  return { x, y: Math.max(0, Math.min(screen.height, box.y + box.height) - label.height - gap) };
}
