/**
 * The only maker of refusals. A reason inside becomes few public answers: sign-in, the denied page, a problem document.
 *
 * May not: quote a token or a claim's value; redirect from a page that a refusal leads to (no loops: that page always
 * answers by itself); keep a session when it shows sign-in (CVE-2026-34454).
 */

import config from "./config.js";
import { plainHeaders } from "./layout.js";
import { deniedPage, failurePage, unreachablePage } from "./pages.js";
import { open, seal } from "./seal.js";
import { CLEAR } from "./session.js";
import { ENGLISH, textsFor, wordsFor } from "./texts/index.js";

const DENIED_SECONDS = 600;
const MAX_WHY = 4096;
const PURPOSE = "denied";
/** Seconds after which trying again may help, where ten are not enough: Metabase locks an address out for a while. */
const WAITS = { "origin-throttled": "120" };

/** @returns {boolean} true where a person would see the answer as a page */
export function isNavigation(request) {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const mode = request.headers.get("sec-fetch-mode");
  return mode === null ? (request.headers.get("accept") ?? "").includes("text/html") : mode === "navigate";
}

/** Nobody is signed in, or wrongly: pages go to sign-in, calls get 401. */
export function unauthenticated(request, record, { bearer }) {
  const gone = !bearer && record.reason !== "session-missing" ? { "Set-Cookie": CLEAR } : {};
  if (isNavigation(request) && !bearer) {
    // Access signs people in before the Worker runs: there is no other place to send them.
    if (config.identity.mode !== "oidc") return failurePage(textsFor(request), record, 401, gone);
    const query = new URLSearchParams({ return_to: record.path + record.search });
    return redirect(`/_gateway/sign-in?${query}`, { "Set-Cookie": CLEAR });
  }
  const error = bearer ? `, error="invalid_token"` : "";
  return problem(record, 401, { "WWW-Authenticate": `Bearer realm="${config.public_url}"${error}`, ...gone });
}

/** Somebody is signed in and may not: pages go where it says why, calls get 403. */
export async function denied(request, env, record, now) {
  if (!isNavigation(request)) return problem(record, 403);
  const { decision, principal } = record;
  const told = {
    reason: record.reason,
    role: decision.role,
    rule: decision.rule,
    resource: decision.resource,
    path: record.path.slice(0, 300),
    id: record.requestId,
    kind: principal.kind,
    issuer: principal.issuer,
    sub: principal.sub,
    exp: now + DENIED_SECONDS,
  };
  return redirect(`/_gateway/denied?why=${await seal(env, PURPOSE, told)}`);
}

/**
 * `/_gateway/denied`: why, to the person whom it concerns; the general page to everybody else. It never redirects.
 * @param {{principal: object, role: string | null} | null} viewer who looks at the page
 */
export async function showDenied(request, env, record, now, viewer) {
  const why = new URL(request.url).searchParams.get("why") ?? "";
  const told = why.length <= MAX_WHY ? (await open(env, PURPOSE, why))?.value : null;
  const { kind, issuer, sub, email } = viewer?.principal ?? {};
  const isTheirs = told && told.kind === kind && told.issuer === issuer && told.sub === sub;
  const concerns = isTheirs && told.exp > now;
  const shown = concerns ? told : { reason: "denied", role: viewer?.role ?? null, id: record.requestId };
  return deniedPage(textsFor(request), { ...shown, who: email ?? null, isSignedIn: viewer !== null }, 403);
}

/** A page of ours was opened with a session that has ended; it says so itself, since it can't be returned to. */
export function sessionEnded(request, record) {
  return failurePage(textsFor(request), record, 401, { "Set-Cookie": CLEAR });
}

/** The request can't be served: a page for a person, a problem document for a program. It never redirects. */
export function fault(request, record, status) {
  const headers = status === 503 ? { "Retry-After": WAITS[record.reason] ?? "10" } : {};
  if (!isNavigation(request)) return problem(record, status, headers);
  const texts = textsFor(request);
  return status === 503 ? unreachablePage(texts, record, headers) : failurePage(texts, record, status, headers);
}

/** RFC 9457 problem document; always in English, since programs and logs compare it. */
export function problem(record, status, headers = {}) {
  const { title, detail, help } = wordsFor(ENGLISH, record.reason);
  const body = {
    type: `${config.public_url}/_gateway/problems#${record.reason}`,
    title,
    status,
    detail: `${detail} ${help}`,
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
