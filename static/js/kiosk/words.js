// @ts-check
/** The sentences of the kiosk for codes of the protocol: few words, and what to do. */

import { gettext, interpolate, ngettext } from "../i18n.js";

/** @typedef {import("./messages.js").Conclusion} Conclusion */
/** @typedef {import("./messages.js").Instruction} Instruction */

/** @typedef {"calm" | "busy" | "yes" | "no" | "unsure" | "trouble"} Tone */

/**
 * What stands on the screen.
 * @typedef {object} Words
 * @property {Tone} tone
 * @property {string} icon name of a sign in checkpoint_icons.html
 * @property {string} headline
 * @property {string} detail
 */

/**
 * @param {Instruction} instruction
 * @returns {string} empty when there is nothing to do
 */
export function instructionText(instruction) {
  switch (instruction) {
    case "stand_in_front":
      return gettext("Stand in front of the camera");
    case "come_closer":
      return gettext("Come closer");
    case "look_at_camera":
      return gettext("Look at the camera");
    case "one_person_only":
      return gettext("One person only, please");
    case "more_light":
      return gettext("Turn to the light");
    case "less_light":
      return gettext("Step out of the bright light");
    case "hold_still":
      return gettext("Hold still");
    case "move_into_picture":
      return gettext("Move into the picture");
    case "keep_looking":
      return gettext("Keep looking at the camera");
    case "step_away":
      return gettext("To try again, step away for a moment");
    case "":
      return "";
  }
}

/**
 * @param {number | null} seconds null where only staff can help
 * @returns {string}
 */
function lockedText(seconds) {
  if (seconds === null) return gettext("Too many attempts. Please ask staff.");
  const minutes = Math.ceil(seconds / 60);
  if (seconds < 100) {
    const whole = Math.max(1, Math.ceil(seconds));
    const text = ngettext(
      "Too many attempts. Try again in %(count)s second, or ask staff.",
      "Too many attempts. Try again in %(count)s seconds, or ask staff.",
      whole,
    );
    return interpolate(text, { count: whole });
  }
  const text = ngettext(
    "Too many attempts. Try again in %(count)s minute, or ask staff.",
    "Too many attempts. Try again in %(count)s minutes, or ask staff.",
    minutes,
  );
  return interpolate(text, { count: minutes });
}

/**
 * @param {Conclusion} conclusion
 * @returns {Words}
 */
export function conclusionWords(conclusion) {
  switch (conclusion.sentence) {
    case "welcome":
      return {
        tone: "yes",
        icon: "yes",
        headline: interpolate(gettext("Welcome, %(name)s"), { name: conclusion.person ?? "" }),
        detail: gettext("You may pass."),
      };
    case "not_recognised":
      return {
        tone: "no",
        icon: "no",
        headline: gettext("Not recognised"),
        detail: gettext("Try again, or ask staff."),
      };
    case "not_confirmed":
      return {
        tone: "no",
        icon: "no",
        headline: gettext("Not confirmed"),
        detail: gettext("This could not be confirmed. Try again, or ask staff."),
      };
    case "not_allowed":
      return {
        tone: "no",
        icon: "no",
        headline: gettext("No entry"),
        detail: gettext("You may not pass here now. Please ask staff."),
      };
    case "not_seen_well":
      return {
        tone: "unsure",
        icon: "again",
        headline: gettext("Please try again"),
        detail: gettext("Your face could not be seen well enough."),
      };
    case "several_people":
      return {
        tone: "unsure",
        icon: "people",
        headline: gettext("One person only, please"),
        detail: gettext("Several people were in the picture. Come forward alone."),
      };
    case "time_up":
      return {
        tone: "unsure",
        icon: "again",
        headline: gettext("Please try again"),
        detail: gettext("There was not enough time."),
      };
    case "locked_out":
      return { tone: "no", icon: "lock", headline: gettext("Locked"), detail: lockedText(conclusion.locked_for_s) };
    case "error":
      return { tone: "trouble", icon: "warn", headline: gettext("Error"), detail: gettext("Please ask staff.") };
  }
}

/**
 * A state of the installation in which nobody can be decided about.
 *
 * @param {string} code a notice code
 * @returns {Words | null} null when the kiosk works
 */
export function closedWords(code) {
  switch (code) {
    case "out_of_use":
      return {
        tone: "trouble",
        icon: "off",
        headline: gettext("Out of use"),
        detail: gettext("This checkpoint is switched off. Please ask staff."),
      };
    case "database_unavailable":
      return {
        tone: "trouble",
        icon: "warn",
        headline: gettext("Not ready"),
        detail: gettext("Staff: the database does not answer, so nobody can be recognised. The page tries again by itself."),
      };
    case "pack_without_thresholds":
      return {
        tone: "trouble",
        icon: "warn",
        headline: gettext("Not ready"),
        detail: gettext("Staff: the model pack has no measured thresholds, so nobody can be recognised."),
      };
    default:
      return null;
  }
}

/**
 * A state in which the kiosk works, and staff should know of it.
 *
 * @param {string} code a notice code
 * @returns {string} empty when there is nothing to say
 */
export function noticeText(code) {
  switch (code) {
    case "gallery_empty":
      return gettext("Staff: nobody is enrolled yet, so nobody will be recognised.");
    case "needs_reembedding":
      return gettext("Staff: some people were enrolled with another model pack and are not recognised.");
    case "worker_unavailable":
      return gettext("Staff: no recognition worker answers, so nobody is being recognised.");
    default:
      return "";
  }
}

/**
 * @typedef {object} Refusal
 * @property {Words} words
 * @property {"pair" | "login" | "reload" | "take_over" | ""} action the button that helps
 */

/**
 * @param {string} code an error code with which the server ended the connection for good
 * @returns {Refusal}
 */
export function refusal(code) {
  /** @type {(icon: string, headline: string, detail: string) => Words} */
  const trouble = (icon, headline, detail) => ({ tone: "trouble", icon, headline, detail });
  switch (code) {
    case "not_paired":
      return {
        words: trouble(
          "off",
          gettext("This device is not paired"),
          gettext("It was removed, or belongs to another checkpoint. An operator can make a new code."),
        ),
        action: "pair",
      };
    case "not_authenticated":
    case "not_permitted":
      return {
        words: trouble("lock", gettext("Logged out"), gettext("Log in again, or pair this device.")),
        action: "login",
      };
    case "no_such_checkpoint":
      return {
        words: trouble("off", gettext("This checkpoint is gone"), gettext("Its address was changed or removed.")),
        action: "pair",
      };
    case "opened_elsewhere":
      return {
        words: trouble(
          "off",
          gettext("Open in another window"),
          gettext("This kiosk shows its page there now. Close this window, or go on here in its place."),
        ),
        action: "take_over",
      };
    case "foreign_origin":
      return {
        words: trouble(
          "warn",
          gettext("The server does not know this address"),
          gettext("Open the page by an address that the server was started for."),
        ),
        action: "",
      };
    default:
      return {
        words: trouble("warn", gettext("Error"), gettext("Please ask staff. The page tries again by itself.")),
        action: "reload",
      };
  }
}
