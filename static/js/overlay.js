// @ts-check
/**
 * Boxes and names over the video.
 *
 * A state is never told by colour alone: known is a solid line and a tick, unknown a dashed line
 * and a question mark, deciding a dotted line and dots. Text stands on a dark plate, whatever the
 * picture behind it, and is not mirrored with the picture.
 */

import { containedRect, labelPlace, onScreen } from "./geometry.js";
import { faceLabel, similarityText } from "./texts.js";

/** @typedef {import("./geometry.js").Size} Size */
/** @typedef {import("./messages.js").Box} Box */
/** @typedef {import("./messages.js").Face} Face */
/** @typedef {import("./messages.js").FaceState} FaceState */

/**
 * @typedef {object} Style
 * @property {string} colour readable on the plate in both themes: the video is always dark
 * @property {number[]} dash
 * @property {string} mark
 */

/** @type {Record<FaceState, Style>} */
const STYLES = {
  known: { colour: "#4ade80", dash: [], mark: "\u2713" },
  unknown: { colour: "#fbbf24", dash: [14, 8], mark: "?" },
  deciding: { colour: "#d4dae3", dash: [2, 7], mark: "\u2026" },
};

const PLATE = "rgba(9, 14, 23, 0.86)";
const OUTLINE = "rgba(9, 14, 23, 0.55)";
const LINE_PX = 3;
const RADIUS_PX = 10;
const NARROW_PX = 480;
const LABEL_GAP_PX = 6;
const LABEL_PADDING_PX = 9;

/** The canvas over the video. */
export class Overlay {
  #canvas;
  #context;
  /** @type {Face[]} */
  #faces = [];
  /** @type {Size} */
  #frame = { width: 4, height: 3 };
  #mirrored = false;
  /** Whether the model pack has thresholds to decide by. */
  decides = true;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no 2d canvas");
    this.#canvas = canvas;
    this.#context = context;
    new ResizeObserver(() => this.#draw()).observe(canvas);
  }

  /** @param {boolean} mirrored */
  set mirrored(mirrored) {
    this.#mirrored = mirrored;
    this.#draw();
  }

  /**
   * @param {Face[]} faces
   * @param {Size} frame size of the frame that they were found in
   */
  show(faces, frame) {
    this.#faces = faces;
    this.#frame = frame;
    this.#draw();
  }

  clear() {
    this.#faces = [];
    this.#draw();
  }

  #draw() {
    const screen = { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(screen.width * ratio);
    const height = Math.round(screen.height * ratio);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, screen.width, screen.height);
    this.paint(this.#context, screen);
  }

  /**
   * Draws the faces over a picture, here or in a recording.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Size} screen of what it draws into
   */
  paint(context, screen) {
    const shown = containedRect(screen, this.#frame);
    // Known faces last, so that where boxes overlap the name stays readable.
    const faces = [...this.#faces].sort((a, b) => Number(a.state === "known") - Number(b.state === "known"));
    for (const face of faces) {
      const box = onScreen(face.box, this.#frame, shown, this.#mirrored);
      this.#drawBox(context, box, STYLES[face.state]);
      this.#drawLabel(context, face, box, screen);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Box} box
   * @param {Style} style
   */
  #drawBox(context, box, style) {
    context.beginPath();
    context.roundRect(box.x, box.y, box.width, box.height, Math.min(RADIUS_PX, box.width / 4, box.height / 4));
    context.lineCap = "round";
    context.setLineDash([]);
    context.strokeStyle = OUTLINE;
    context.lineWidth = LINE_PX + 3;
    context.stroke();
    context.setLineDash(style.dash);
    context.strokeStyle = style.colour;
    context.lineWidth = LINE_PX;
    context.stroke();
    context.setLineDash([]);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Face} face
   * @param {Box} box
   * @param {Size} screen
   */
  #drawLabel(context, face, box, screen) {
    const style = STYLES[face.state];
    const narrow = screen.width < NARROW_PX;
    const fontPx = narrow ? 14 : 17;
    const { title, detail: advised } = faceLabel(face, this.decides);
    // On a phone labels would cover the neighbours' faces; the list below the picture says the same.
    const detail = narrow ? similarityText(face.person ? face.similarity : null) : advised;
    const strong = `600 ${fontPx}px system-ui, sans-serif`;
    const plain = `${fontPx - 2}px system-ui, sans-serif`;
    context.font = strong;
    const heading = `${style.mark} ${title}`;
    const headingWidth = context.measureText(heading).width;
    context.font = plain;
    const detailWidth = detail ? context.measureText(detail).width + LABEL_PADDING_PX : 0;
    const label = { width: headingWidth + detailWidth + LABEL_PADDING_PX * 2, height: fontPx + LABEL_PADDING_PX * 1.4 };
    const place = labelPlace(box, label, screen, LABEL_GAP_PX);
    context.beginPath();
    context.roundRect(place.x, place.y, label.width, label.height, 7);
    context.fillStyle = PLATE;
    context.fill();
    context.textBaseline = "middle";
    const middle = place.y + label.height / 2 + 0.5;
    context.font = strong;
    context.fillStyle = style.colour;
    context.fillText(heading, place.x + LABEL_PADDING_PX, middle);
    context.font = plain;
    context.fillStyle = "#e8ecf2";
    context.fillText(detail, place.x + LABEL_PADDING_PX * 2 + headingWidth, middle);
  }
}
