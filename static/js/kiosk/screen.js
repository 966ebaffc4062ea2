// @ts-check
/** What the kiosk shows for what it knows: one thing at a time, the gravest first. Nothing here touches the document. */

import { gettext } from "../i18n.js";
import { closedWords, conclusionWords, instructionText, refusal } from "./words.js";

/** @typedef {import("./messages.js").Conclusion} Conclusion */
/** @typedef {import("./messages.js").Mode} Mode */
/** @typedef {import("./messages.js").State} State */
/** @typedef {import("./words.js").Words} Words */

/**
 * Everything that the page knows.
 * @typedef {object} Knowledge
 * @property {string} refused error code of a connection that ended for good, or empty
 * @property {import("../texts.js").Explanation | null} cameraTrouble
 * @property {boolean} cameraRuns
 * @property {boolean} connected whether the server has welcomed the page
 * @property {boolean} wasConnected whether it ever has
 * @property {string} waitsFor error code of a connection that ended for a while, or empty
 * @property {Mode} mode
 * @property {string} notice code
 * @property {State | null} state
 * @property {Conclusion | null} conclusion
 * @property {"id" | "pin"} step of the entry
 */

/** @typedef {"" | "start" | "enter_id" | "pair" | "login" | "reload" | "take_over"} Action */

/**
 * @typedef {object} Screen
 * @property {"connecting" | "camera" | "closed" | "refused" | "ready" | "claim" | "looking" | "result"} state
 * @property {Words} words
 * @property {Action} action what its button does
 * @property {string} actionLabel
 * @property {boolean} mirror whether the camera's picture is shown
 * @property {boolean} entry whether an id, or a PIN, can be entered
 */

/**
 * @param {Screen["state"]} state
 * @param {Words} words
 * @param {Partial<Screen>} [more]
 * @returns {Screen}
 */
function screen(state, words, more = {}) {
  return { state, words, action: "", actionLabel: "", mirror: false, entry: false, ...more };
}

/**
 * @param {string} icon
 * @param {string} headline
 * @param {string} [detail]
 * @returns {Words}
 */
function calm(icon, headline, detail = "") {
  return { tone: "calm", icon, headline, detail };
}

/**
 * @param {Knowledge} known
 * @returns {Screen}
 */
export function screenOf(known) {
  if (known.refused) return refusedScreen(known.refused);
  if (known.cameraTrouble) {
    const { title, advice, action } = known.cameraTrouble;
    const words = /** @type {Words} */ ({ tone: "trouble", icon: "camera", headline: title, detail: advice });
    return screen("camera", words, { action: action ? "start" : "", actionLabel: gettext("Start the camera") });
  }
  if (!known.cameraRuns) {
    return screen("camera", calm("camera", gettext("Allow the camera"), gettext("Answer the browser's question.")));
  }
  if (!known.connected && known.waitsFor === "database_unavailable") {
    return screen("closed", /** @type {Words} */ (closedWords(known.waitsFor)));
  }
  if (!known.connected || !known.state) {
    const lost = calm("wait", gettext("Connection lost"), gettext("The page tries again by itself."));
    return screen("connecting", known.wasConnected ? lost : calm("wait", gettext("One moment"), gettext("Connecting")));
  }
  const closed = closedWords(known.notice);
  return closed ? screen("closed", closed) : phaseScreen(known, known.state);
}

/**
 * @param {string} code
 * @returns {Screen}
 */
function refusedScreen(code) {
  const { words, action } = refusal(code);
  const labels = {
    "": "",
    pair: gettext("Pair this device"),
    login: gettext("Log in"),
    reload: gettext("Try again"),
    take_over: gettext("Go on here"),
  };
  return screen("refused", words, { action, actionLabel: labels[action] });
}

/**
 * @param {Knowledge} known
 * @param {State} state
 * @returns {Screen}
 */
function phaseScreen(known, state) {
  switch (state.phase) {
    case "result":
      if (known.conclusion) return screen("result", conclusionWords(known.conclusion));
      return screen("connecting", calm("wait", gettext("One moment")));
    case "looking":
      return screen(
        "looking",
        { tone: "busy", icon: "face", headline: instructionText(state.instruction), detail: "" },
        { mirror: true },
      );
    case "claim":
      if (known.step === "pin") return screen("claim", calm("pin", gettext("Enter your PIN")), { entry: true });
      return screen(
        "claim",
        calm("card", gettext("Enter or scan your id"), gettext("Type it, or hold its code before the camera.")),
        { mirror: true, entry: true },
      );
    case "ready":
      return readyScreen(known, state);
  }
}

/**
 * @param {Knowledge} known
 * @param {State} state
 * @returns {Screen}
 */
function readyScreen(known, state) {
  const again = instructionText(state.instruction);
  const offersEntry = known.mode === "both";
  const detail = offersEntry ? gettext("Or enter or scan your id.") : gettext("One person at a time.");
  const words = again ? calm("again", again) : calm("face", gettext("Look at the camera"), detail);
  return screen("ready", words, {
    mirror: true,
    action: offersEntry ? "enter_id" : "",
    actionLabel: offersEntry ? gettext("Enter your id") : "",
  });
}
