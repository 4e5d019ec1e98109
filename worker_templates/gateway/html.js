/**
 * The design system's parts as HTML: text, links, buttons, forms, facts.
 *
 * May not: write a value unescaped. Whatever comes from outside the texts is set apart with `<bdi>` or `dir`, so that it
 * can't turn the direction of the sentence around it.
 */

import { fill } from "./texts/index.js";

/** @param {unknown} value @returns {string} text for HTML, also inside a quoted attribute */
export function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A value from outside, with a direction of its own. */
export function apart(value) {
  return `<bdi>${escapeHtml(value)}</bdi>`;
}

/** A sentence of the texts; its values are escaped and set apart. */
export function say(sentence, values = {}) {
  const shown = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, apart(value)]));
  return fill(escapeHtml(sentence), shown);
}

/** A code that people pass on: one click selects all of it. */
export function code(value) {
  return `<code class="id" dir="ltr">${escapeHtml(value)}</code>`;
}

/** @param {string} href @param {string} label HTML @param {{isMain?: boolean}} [look] */
export function link(href, label, { isMain = false } = {}) {
  return `<a class="go${isMain ? " main" : ""}" href="${escapeHtml(href)}"><span>${label}</span></a>`;
}

/** @param {string} label HTML @param {{isMain?: boolean, name?: string, value?: string}} [look] */
export function button(label, { isMain = false, name, value = "" } = {}) {
  const sent = name ? ` name="${escapeHtml(name)}" value="${escapeHtml(value)}"` : "";
  return `<button class="go${isMain ? " main" : ""}"${sent}>${label}</button>`;
}

/** @param {string} action a path of this gateway @param {...string} parts HTML */
export function form(action, ...parts) {
  return `<form method="post" action="${escapeHtml(action)}">${parts.join("")}</form>`;
}

/** Primary action first. @param {...string} items HTML */
export function actions(...items) {
  return `<div class="part actions">${items.join("")}</div>`;
}

/** A part of a page under a heading of its own. @param {string} title HTML @param {...string} parts HTML */
export function part(title, ...parts) {
  return `<section class="part ruled"><h2>${title}</h2>${parts.join("")}</section>`;
}

/**
 * Names and values; those without a value are left out, and so is the list where nothing is left.
 * @param {[string, string | null | undefined][]} entries name and value, both HTML
 */
export function facts(entries, kind = "facts") {
  const rows = entries.filter(([, value]) => value);
  if (rows.length === 0) return "";
  return `<dl class="${kind}">${rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")}</dl>`;
}

const ICONS = {
  lock: `<rect x="5" y="10.5" width="14" height="9.5" rx="2.2"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5M12 14.2v2.2"/>`,
  clock: `<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>`,
  cloud: `<path d="M9 18.5h8.2a3.8 3.8 0 0 0 1.6-7.2 6 6 0 0 0-8.6-4.6M7 8.8a6 6 0 0 0-.8 1.9 4 4 0 0 0 .8 7.8M4 4l16 16"/>`,
  done: `<circle cx="12" cy="12" r="8.5"/><path d="m8.4 12.3 2.5 2.5 4.8-5.3"/>`,
  alert: `<path d="M10.6 4.7 3.5 17.2A1.6 1.6 0 0 0 4.9 19.6h14.2a1.6 1.6 0 0 0 1.4-2.4L13.4 4.7a1.6 1.6 0 0 0-2.8 0zM12 10v3.6M12 16.6v.1"/>`,
  leave: `<g class="turns" transform-origin="12 12"><path d="M14 8V6a1.6 1.6 0 0 0-1.6-1.6H6.6A1.6 1.6 0 0 0 5 6v12a1.6 1.6 0 0 0 1.6 1.6h5.8A1.6 1.6 0 0 0 14 18v-2M10 12h10M17 9l3 3-3 3"/></g>`,
  info: `<circle cx="12" cy="12" r="8.5"/><path d="M12 11.2v4.6M12 8.2v.1"/>`,
};

/** A picture that says nothing which the title doesn't. @param {keyof typeof ICONS} name */
export function icon(name) {
  return `<div class="badge" aria-hidden="true"><svg viewBox="0 0 24 24">${ICONS[name]}</svg></div>`;
}
