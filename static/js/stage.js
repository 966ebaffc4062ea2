// @ts-check
/** What the page says about itself: the status pill, the panel over the video, and the banners. */

import { byId, setText } from "./dom.js";
import { gettext } from "./i18n.js";

/** @typedef {import("./texts.js").Explanation} Explanation */

/**
 * @typedef {"idle" | "asking" | "connecting" | "running" | "paused" | "reconnecting" | "stopped" | "error"} LiveState
 */

/**
 * @typedef {object} StateTexts
 * @property {string} pill
 * @property {string} title of the panel; empty shows no panel
 * @property {string} advice
 */

/**
 * @param {LiveState} state
 * @returns {StateTexts}
 */
function textsOf(state) {
  switch (state) {
    case "idle":
      return {
        pill: gettext("Off"),
        title: gettext("Ready when you are"),
        advice: gettext(
          "The camera's pictures go to this server only. With each decision one picture of the face is kept, no video.",
        ),
      };
    case "asking":
      return {
        pill: gettext("Waiting for the camera"),
        title: gettext("Allow the camera"),
        advice: gettext("Answer the browser's question at the top of the window."),
      };
    case "connecting":
      return { pill: gettext("Connecting"), title: gettext("Connecting to the server"), advice: "" };
    case "running":
      return { pill: gettext("Running"), title: "", advice: "" };
    case "paused":
      return {
        pill: gettext("Paused"),
        title: gettext("Paused"),
        advice: gettext("Nothing is sent while this page is hidden."),
      };
    case "reconnecting":
      return {
        pill: gettext("Reconnecting"),
        title: gettext("Connection lost"),
        advice: gettext("Nobody is being recognised. The page tries again by itself."),
      };
    case "stopped":
      return {
        pill: gettext("Stopped"),
        title: gettext("Stopped"),
        advice: gettext("The camera is off and nothing is sent."),
      };
    case "error":
      return { pill: gettext("Needs attention"), title: "", advice: "" };
  }
}

/** States in which the button stops what is going on; in the others it starts. */
const STOPPABLE = new Set(["asking", "connecting", "running", "paused", "reconnecting"]);

/** The visible state of the page. */
export class Stage {
  #root = byId("live", HTMLElement);
  #pill = byId("status-text", HTMLElement);
  #panel = byId("panel", HTMLElement);
  #title = byId("panel-title", HTMLElement);
  #advice = byId("panel-advice", HTMLElement);
  #command = byId("panel-command", HTMLElement);
  #action = byId("panel-action", HTMLButtonElement);
  #toggle = byId("toggle", HTMLButtonElement);
  #stale = byId("stale", HTMLElement);
  #notice = byId("notice", HTMLElement);
  /** @type {Explanation["action"] | "start"} */
  #actionKind = "start";
  /** @type {LiveState} */
  state = "idle";

  /** @param {(kind: Explanation["action"] | "start") => void} onAction the panel's button was pressed */
  constructor(onAction) {
    this.#action.addEventListener("click", () => onAction(this.#actionKind));
  }

  /** @returns {boolean} whether something runs that can be stopped */
  get stoppable() {
    return STOPPABLE.has(this.state);
  }

  /**
   * @param {LiveState} state
   * @param {Explanation} [explanation] what happened, for the states "error" and "reconnecting"
   */
  enter(state, explanation) {
    this.state = state;
    this.#root.dataset.state = state;
    const texts = textsOf(state);
    setText(this.#pill, texts.pill);
    setText(this.#title, explanation?.title ?? texts.title);
    setText(this.#advice, explanation?.advice ?? texts.advice);
    setText(this.#command, explanation?.command ?? "");
    this.#command.hidden = !explanation?.command;
    this.#panel.hidden = this.#title.textContent === "";
    const startable = state === "idle" || state === "stopped";
    this.#offer(startable ? "start" : (explanation?.action ?? ""));
    setText(this.#toggle, this.stoppable ? gettext("Stop") : gettext("Start"));
    if (state !== "running") this.stale = "";
  }

  /** @param {string} text why the picture cannot be relied on; empty hides the banner */
  set stale(text) {
    this.#stale.hidden = text === "";
    setText(this.#stale, text);
  }

  /** @param {string} text a state of the installation; empty hides the banner */
  set notice(text) {
    this.#notice.hidden = text === "";
    setText(this.#notice, text);
  }

  /** @param {Explanation["action"] | "start"} kind */
  #offer(kind) {
    this.#actionKind = kind;
    this.#action.hidden = kind === "";
    const labels = {
      "": "",
      start: gettext("Start the camera"),
      retry: gettext("Try again"),
      login: gettext("Log in"),
      reload: gettext("Reload the page"),
    };
    setText(this.#action, labels[kind]);
  }
}
