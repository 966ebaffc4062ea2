// @ts-check
/** The strip of the last decisions, newest first, and what a screen reader hears of it. */

import { make } from "./dom.js";
import { gettext, interpolate } from "./i18n.js";
import { decisionName, decisionReason, similarityText } from "./texts.js";

/** @typedef {import("./messages.js").Decision} Decision */

const SHOWN = 30;

/** A door with a queue decides faster than anyone can listen; the newest decision is the one told. */
const ANNOUNCE_EVERY_MS = 3000;

/** The list in the page. */
export class DecisionStrip {
  #list;
  #empty;
  #announcer;
  #cropUrl;
  #clock;
  /** @type {string | null} */
  #pending = null;
  #announcing = false;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} empty shown while there is no decision
   * @param {HTMLElement} announcer an aria-live element that nobody sees
   * @param {string} cropUrl where an event's picture is, with 0 for its id; empty where it may not be seen
   */
  constructor(list, empty, announcer, cropUrl) {
    this.#list = list;
    this.#empty = empty;
    this.#announcer = announcer;
    this.#cropUrl = cropUrl;
    this.#clock = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { timeStyle: "medium" });
  }

  /** @param {Decision} decision */
  add(decision) {
    this.#list.prepend(this.#item(decision));
    while (this.#list.children.length > SHOWN) this.#list.lastElementChild?.remove();
    this.#empty.hidden = true;
    this.#announce(decision);
  }

  /** @param {Decision} decision */
  #item(decision) {
    const known = decision.decision === "accept";
    const item = make("li", "decision");
    item.dataset.state = known ? "known" : "unknown";
    item.dataset.decision = decision.decision;
    item.dataset.event = String(decision.event);
    item.append(this.#picture(decision, known));
    const body = make("div", "decision-body");
    body.append(make("span", "decision-name", decisionName(decision)));
    const reason = decisionReason(decision.decision);
    if (reason) body.append(make("span", "decision-reason", reason));
    const when = new Date(decision.time);
    const time = make("time", "decision-time", this.#clock.format(when));
    time.setAttribute("datetime", decision.time);
    body.append(time);
    item.append(body);
    if (decision.similarity !== null) {
      const similarity = make("span", "decision-similarity", similarityText(decision.similarity));
      similarity.title = gettext("Similarity (cosine)");
      item.append(similarity);
    }
    return item;
  }

  /**
   * @param {Decision} decision
   * @param {boolean} known
   */
  #picture(decision, known) {
    const frame = make("span", "decision-picture", known ? "\u2713" : "?");
    frame.setAttribute("aria-hidden", "true");
    if (this.#cropUrl) {
      const image = document.createElement("img");
      image.alt = "";
      image.src = this.#cropUrl.replace("/0/", `/${decision.event}/`);
      // A picture that retention has removed, or that may not be seen, leaves the mark in its place.
      image.addEventListener("error", () => image.remove());
      frame.append(image);
    }
    return frame;
  }

  /** @param {Decision} decision */
  #announce(decision) {
    const name = decisionName(decision);
    const known = decision.decision === "accept";
    this.#pending = known ? interpolate(gettext("%(name)s recognised"), { name }) : gettext("Unknown person");
    if (!this.#announcing) this.#speak();
  }

  #speak() {
    this.#announcing = this.#pending !== null;
    if (this.#pending === null) return;
    this.#announcer.textContent = this.#pending;
    this.#pending = null;
    setTimeout(() => this.#speak(), ANNOUNCE_EVERY_MS);
  }
}
