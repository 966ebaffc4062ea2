// @ts-check
/** The sentences for codes: what is wrong in plain words, and what to do about it. */

import { gettext, interpolate } from "./i18n.js";

/** @typedef {import("./camera.js").CameraErrorCode} CameraErrorCode */
/** @typedef {import("./messages.js").Advice} Advice */
/** @typedef {import("./messages.js").Decision} Decision */
/** @typedef {import("./messages.js").Face} Face */

/**
 * @typedef {object} Explanation
 * @property {string} title what is wrong
 * @property {string} advice what to do
 * @property {string} [command] what to type where the server is started
 * @property {"" | "retry" | "login" | "reload"} action the button that helps
 */

/**
 * @param {CameraErrorCode} code
 * @param {string} host name that this page was opened with
 * @returns {Explanation}
 */
export function explainCamera(code, host) {
  switch (code) {
    case "insecure":
      return {
        title: gettext("The camera needs a secure page"),
        advice: interpolate(
          gettext(
            "This page was opened as http://%(host)s. Browsers give the camera only to pages opened with https, or on the same machine as http://localhost. Start the server with the command below and open its https address here.",
          ),
          { host },
        ),
        command: "faceweb up --host 0.0.0.0 --https",
        action: "",
      };
    case "unsupported":
      return {
        title: gettext("This browser cannot use a camera"),
        advice: gettext("Open this page in a current version of Firefox, Chrome, Edge or Safari."),
        action: "",
      };
    case "denied":
      return {
        title: gettext("The browser does not allow the camera"),
        advice: gettext(
          "Open the site settings beside the address, allow the camera for this page, then try again. If your organisation manages this browser, it may have to be allowed there.",
        ),
        action: "retry",
      };
    case "not_found":
      return {
        title: gettext("No camera found"),
        advice: gettext("Plug in a camera or switch it on, then try again."),
        action: "retry",
      };
    case "in_use":
      return {
        title: gettext("The camera is busy"),
        advice: gettext(
          "Another program or page is using it, or it could not be started. Close other programs that show the camera, then try again.",
        ),
        action: "retry",
      };
    case "no_such_mode":
      return {
        title: gettext("The camera cannot deliver a usable picture"),
        advice: gettext("Choose another camera, then try again."),
        action: "retry",
      };
    case "ended":
      return {
        title: gettext("The camera was disconnected"),
        advice: gettext("It was unplugged, switched off, or its permission was taken back. Connect it and try again."),
        action: "retry",
      };
    case "failed":
      return {
        title: gettext("The camera could not be started"),
        advice: gettext("Unplug the camera and plug it in again, or restart the browser, then try again."),
        action: "retry",
      };
  }
}

/**
 * @param {string} code an error code of the protocol
 * @returns {Explanation}
 */
export function explainRefusal(code) {
  switch (code) {
    case "not_authenticated":
      return {
        title: gettext("You are logged out"),
        advice: gettext("Your session has ended or you logged out on another page. Log in to go on."),
        action: "login",
      };
    case "not_permitted":
      return {
        title: gettext("You may not use the live page"),
        advice: gettext("The permission was taken from your account. Ask an administrator of this installation."),
        action: "login",
      };
    case "foreign_origin":
      return {
        title: gettext("The server does not know this address"),
        advice: gettext(
          "Open the page by an address that the server was started for, or have this one added to its allowed hosts.",
        ),
        action: "",
      };
    case "unsupported_protocol":
      return {
        title: gettext("This page is older or newer than the server"),
        advice: gettext("The server was updated while the page was open. Reload the page."),
        action: "reload",
      };
    case "frame_too_large":
      return {
        title: gettext("The camera's pictures are too large"),
        advice: gettext("Choose a lower resolution or another camera, then try again."),
        action: "retry",
      };
    default:
      return {
        title: gettext("The server ended the connection"),
        advice: gettext("Try again; if it happens again, tell an administrator and name the time."),
        action: "retry",
      };
  }
}

