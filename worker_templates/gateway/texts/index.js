/** Every sentence that a person reads, by language; the pages have none of their own. */

import ar from "./ar.js";
import de from "./de.js";
import en from "./en.js";
import { pickLanguage } from "./language.js";

/** Every language that we have; the first is the default. */
export const LANGUAGES = { en, de, ar };
/** Problem documents speak English, whoever asks: programs and logs compare them. */
export const ENGLISH = en;

/** @param {Request} request @returns {typeof en} the texts in the language that the request prefers */
export function textsFor(request) {
  return LANGUAGES[pickLanguage(request.headers.get("accept-language"), Object.keys(LANGUAGES))];
}

/**
 * @param {typeof en} texts
 * @param {string} reason
 * @returns {{title: string, detail: string, help: string}} what it means and what to do
 */
export function wordsFor(texts, reason) {
  const [title, detail, help] = Object.hasOwn(texts.reasons, reason) ? texts.reasons[reason] : texts.general;
  return { title, detail, help };
}

/**
 * A sentence with its values, as plain text.
 * @param {string} sentence with `{name}` where a value goes
 * @param {Record<string, unknown>} values
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => (Object.hasOwn(values, name) ? String(values[name]) : ""));
}
