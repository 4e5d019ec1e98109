/**
 * One sub-request to the origin, streamed both ways.
 *
 * May not: follow a redirect, buffer an answer, let the origin plant a cookie or a cache keep what was decided for one person.
 */

import config from "./config.js";

const UNREACHABLE = new Set([502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530]);
const STATIC = /^\/app\/(?:dist|fonts)\//;

/**
 * @param {{request: Request, env: object, path: string, search: string, headers: Headers, body: BodyInit | null}} exchange
 * @returns {Promise<Response | null>} null where the origin can't be reached
 */
export async function forward({ request, env, path, search, headers, body }) {
  const init = { method: request.method, headers, body, redirect: "manual", signal: clientGone(request) };
  try {
    const answer = await send(env, path + search, init);
    const refusal = answer.headers.get("mbgate-sidecar");
    if (refusal !== null) return notServed(refusal);
    // Metabase names its version on every answer; without it, these statuses are the private path's own.
    return UNREACHABLE.has(answer.status) && !answer.headers.has("x-metabase-version") ? null : answer;
  } catch (error) {
    if (request.signal.aborted) throw error;
    return null;
  }
}

/** The sidecar answered in Metabase's place: it lacks our key, or Metabase is not there. Either is the operator's concern. */
function notServed(reason) {
  console.error(JSON.stringify({ type: "mbgate.fault", reason: "origin-refused", error: reason }));
  return null;
}

/**
 * Aborted when the client hangs up (the compatibility flag `enable_request_signal` makes the runtime tell). A signal of our
 * own: while `waitUntil` holds a request for the trail, the request's own signal does not end its sub-request.
 */
function clientGone(request) {
  const controller = new AbortController();
  request.signal.addEventListener("abort", () => controller.abort());
  return controller.signal;
}

function send(env, target, init) {
  if (config.origin.hostname === null) return env.ORIGIN.fetch(config.origin.url + target, init);
  init.headers.set("CF-Access-Client-Id", env.ORIGIN_CLIENT_ID);
  init.headers.set("CF-Access-Client-Secret", env.ORIGIN_CLIENT_SECRET);
  return fetch(`https://${config.origin.hostname}${target}`, init);
}

/** What the origin may not say to a browser: its credentials, its software, and what only we may set. */
const NOT_FOR_CLIENTS = ["set-cookie", "set-cookie2", "server", "x-metabase-session", "clear-site-data"];

/** The origin's answer for the client. */
export function toClient(answer, path) {
  const headers = new Headers(answer.headers);
  for (const name of NOT_FOR_CLIENTS) headers.delete(name);
  for (const name of [...headers.keys()]) if (name.startsWith("mbgate-")) headers.delete(name);
  // Names with a hash in them: what they hold is the same for everybody, and never changes.
  if (!(STATIC.test(path) && answer.ok)) headers.set("Cache-Control", "private, no-store");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Referrer-Policy", "same-origin");
  const location = headers.get("location");
  if (location !== null) headers.set("Location", ownLocation(location));
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

/** A redirect stays on the gateway: the origin's own addresses become paths, foreign ones the start page. */
export function ownLocation(location) {
  const base = new URL(config.public_url);
  let url;
  try {
    url = new URL(location, base);
  } catch {
    return "/";
  }
  const own = url.origin === base.origin || url.origin === new URL(config.origin.url).origin;
  return own ? `/${url.pathname.replace(/^\/+/, "")}${url.search}${url.hash}` : "/";
}
