// @ts-check
/** Keeps the screen of a guard's tablet on while the page is live, where the browser can. */

export class ScreenLock {
  /** @type {WakeLockSentinel | null} */
  #sentinel = null;
  #wanted = false;

  async hold() {
    this.#wanted = true;
    if (!("wakeLock" in navigator) || (this.#sentinel && !this.#sentinel.released)) return;
    try {
      this.#sentinel = await navigator.wakeLock.request("screen");
    } catch (error) {
      // Refused on low battery, for example: the page works the same, the screen may just go dark.
      if (!(error instanceof DOMException)) throw error;
    }
    // Stopped while the browser was still asked.
    if (!this.#wanted) this.release();
  }

  release() {
    this.#wanted = false;
    this.#sentinel?.release();
    this.#sentinel = null;
  }
}
