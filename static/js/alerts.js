// @ts-check
/** The banner that says: somebody of the deny list is, or was, at a checkpoint. */

import { make } from "./dom.js";
import { gettext, interpolate, ngettext } from "./i18n.js";

/** @typedef {import("./messages.js").Alert} Alert */

/** Open alerts, told by the newest. */
export class AlertBanner {
  #banner;
  #eventUrl;
  #clock = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { timeStyle: "short" });

  /**
   * @param {HTMLElement} banner
   * @param {string} eventUrl where an event is, with 0 for its id; empty where it may not be seen
   */
  constructor(banner, eventUrl) {
    this.#banner = banner;
    this.#eventUrl = eventUrl;
  }

  /** @param {Alert} alert */
  show(alert) {
    this.#banner.hidden = alert.open === 0;
    if (alert.open === 0) return;
    const values = { place: alert.place, time: this.#clock.format(new Date(alert.time)) };
    const words = interpolate(gettext("Somebody of the deny list was met: %(place)s, %(time)s."), values);
    this.#banner.replaceChildren(make("strong", "", words));
    if (alert.open > 1) {
      const more = ngettext("%(count)s more alert is open.", "%(count)s more alerts are open.", alert.open - 1);
      this.#banner.append(" ", interpolate(more, { count: alert.open - 1 }));
    }
    if (this.#eventUrl) this.#banner.append(" ", this.#link(alert.event));
  }

  /** @param {number} event */
  #link(event) {
    const link = document.createElement("a");
    link.href = this.#eventUrl.replace("/0/", `/${event}/`);
    link.textContent = gettext("Look at the event");
    return link;
  }
}
