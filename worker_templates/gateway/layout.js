/**
 * The frame of every page: brand, card, small print, and the headers that lock it down.
 *
 * May not: allow a script, a frame, or an asset from anywhere; a picture only where there is a logo, and then embedded.
 */

import { brand } from "./brand.js";
import config from "./config.js";
import { code, escapeHtml, facts, icon } from "./html.js";
import { STYLE } from "./style.js";

const FORM_TARGETS = ["'self'", ...signOutOrigins()].join(" ");

/** Headers of everything that the gateway answers by itself. */
export function plainHeaders() {
  return {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  };
}

/** Signing out is a form whose redirects lead to the provider, or to Access; `form-action` must name where they go. */
function signOutOrigins() {
  const { mode, access, end_session_endpoint: end } = config.identity;
  const ends = mode === "access" ? [access.issuer] : end ? [end] : [];
  return ends.map((url) => new URL(url).origin);
}

function policy(nonce) {
  const pictures = brand.logo ? "img-src data:; " : "";
  return `default-src 'none'; style-src 'nonce-${nonce}'; ${pictures}form-action ${FORM_TARGETS}; frame-ancestors 'none'; base-uri 'none'`;
}

function header() {
  const name = escapeHtml(brand.name);
  if (brand.logo) return `<header class="brand"><img class="logo" src="${brand.logo}" alt="${name}"></header>`;
  const initial = escapeHtml([...brand.name.trim()][0] ?? "");
  return `<header class="brand"><span class="mark" aria-hidden="true">${initial}</span><bdi>${name}</bdi></header>`;
}

function smallPrint({ ui }, { reason, rule, requestId }) {
  const told = [
    [ui.reason, reason && code(reason)],
    [ui.rule, rule && code(rule)],
    [ui.request, requestId && code(requestId)],
  ];
  const rows = facts(told, "small");
  return rows && `<footer><h2>${ui.details}</h2>${rows}</footer>`;
}

/**
 * @param {object} texts of one language
 * @param {object} page
 * @param {string} page.sign the icon's name
 * @param {string} page.title plain text
 * @param {string[]} page.lead sentences as HTML: what happened, what to do
 * @param {string[]} [page.parts] HTML
 * @param {{reason?: string | null, rule?: string | null, requestId?: string}} page.small what support asks for
 * @param {number} page.status
 * @param {Record<string, string>} [page.headers]
 */
export function page(texts, { sign, title, lead, parts = [], small, status, headers = {} }) {
  const nonce = crypto.randomUUID();
  const [first, ...more] = lead.filter(Boolean);
  const words = [`<p class="lead">${first}</p>`, ...more.map((text) => `<p class="soft">${text}</p>`)].join("");
  const html = `<!doctype html>
<html lang="${texts.lang}" dir="${texts.dir}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${escapeHtml(title)} · ${escapeHtml(brand.name)}</title><style nonce="${nonce}">${STYLE}</style></head>
<body>${header()}
<main><div class="bar"></div>${icon(sign)}<h1>${escapeHtml(title)}</h1>${words}
${parts.filter(Boolean).join("\n")}
</main>
${smallPrint(texts, small)}</body></html>`;
  return new Response(html, {
    status,
    headers: {
      ...plainHeaders(),
      "Content-Type": "text/html; charset=utf-8",
      "Content-Language": texts.lang,
      "Content-Security-Policy": policy(nonce),
      "X-Frame-Options": "DENY",
      ...headers,
    },
  });
}
