// @ts-check
/** The faces of the newest frame as a list: what the overlay draws, for those who cannot see it. */

import { make, setText } from "./dom.js";
import { gettext, interpolate } from "./i18n.js";
import { adviceText, faceLabel, similarityText } from "./texts.js";

/** @typedef {import("./messages.js").Face} Face */

const MARKS = { known: "\u2713", unknown: "?", deciding: "\u2026" };

/** The list in the page: an item lives as long as its track, so that focus and reading stay put. */
export class InView {
  #list;
  #empty;
  /** @type {Map<string, HTMLElement>} */
  #items = new Map();
  /** Votes that must agree, as the server said; 0 before it did. */
  votesNeeded = 0;
  /** Whether the model pack has thresholds to decide by. */
  decides = true;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} empty shown while no face is there
   */
  constructor(list, empty) {
    this.#list = list;
    this.#empty = empty;
  }

  /** @param {Face[]} faces */
  show(faces) {
    const tracks = new Set(faces.map((face) => face.track));
    for (const [track, item] of this.#items) {
      if (tracks.has(track)) continue;
      item.remove();
      this.#items.delete(track);
    }
    for (const face of faces) this.#fill(this.#itemFor(face.track), face);
    this.#empty.hidden = faces.length > 0;
  }

  /** @param {string} track */
  #itemFor(track) {
    const existing = this.#items.get(track);
    if (existing) return existing;
    const item = make("li", "face");
    const mark = make("span", "face-mark");
    mark.setAttribute("aria-hidden", "true");
    item.append(mark, make("span", "face-name"), make("span", "face-detail"));
    item.dataset.track = track;
    this.#items.set(track, item);
    this.#list.append(item);
    return item;
  }

  /**
   * @param {HTMLElement} item
   * @param {Face} face
   */
  #fill(item, face) {
    const [mark, name, detail] = /** @type {HTMLElement[]} */ ([...item.children]);
    if (!mark || !name || !detail) return;
    if (item.dataset.state !== face.state) item.dataset.state = face.state;
    setText(mark, MARKS[face.state]);
    setText(name, faceLabel(face, this.decides).title);
    setText(detail, this.#detail(face));
  }

  /** @param {Face} face */
  #detail(face) {
    const advice = adviceText(face.advice);
    if (!this.decides) return faceLabel(face, false).detail;
    if (face.state !== "deciding") return [similarityText(face.similarity), advice].filter(Boolean).join(" · ");
    if (advice || this.votesNeeded === 0) return advice;
    return interpolate(gettext("%(votes)s of %(needed)s votes"), { votes: face.votes, needed: this.votesNeeded });
  }
}
