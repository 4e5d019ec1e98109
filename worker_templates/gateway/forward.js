/**
 * One sub-request to the origin, streamed both ways.
 *
 * May not: follow a redirect, buffer an answer, let the origin plant a cookie or a cache keep what was decided for one person.
 */

import config from "./config.js";

const UNREACHABLE = new Set([502, 504, 520, 521, 522, 523, 524, 525, 526, 530]);
const STATIC = /^\/app\/(?:dist|fonts)\//;

/**
 * @param {{request: Request, env: object, path: string, search: string, headers: Headers, body: BodyInit | null}} exchange
 * @returns {Promise<Response | null>} null where the origin can't be reached
 */
export async function forward({ request, env, path, search, headers, body }) {
  const init = { method: request.method, headers, body, redirect: "manual", signal: request.signal };
  try {
    const answer = await send(env, path + search, init);
    // Metabase names its version on every answer; without it, these statuses are the private path's own.
    return UNREACHABLE.has(answer.status) && !answer.headers.has("x-metabase-version") ? null : answer;
  } catch (error) {
    if (request.signal.aborted) throw error;
    return null;
  }
}

function send(env, target, init) {
  if (config.origin.hostname === null) return env.ORIGIN.fetch(config.origin.url + target, init);
  init.headers.set("CF-Access-Client-Id", env.ORIGIN_CLIENT_ID);
  init.headers.set("CF-Access-Client-Secret", env.ORIGIN_CLIENT_SECRET);
  return fetch(`https://${config.origin.hostname}${target}`, init);
}

/** The origin's answer for the client. */
export function toClient(answer, path) {
  const headers = new Headers(answer.headers);
  headers.delete("set-cookie");
  headers.delete("server");
  if (!STATIC.test(path)) headers.set("Cache-Control", "private, no-store");
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
