// @ts-check
/** The page of a job keeps up with it: it asks for itself again, and shows what changed. */

import { byId } from "./dom.js";

const INTERVAL_MS = 1500;
/** After an answer that was none, such as while the server restarts. */
const RETRY_MS = 5000;

/** @returns {Promise<HTMLElement | null>} the job as the server shows it now */
async function fetched() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.getElementById("job");
}

/** Only what is new is replaced, so that the focus stays on the button while the bar moves. */
async function keepUp() {
  const shown = byId("job", HTMLDivElement);
  if (shown.dataset.isOpen !== "1") return;
  let pause = RETRY_MS;
  try {
    const now = await fetched();
    if (now) {
      pause = INTERVAL_MS;
      show(shown, now);
    }
  } catch (error) {
    // No connection: it is tried again.
    if (!(error instanceof TypeError)) throw error;
  }
  setTimeout(keepUp, pause);
}

/**
 * @param {HTMLElement} shown
 * @param {HTMLElement} now
 */
function show(shown, now) {
  if (shown.dataset.state !== now.dataset.state) {
    if (shown.dataset.whenOver === "reload" && now.dataset.isOpen !== "1") {
      // What it found stands outside of this part.
      location.reload();
      return;
    }
    const focused = shown.contains(document.activeElement) ? document.activeElement?.id : "";
    shown.replaceWith(document.adoptNode(now));
    if (focused) document.getElementById(focused)?.focus();
    return;
  }
  const next = now.querySelector("#job-progress");
  const current = shown.querySelector("#job-progress");
  if (next && current && next.innerHTML !== current.innerHTML) {
    current.replaceChildren(...next.childNodes);
  }
}

setTimeout(keepUp, INTERVAL_MS);
