// @ts-check
/** What pages share that have the server judge pictures one by one: the question, and the panel of what went wrong. */

import { byId, setText } from "./dom.js";
import { gettext } from "./i18n.js";

/** @typedef {import("./texts.js").Explanation} Explanation */

/** A picture was not judged; says what to tell about that. */
export class NotJudged extends Error {
  /** @param {Explanation} explanation */
  constructor(explanation) {
    super(explanation.title);
    this.explanation = explanation;
  }
}

/**
 * Has the server judge what a form holds.
 *
 * @param {HTMLElement} root holds the CSRF token
 * @param {string} address
 * @param {FormData} body
 * @param {{ loggedOut: Explanation, refused: Explanation }} reasons what a page says of either
 * @returns {Promise<any>}
 * @throws {NotJudged} when it did not
 */
export async function judged(root, address, body, { loggedOut, refused }) {
  const token = root.querySelector("[name=csrfmiddlewaretoken]");
  body.append("csrfmiddlewaretoken", token instanceof HTMLInputElement ? token.value : "");
  /** @type {Explanation} */
  let explanation;
  try {
    const response = await fetch(address, { method: "POST", body, redirect: "manual", headers: { Accept: "application/json" } });
    if (response.ok) return await response.json();
    if (response.status === 503) explanation = unavailable((await response.json()).sentence);
    else explanation = response.type === "opaqueredirect" || response.status === 403 ? loggedOut : refused;
  } catch {
    explanation = unavailable(gettext("The server could not be reached. Check the connection and try again."));
  }
  throw new NotJudged(explanation);
}

/** The panel over the video, which says what went wrong and what to do. */
export class Panel {
  #panel;
  #title;
  #advice;
  #command;
  #action;

  /**
   * @param {string} prefix of the identifiers of its elements
   * @param {() => void} onRetry its button was pressed after something that may be tried again
   */
  constructor(prefix, onRetry) {
    this.#panel = byId(`${prefix}-panel`, HTMLElement);
    this.#title = byId(`${prefix}-panel-title`, HTMLElement);
    this.#advice = byId(`${prefix}-panel-advice`, HTMLElement);
    this.#command = byId(`${prefix}-panel-command`, HTMLElement);
    this.#action = byId(`${prefix}-panel-action`, HTMLButtonElement);
    this.#action.addEventListener("click", () => (this.#action.dataset.kind === "retry" ? onRetry() : location.reload()));
  }

  hide() {
    this.#panel.hidden = true;
  }

  /** @param {Explanation} explanation */
  show(explanation) {
    setText(this.#title, explanation.title);
    setText(this.#advice, explanation.advice);
    setText(this.#command, explanation.command ?? "");
    this.#command.hidden = !explanation.command;
    this.#action.hidden = explanation.action === "";
    this.#action.dataset.kind = explanation.action;
    setText(this.#action, explanation.action === "retry" ? gettext("Try again") : gettext("Reload the page"));
    this.#panel.hidden = false;
  }
}

/**
 * @param {string} advice
 * @returns {Explanation}
 */
function unavailable(advice) {
  return { title: gettext("Pictures cannot be judged now"), advice, action: "retry" };
}