/**
 * Why the page waits before it tries again by itself.
 *
 * @param {string} code an error code of the protocol, or empty
 * @returns {Explanation | undefined} undefined when nothing is known but that the connection is lost
 */
export function explainWaiting(code) {
  if (code === "server_stopped") {
    return {
      title: gettext("The server is being stopped"),
      advice: gettext("Nobody is being recognised until it runs again. The page tries again by itself."),
      action: "",
    };
  }
  if (code !== "database_unavailable") return undefined;
  return {
    title: gettext("The database does not answer"),
    advice: gettext("Nobody is being recognised, and no decision counts that is not shown here. The page tries again by itself."),
    action: "",
  };
}

/**
 * What the state of the installation means for the person who watches.
 *
 * @param {string} code a notice code of the protocol
 * @returns {string} empty when there is nothing to say
 */
export function noticeText(code) {
  switch (code) {
    case "gallery_empty":
      return gettext("Nobody is enrolled yet, so every face will be unknown.");
    case "needs_reembedding":
      return gettext(
        "The gallery was made with another model pack and must be re-embedded. Until then nobody can be recognised.",
      );
    case "pack_without_thresholds":
      return gettext("The model pack has no measured thresholds: similarities are shown, but nobody is recognised.");
    case "worker_unavailable":
      return gettext("The recognition worker does not answer. Pictures are not being analysed.");
    case "database_unavailable":
      return gettext("The database does not answer. Pictures are not being analysed, and nobody is recognised.");
    default:
      return "";
  }
}

/**
 * @param {Advice} advice
 * @returns {string}
 */
export function adviceText(advice) {
  switch (advice) {
    case "face_too_small":
      return gettext("Come closer");
    case "low_sharpness":
      return gettext("Hold still");
    case "too_dark":
      return gettext("More light needed");
    case "too_bright":
      return gettext("Too bright");
    case "extreme_pose":
      return gettext("Look at the camera");
    case "face_clipped":
      return gettext("Move into the picture");
    case "low_detection_score":
      return gettext("Show your whole face");
    default:
      return "";
  }
}

/**
 * A similarity is a cosine, never a probability: no percentage.
 *
 * @param {number | null} similarity
 * @returns {string}
 */
export function similarityText(similarity) {
  return similarity === null ? "" : similarity.toFixed(2);
}

/**
 * @param {Face} face
 * @param {boolean} decides whether the model pack has thresholds to decide by; without them similarities are shown
 * @returns {{title: string, detail: string}}
 */
export function faceLabel(face, decides) {
  const advice = adviceText(face.advice);
  if (face.state === "deciding" && decides) return { title: gettext("Deciding"), detail: advice };
  if (face.state === "deciding") {
    const similarity = interpolate(gettext("similarity %(similarity)s"), { similarity: similarityText(face.similarity) });
    return { title: gettext("Not decided"), detail: face.similarity === null ? advice : similarity };
  }
  const title = face.person?.name ?? gettext("Unknown");
  return { title, detail: [similarityText(face.similarity), advice].filter(Boolean).join(" · ") };
}

/**
 * Who was decided on; anything but an acceptance leaves the person unknown.
 *
 * @param {Decision} decision
 * @returns {string}
 */
export function decisionName(decision) {
  return decision.decision === "accept" && decision.person ? decision.person.name : gettext("Unknown");
}

/**
 * @param {string} code a decision code of the glossary
 * @returns {string} why nobody was recognised, empty for an acceptance
 */
export function decisionReason(code) {
  switch (code) {
    case "accept":
      return "";
    case "reject_no_match":
      return gettext("Not like anyone enrolled");
    case "reject_ambiguous":
      return gettext("Like more than one person");
    case "reject_not_allowed":
      return gettext("Not allowed here");
    case "no_decision_quality":
      return gettext("Picture not good enough");
    case "no_decision_timeout":
      return gettext("No decision in time");
    default:
      return gettext("No decision");
  }
}
