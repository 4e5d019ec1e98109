/**
 * The gateway's own pages: one layout, no script, no external asset, no form but signing out.
 *
 * May not: write a value unescaped, show a token or a claim (CVE-2024-39315), or redirect.
 */

import config from "./config.js";
import { STYLE } from "./style.js";
import { table } from "./table.js";
import { allReasons, wordsFor } from "./texts.js";

const MAX_LINKS = 8;
const FORM_TARGETS = ["'self'", ...signOutOrigins()].join(" ");

/** Headers of everything that the gateway answers by itself. */
export function plainHeaders() {
  return {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  };
}

/** @param {unknown} value @returns {string} text for HTML */
export function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function page({ title, body, status, headers = {} }) {
  const nonce = crypto.randomUUID();
  const brand = escapeHtml(config.brand.name);
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${escapeHtml(title)} · ${brand}</title><style nonce="${nonce}">${STYLE}</style></head>
<body><main><p class="brand">${brand}</p><h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>`;
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${FORM_TARGETS}; frame-ancestors 'none'; base-uri 'none'`;
  return new Response(html, {
    status,
    headers: {
      ...plainHeaders(),
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy,
      "X-Frame-Options": "DENY",
      ...headers,
    },
  });
}

/** Signing out is a form whose redirects lead to the provider, or to Access; `form-action` must name where they go. */
function signOutOrigins() {
  const { mode, access, end_session_endpoint: end } = config.identity;
  const ends = mode === "access" ? [access.issuer] : end ? [end] : [];
  return ends.map((url) => new URL(url).origin);
}

function link(path, label, isMain = false) {
  return `<a class="go${isMain ? " main" : ""}" href="${escapeHtml(path)}">${escapeHtml(label)}</a>`;
}

function signOutForm(isMain = false) {
  return `<form method="post" action="/_gateway/sign-out"><button${isMain ? ' class="main"' : ""}>Sign out</button></form>`;
}

function actions(...items) {
  return `<div class="actions">${items.join("")}</div>`;
}

function requestLine(id) {
  return id ? `<p class="id">Request <code>${escapeHtml(id)}</code></p>` : "";
}

function facts(entries) {
  const rows = entries.filter(([, value]) => value);
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join("")}</dl>`;
}

/** What a role can certainly open: its landing page, and the dashboards that its rules name. */
export function openings(role) {
  const rules = Object.hasOwn(table.roles, role ?? "") ? table.roles[role] : null;
  if (!rules) return [];
  const named = rules.allow
    .filter((rule) => rule.actions.includes("dashboard:view"))
    .flatMap((rule) => (Array.isArray(rule.on?.dashboard) ? rule.on.dashboard : []))
    .filter((id) => /^[0-9]+$/.test(id))
    .map((id) => `/dashboard/${id}`);
  return [...new Set([rules.landing, ...named])].slice(0, MAX_LINKS);
}

function openingLabel(path) {
  const dashboard = /^\/dashboard\/(\d+)/.exec(path);
  return dashboard ? `Dashboard ${dashboard[1]}` : path === "/" ? "Home" : path;
}

/**
 * Says why, by which rule, and where to go instead.
 * @param {{reason: string, role: string | null, who: string | null, isSignedIn: boolean, rule?: string | null, resource?: {kind: string, id: string} | null, path?: string, id: string}} told
 * @param {number} status
 */
export function deniedPage(told, status) {
  const { title, detail } = wordsFor(told.reason);
  const links = openings(told.role).map((path, i) => `<li>${link(path, openingLabel(path), i === 0)}</li>`);
  const where = links.length ? `<h2>What your role can open</h2><ul>${links.join("")}</ul>` : "";
  const resource = told.resource ? `${told.resource.kind} ${told.resource.id}` : null;
  const why = facts([
    ["Signed in as", told.who],
    ["Role", told.isSignedIn ? (told.role ?? "none") : null],
    ["You asked for", resource ?? told.path],
    ["Reason", told.reason === "denied" ? null : told.reason],
    ["Rule", told.rule],
    ["Request", told.id],
  ]);
  const way = told.isSignedIn ? signOutForm(links.length === 0) : link("/", "Sign in", true);
  return page({ title, body: `<p>${escapeHtml(detail)}</p>${where}${actions(way)}${why}`, status });
}

/** The origin, or what leads to it, does not answer. */
export function unreachablePage(record, headers) {
  return simplePage(record, 503, headers, link(againPath(record), "Try again", true));
}

/** Anything else that went wrong. */
export function failurePage(record, status, headers) {
  const again = link("/", "Go to the start page", true);
  return simplePage(record, status, headers, again, record.principal ? signOutForm() : "");
}

function simplePage(record, status, headers, ...ways) {
  const { title, detail } = wordsFor(record.reason);
  const body = `<p>${escapeHtml(detail)}</p>${actions(...ways)}${requestLine(record.requestId)}`;
  return page({ title, body, status, headers });
}

/** The same page again, but for the gateway's own ones, which can't be repeated. */
function againPath(record) {
  return record.path.startsWith("/_gateway") ? "/" : record.path + record.search;
}

/** After signing out. */
export function signedOutPage(headers) {
  const body = `<p>Your session here has ended. Close the browser too if others use this device.</p>${actions(link("/", "Sign in again", true))}`;
  return page({ title: "You are signed out", body, status: 200, headers });
}

/** GET of sign-out: asks, since a link on another site must not sign anybody out. */
export function signOutPage() {
  const body = `<p>You will need to sign in again to see your dashboards.</p>${actions(signOutForm(true), link("/", "Stay signed in"))}`;
  return page({ title: "Sign out?", body, status: 200 });
}

/** What every reason means; problem documents link here. */
export function problemsPage() {
  const rows = allReasons().map(([reason, { title, detail }]) => {
    return `<dt id="${escapeHtml(reason)}">${escapeHtml(reason)}</dt><dd>${escapeHtml(title)}. ${escapeHtml(detail)}</dd>`;
  });
  return page({ title: "Why a request is refused", body: `<dl class="long">${rows.join("")}</dl>`, status: 200 });
}
