// @ts-check
/**
 * Django's JavaScript catalogue as imports, under the names that `makemessages` looks for.
 *
 * `/jsi18n/` defines them as globals; where it could not be loaded, or under Node, the English of
 * the source is shown.
 */

/**
 * @typedef {object} Catalogue
 * @property {(text: string) => string} [gettext]
 * @property {(singular: string, plural: string, count: number) => string} [ngettext]
 */

const catalogue = /** @type {Catalogue} */ (/** @type {unknown} */ (globalThis));

/**
 * @param {string} text
 * @returns {string}
 */
export function gettext(text) {
  return catalogue.gettext ? catalogue.gettext(text) : text;
}

/**
 * @param {string} singular
 * @param {string} plural
 * @param {number} count
 * @returns {string}
 */
export function ngettext(singular, plural, count) {
  if (catalogue.ngettext) return catalogue.ngettext(singular, plural, count);
  return count === 1 ? singular : plural;
}

/**
 * Fills `%(name)s` places of a translated sentence.
 *
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 * @returns {string}
 */
export function interpolate(sentence, values) {
  return sentence.replace(/%\((\w+)\)s/g, (_place, name) => String(values[name]));
}
