// @ts-check
/** Entering an id and, where it is asked for, a PIN: by touch, by keyboard, or by a scanner that types. */

import { byId, setText } from "../dom.js";
import { gettext } from "../i18n.js";
import { PROTOCOL } from "./messages.js";

/** What is begun and left alone for so long (ms) is forgotten: the next one must not see it. */
const FORGET_AFTER_MS = 25_000;

/**
 * @typedef {object} EntryEvents
 * @property {() => void} onBegin the first character came while no entry was open
 * @property {() => void} onChange the step changed
 * @property {(claim: {external_id: string, pin: string}) => void} onClaim
 * @property {() => void} onCancel
 */

/** The field, its keys, and what was entered so far. */
export class Entry {
  #form = byId("entry", HTMLFormElement);
  #label = byId("entry-label", HTMLElement);
  #input = byId("entry-input", HTMLInputElement);
  #letters = byId("letters", HTMLButtonElement);
  #events;
  #externalId = "";
  #forgetTimer = 0;
  /** @type {"id" | "pin"} */
  step = "id";
  needsPin = false;
  /** Whether an id may be entered now, so that keys typed anywhere are meant for it. */
  listening = false;

  /** @param {EntryEvents} events */
  constructor(events) {
    this.#events = events;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#done();
    });
    byId("entry-cancel", HTMLButtonElement).addEventListener("click", () => this.#cancel());
    byId("erase", HTMLButtonElement).addEventListener("click", () => this.#change(this.#input.value.slice(0, -1)));
    byId("keypad", HTMLElement).addEventListener("click", (event) => {
      const key = event.target instanceof HTMLElement ? event.target.dataset.key : undefined;
      if (key !== undefined) this.#change(this.#input.value + key);
    });
    this.#letters.addEventListener("click", () => {
      // Letters come from the device's own keyboard, which stays away otherwise.
      this.#input.inputMode = "text";
      this.#input.focus();
    });
    this.#input.addEventListener("input", () => this.#touched());
    document.addEventListener("keydown", (event) => this.#key(event));
    this.reset();
  }

  /** @param {boolean} shown */
  show(shown) {
    if (this.#form.hidden !== shown) return;
    this.#form.hidden = !shown;
    if (shown) this.#input.focus();
    else this.reset();
  }

  /** Forgets what was entered. */
  reset() {
    clearTimeout(this.#forgetTimer);
    this.#externalId = "";
    this.#toStep("id");
  }

  /** @param {string} externalId a code that the camera has read */
  scanned(externalId) {
    if (this.step === "id") this.#claimOrAsk(externalId);
  }

  /** @param {"id" | "pin"} step */
  #toStep(step) {
    this.step = step;
    const isPin = step === "pin";
    this.#input.value = "";
    this.#input.type = isPin ? "password" : "text";
    this.#input.inputMode = "none";
    this.#input.maxLength = isPin ? PROTOCOL.max_pin_characters : PROTOCOL.max_id_characters;
    // Browsers offer to keep what is typed into a password field; a kiosk must not.
    this.#input.autocomplete = isPin ? "one-time-code" : "off";
    setText(this.#label, isPin ? gettext("Your PIN") : gettext("Your id"));
  }

  /** @param {string} value */
  #change(value) {
    this.#input.value = value.slice(0, this.#input.maxLength);
    this.#touched();
  }

  #touched() {
    clearTimeout(this.#forgetTimer);
    this.#forgetTimer = window.setTimeout(() => this.#cancel(), FORGET_AFTER_MS);
  }

  #cancel() {
    this.reset();
    this.#events.onCancel();
    this.#events.onChange();
  }

  #done() {
    const value = this.#input.value.trim();
    if (value === "") return;
    if (this.step === "id") return this.#claimOrAsk(value);
    this.#claim(this.#externalId, value);
  }

  /** @param {string} externalId */
  #claimOrAsk(externalId) {
    if (!this.needsPin) return this.#claim(externalId, "");
    this.#externalId = externalId;
    this.#toStep("pin");
    this.#touched();
    this.#events.onChange();
  }

  /**
   * @param {string} externalId
   * @param {string} pin
   */
  #claim(externalId, pin) {
    this.reset();
    this.#events.onClaim({ external_id: externalId, pin });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.listening || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && !this.#form.hidden) return this.#cancel();
    // A key that a button with the focus understands is meant for that button.
    const onButton = event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ");
    if (event.target === this.#input || event.key.length !== 1 || onButton) return;
    event.preventDefault();
    if (this.#form.hidden) {
      this.#events.onBegin();
      this.show(true);
    }
    this.#input.focus();
    this.#change(this.#input.value + event.key);
  }
}
