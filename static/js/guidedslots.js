// @ts-check
/** The poses of a guided enrolment, each with its picture once it is taken. */

import { make, setText } from "./dom.js";
import { gettext, interpolate } from "./i18n.js";

/**
 * A pose as the server tells of it.
 * @typedef {object} Slot
 * @property {string} pose
 * @property {string} label
 * @property {string} instruction
 * @property {"empty" | "taken" | "set_aside"} state
 * @property {string} picture address; empty where there is none, or it may not be seen
 * @property {string[]} reasons why it was set aside
 * @property {string} decide address of the page on which a doubt is answered
 */

export class GuidedSlots {
  #list;
  #onRetake;
  /** @type {Slot[]} */
  #slots = [];
  /** @type {Set<string>} */
  #skipped = new Set();
  #wanted = "";

  /**
   * @param {HTMLElement} list
   * @param {((pose: string) => void) | null} onRetake null where the user may not
   */
  constructor(list, onRetake) {
    this.#list = list;
    this.#onRetake = onRetake;
  }

  /** @returns {string} the pose that is asked for, empty when none is */
  get wanted() {
    return this.#wanted;
  }

  set wanted(pose) {
    this.#wanted = pose;
    for (const item of this.#list.children) {
      if (!(item instanceof HTMLElement)) continue;
      if (item.dataset.pose === pose) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
  }

  get isComplete() {
    return this.#slots.every((slot) => slot.state !== "empty");
  }

  /** @returns {Slot | undefined} the first pose that has no picture and was not skipped */
  next() {
    return this.#slots.find((slot) => slot.state === "empty" && !this.#skipped.has(slot.pose));
  }

  skip() {
    this.#skipped.add(this.#wanted);
  }

  forgetSkipped() {
    this.#skipped.clear();
  }

  /** @param {Slot[]} slots */
  show(slots) {
    this.#slots = slots;
    this.#list.replaceChildren(...slots.map((slot) => this.#item(slot)));
    this.wanted = this.#wanted;
  }

  /** @param {Slot} slot */
  #item(slot) {
    const item = make("li", `is-${slot.state.replace("_", "-")}`);
    item.dataset.pose = slot.pose;
    if (slot.picture) {
      const image = new Image(96, 96);
      image.className = "faceweb-thumbnail";
      image.alt = interpolate(gettext("Picture: %(pose)s"), { pose: slot.label });
      image.src = slot.picture;
      item.append(image);
    } else {
      const empty = make("span", "faceweb-slot-empty");
      empty.setAttribute("aria-hidden", "true");
      item.append(empty);
    }
    item.append(make("strong", "", slot.label), make("span", "faceweb-slot-state", stateText(slot.state)));
    item.append(...slot.reasons.map((reason) => make("p", "", reason)));
    if (slot.decide) {
      const link = document.createElement("a");
      link.className = "faceweb-link";
      link.href = slot.decide;
      setText(link, gettext("Look and decide"));
      item.append(link);
    }
    if (slot.state !== "empty" && this.#onRetake) item.append(this.#button(slot));
    return item;
  }

  /** @param {Slot} slot */
  #button(slot) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "faceweb-button is-quiet";
    setText(button, gettext("Retake"));
    button.setAttribute("aria-label", interpolate(gettext("Retake: %(pose)s"), { pose: slot.label }));
    button.addEventListener("click", () => {
      button.disabled = true;
      this.#onRetake?.(slot.pose);
    });
    return button;
  }
}

/**
 * @param {Slot["state"]} state
 * @returns {string}
 */
function stateText(state) {
  switch (state) {
    case "empty":
      return gettext("still to come");
    case "taken":
      return gettext("enrolled");
    case "set_aside":
      return gettext("set aside");
  }
}
