/**
 * The ways on that a page offers: what opens instead, whom to ask, and another account.
 *
 * May not: offer what a role can't certainly open, or give an address anything but the request's id and reason.
 */

import { brand } from "./brand.js";
import config from "./config.js";
import { apart, button, form, link, part, say } from "./html.js";
import { canOpen } from "./policy.js";
import { table } from "./table.js";
import { fill } from "./texts/index.js";

const MAX_LINKS = 8;

/** A way out. It is a form, since a link could be followed without being meant. */
export function signOutForm({ ui }, isMain = false) {
  return form("/_gateway/sign-out", button(ui.signOut, { isMain }));
}

/** Signing out, for whoever is here with an account that was not meant. */
export function otherAccount(texts, isMain) {
  return `<div class="part ruled row"><p class="soft">${texts.ui.otherAccount}</p>${signOutForm(texts, isMain)}</div>`;
}

/** Where people can ask; a mail begins with what the answer will need. */
export function askPart({ ui }, { title, text, id, reason }) {
  if (!brand.support) return "";
  const { url, text: who } = brand.support;
  const subject = fill(ui.askSubject, { brand: brand.name, id }).toWellFormed();
  const body = [config.public_url, reason, id].filter(Boolean).join("\n");
  const mail = `subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(`\n\n${body}\n`)}`;
  const href = url.startsWith("mailto:") ? `${url}${url.includes("?") ? "&" : "?"}${mail}` : url;
  return part(title, `<p class="soft">${text}</p>`, `<div class="actions">${link(href, say(ui.ask, { who }))}</div>`);
}

/** What a role can certainly open: its landing page, and of the dashboards that its rules name those that none takes away. */
export function openings(role) {
  const rules = Object.hasOwn(table.roles, role ?? "") ? table.roles[role] : null;
  if (!rules) return [];
  const named = rules.allow
    .filter((rule) => rule.actions.includes("dashboard:view"))
    .flatMap((rule) => (Array.isArray(rule.on?.dashboard) ? rule.on.dashboard : []))
    .filter((id) => /^[0-9]+$/.test(id))
    .map((id) => `/dashboard/${id}`);
  // Machines' roles have no landing page.
  const paths = [...new Set([rules.landing, ...named])].filter(Boolean);
  return paths.filter((path) => canOpen(role, path)).slice(0, MAX_LINKS);
}

function openingLabel(texts, path) {
  if (path === "/") return texts.ui.home;
  const [, kind, id] = /^\/([a-z]+)\/(\d+)/.exec(path) ?? [];
  return Object.hasOwn(texts.kinds, kind ?? "") ? say(texts.kinds[kind], { id }) : apart(path);
}

/** The pages of a role as links; nothing where it has none. */
export function openingsPart(texts, role) {
  const paths = openings(role);
  if (paths.length === 0) return "";
  const rows = paths.map((path, i) => `<li>${link(path, openingLabel(texts, path), { isMain: i === 0 })}</li>`);
  return part(texts.ui.openings, `<ul class="ways">${rows.join("")}</ul>`);
}
