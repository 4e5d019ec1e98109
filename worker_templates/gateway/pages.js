/** The gateway's own pages: one layout, no script, no external asset. Every value is escaped where it is written. */

import config from "./config.js";
import { table } from "./table.js";
import { wordsFor } from "./texts.js";

const STYLE = `
:root{color-scheme:light dark;--accent:${config.brand.color};--ink:#1c2030;--soft:#555c70;--page:#f3f4f8;--card:#fff;--line:#dfe2ea}
@media (prefers-color-scheme:dark){:root{--ink:#eceef4;--soft:#aab0c2;--page:#12141a;--card:#1d2029;--line:#343947}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{width:100%;max-width:34rem;background:var(--card);border:1px solid var(--line);border-top:4px solid var(--accent);border-radius:10px;padding:2rem}
.brand{margin:0 0 1.25rem;font-weight:600;color:var(--soft)}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25}
p{margin:0 0 1rem}
ul{list-style:none;margin:0 0 1.25rem;padding:0;display:grid;gap:.5rem}
a.go,button{display:block;width:100%;padding:.7rem 1rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit;font:inherit;text-align:start;text-decoration:none;cursor:pointer}
a.go:first-child,button.main{border-color:var(--accent);box-shadow:inset 3px 0 0 var(--accent)}
a:focus-visible,button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
h2{margin:0 0 .5rem;font-size:1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:1.25rem 0 0;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
dd{margin:0;overflow-wrap:anywhere}
`;

/** @param {unknown} value @returns {string} text for HTML */
export function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function page({ title, body, status, headers = {} }) {
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${escapeHtml(title)} · ${escapeHtml(config.brand.name)}</title><style>${STYLE}</style></head>
<body><main><p class="brand">${escapeHtml(config.brand.name)}</p><h1>${escapeHtml(title)}</h1>
${body}</main></body></html>`;
  return new Response(html, {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": `default-src 'none'; style-src 'unsafe-inline'; form-action 'self'${providerOrigin()}; frame-ancestors 'none'; base-uri 'none'`,
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      ...headers,
    },
  });
}

/** Signing out is a form whose redirects lead to the provider, or to Access; `form-action` must name where they go. */
function providerOrigin() {
  const { access, end_session_endpoint: end } = config.identity;
  const ends = config.identity.mode === "access" ? [access.issuer] : end ? [end] : [];
  return ends.map((url) => ` ${new URL(url).origin}`).join("");
}

function facts(entries) {
  const rows = entries
    .filter(([, value]) => value)
    .map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>${rows.join("")}</dl>`;
}

const SIGN_OUT = `<form method="post" action="/_gateway/sign-out"><button>Sign out</button></form>`;

/** What a role can certainly open: its landing page, and the dashboards that its rules name. */
export function openings(role) {
  const rules = Object.hasOwn(table.roles, role ?? "") ? table.roles[role] : null;
  if (!rules) return [];
  const named = rules.allow
    .filter((rule) => rule.actions.includes("dashboard:view"))
    .flatMap((rule) => (Array.isArray(rule.on?.dashboard) ? rule.on.dashboard : []))
    .filter((id) => /^[0-9]+$/.test(id))
    .map((id) => `/dashboard/${id}`);
  return [...new Set([rules.landing, ...named])].slice(0, 8);
}

function openingLabel(path) {
  const dashboard = /^\/dashboard\/(\d+)/.exec(path);
  return dashboard ? `Dashboard ${dashboard[1]}` : path === "/" ? "Home" : path;
}

/** Says why, by which rule, and where to go instead. */
export function deniedPage(told, status) {
  const { title, detail } = wordsFor(told.reason);
  const links = openings(told.role).map(
    (path) => `<li><a class="go" href="${escapeHtml(path)}">${escapeHtml(openingLabel(path))}</a></li>`,
  );
  const where = links.length ? `<h2>What you can open</h2><ul>${links.join("")}</ul>` : "";
  const resource = told.resource ? `${told.resource.kind} ${told.resource.id}` : null;
  const body = `<p>${escapeHtml(detail)}</p>${where}${SIGN_OUT}${facts([
    ["Signed in as", told.who],
    ["Role", told.role],
    ["You asked for", resource ?? told.path],
    ["Reason", told.reason],
    ["Rule", told.rule],
    ["Request", told.id ?? told.requestId],
  ])}`;
  return page({ title, body, status });
}

/** The origin does not answer. */
export function unreachablePage(record, headers) {
  const { title, detail } = wordsFor(record.reason);
  const again = `<ul><li><a class="go" href="${escapeHtml(record.path)}">Try again</a></li></ul>`;
  return page({
    title,
    body: `<p>${escapeHtml(detail)}</p>${again}${facts([["Request", record.requestId]])}`,
    status: 503,
    headers,
  });
}

/** After signing out. */
export function signedOutPage(headers) {
  const body = `<p>Your session here has ended.</p><ul><li><a class="go" href="/">Sign in again</a></li></ul>`;
  return page({ title: "You are signed out", body, status: 200, headers });
}

/** GET of sign-out: asks, since a link on another site must not sign anybody out. */
export function signOutPage() {
  return page({ title: "Sign out?", body: SIGN_OUT, status: 200 });
}

/** Signing in did not work. */
export function signInFailedPage(record, status, headers) {
  const { title, detail } = wordsFor(record.reason);
  const again = `<ul><li><a class="go" href="/">Start again</a></li></ul>`;
  return page({
    title,
    body: `<p>${escapeHtml(detail)}</p>${again}${facts([["Request", record.requestId]])}`,
    status,
    headers,
  });
}
