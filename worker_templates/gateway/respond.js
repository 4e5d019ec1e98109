/**
 * The only maker of refusals. A reason inside becomes few public answers: sign-in, the denied page, a problem document.
 *
 * May not: quote a token or a claim's value; redirect from a page that a refusal leads to (no loops: that page always
 * answers by itself); keep a session when it shows sign-in (CVE-2026-34454).
 */

import config from "./config.js";
import { deniedPage, unreachablePage } from "./pages.js";
import { open, seal } from "./seal.js";
import { CLEAR } from "./session.js";
import { wordsFor } from "./texts.js";

const DENIED_SECONDS = 600;
const PURPOSE = "denied";
const KEEP_SESSION = new Set(["bearer-malformed", "bearer-not-accepted"]);

/** @returns {boolean} true where a person would see the answer as a page */
export function isNavigation(request) {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const mode = request.headers.get("sec-fetch-mode");
  return mode === null ? (request.headers.get("accept") ?? "").includes("text/html") : mode === "navigate";
}

/** Nobody is signed in, or wrongly: pages go to sign-in, calls get 401. */
export function unauthenticated(request, record, { bearer }) {
  if (isNavigation(request) && config.identity.mode === "oidc" && !bearer) {
    const query = new URLSearchParams({ return_to: record.path + record.search });
    return redirect(`/_gateway/sign-in?${query}`, { "Set-Cookie": CLEAR });
  }
  const error = bearer ? `, error="invalid_token"` : "";
  const headers = { "WWW-Authenticate": `Bearer realm="${config.public_url}"${error}` };
  if (!bearer && !KEEP_SESSION.has(record.reason) && record.reason !== "session-missing") headers["Set-Cookie"] = CLEAR;
  return problem(record, 401, headers);
}

/** Somebody is signed in and may not: pages go where it says why, calls get 403. */
export async function denied(request, env, record, now) {
  if (!isNavigation(request)) return problem(record, statusOf(record.reason));
  if (record.reason === "path-malformed") return deniedPage(record, 400);
  const { decision } = record;
  const told = {
    reason: record.reason,
    role: decision?.role ?? null,
    rule: decision?.rule ?? null,
    resource: decision?.resource ?? null,
    path: record.path.slice(0, 300),
    who: record.principal?.email ?? null,
    sub: record.principal?.sub ?? null,
    id: record.requestId,
    exp: now + DENIED_SECONDS,
  };
  return redirect(`/_gateway/denied?why=${await seal(env, PURPOSE, told)}`);
}

/** `/_gateway/denied`: what was sealed, told to the person whom it is about; else the general page. It never redirects. */
export async function showDenied(request, env, record, now, principal) {
  const why = new URL(request.url).searchParams.get("why") ?? "";
  const told = why.length < 4096 ? (await open(env, PURPOSE, why))?.value : null;
  const isTheirs = told && told.exp > now && principal !== null && told.sub === principal.sub;
  return deniedPage(isTheirs ? told : { reason: "denied", id: record.requestId }, 403);
}

/** The origin, or the broker on the way to it, does not answer. */
export function unreachable(request, record) {
  const headers = { "Retry-After": "10" };
  return isNavigation(request) ? unreachablePage(record, headers) : problem(record, 503, headers);
}

/** RFC 9457 problem document. */
export function problem(record, status, headers = {}) {
  const { title, detail } = wordsFor(record.reason);
  const body = {
    type: `${config.public_url}/_gateway/problems#${record.reason}`,
    title,
    status,
    detail,
    reason: record.reason,
    rule: record.decision?.rule ?? null,
    request_id: record.requestId,
  };
  return Response.json(body, {
    status,
    headers: { ...plainHeaders(), ...headers, "Content-Type": "application/problem+json" },
  });
}

/** @param {string} location a path of this gateway, or a provider's address from the configuration */
export function redirect(location, headers = {}) {
  return new Response(null, { status: 302, headers: { ...plainHeaders(), Location: location, ...headers } });
}

function plainHeaders() {
  return {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  };
}

function statusOf(reason) {
  return reason === "path-malformed" ? 400 : 403;
}
