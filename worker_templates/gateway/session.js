/**
 * Sessions: one encrypted `__Host-` cookie, nothing stored anywhere else.
 *
 * May not: take a malformed or doubled cookie for "no session" silently (CVE-2026-25748); keep a role, which is worked out
 * anew on every request (CVE-2021-41230); hold a claim that no policy reads; let a role's own limits be wider than the stack's.
 */

import config from "./config.js";
import { open, seal } from "./seal.js";
import { table } from "./table.js";

export const COOKIE = "__Host-mbgate";
const PURPOSE = "session";
const MAX_COOKIE = 3800;
const REFRESH_SHARE = 4;
const CACHE_SIZE = 2000;
/** Opened cookies; bounded. Limits are checked on every use. */
const opened = new Map();

const KEPT_CLAIMS = new Set([
  config.team_claim,
  ...Object.values(table.roles).flatMap((role) => [
    ...role.match.flatMap((entry) => Object.keys(entry.claims)),
    ...Object.values(role.metabase?.attributes ?? {}),
    ...role.allow.flatMap((rule) => Object.values(rule.locked ?? {})),
  ]),
]);

/** Only the claims that a policy or an assertion reads. */
export function keptClaims(claims) {
  return Object.fromEntries(
    [...KEPT_CLAIMS].filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]),
  );
}

/** The values of one cookie in a request, in order. */
export function cookieValues(request, name) {
  const prefix = `${name}=`;
  return (request.headers.get("cookie") ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(prefix))
    .map((part) => part.slice(prefix.length));
}

/**
 * @param {Request} request
 * @param {object} env
 * @param {number} now seconds
 * @returns {Promise<{session: object, stale: boolean} | {reason: string, ended?: object}>} `stale`: the cookie should be
 *   renewed; `ended`: what the session was that has expired
 */
export async function readSession(request, env, now) {
  const values = cookieValues(request, COOKIE);
  if (values.length === 0) return { reason: "session-missing" };
  if (values.length > 1) return { reason: "session-cookie-duplicated" };
  const [value] = values;
  if (value.length > MAX_COOKIE) return { reason: "session-cookie-malformed" };
  const found = await openCached(env, value);
  if (!found) return { reason: "session-cookie-malformed" };
  const { value: session, current } = found;
  const idle = now - session.seen;
  if (now >= session.exp || idle > config.session.idle_seconds || !isComplete(session)) {
    return { reason: "session-expired", ended: session };
  }
  return { session, stale: !current || idle > config.session.idle_seconds / REFRESH_SHARE };
}

/** A claim that no policy read when the person signed in was not kept, so nobody knows it: a rule on it can't be judged. */
function isComplete({ kept }) {
  return Array.isArray(kept) && [...KEPT_CLAIMS].every((name) => kept.includes(name));
}

/** The shorter of a role's own limits and the stack's, which hold where Cloudflare Access signs people in as well. */
function limitsOf(role) {
  const own = (Object.hasOwn(table.roles, role ?? "") && table.roles[role].session) || {};
  const shorter = (name) => Math.min(config.session[name], own[name] ?? Number.POSITIVE_INFINITY);
  return { idle: shorter("idle_seconds"), absolute: shorter("absolute_seconds") };
}

/**
 * Whether a sign-in is over in this role, although it may hold in others.
 * @param {string | null} role
 * @param {{principal: object, since: number | null, seen: number | null}} found by `authenticate`; machines sign in nowhere
 * @param {number} now seconds
 */
export function isOver(role, { principal, since, seen }, now) {
  if (principal.kind === "machine") return false;
  const { absolute, idle } = limitsOf(role);
  // Put so that what is no number is over.
  return !(now - since < absolute) || !(now - seen <= idle);
}

/** Whether a person's cookie must be renewed for the role's own idle limit, or whoever is active would be thrown out. */
export function isStaleIn(role, { seen }, now) {
  return now - seen > limitsOf(role).idle / REFRESH_SHARE;
}

async function openCached(env, value) {
  const key = `${env.SESSION_KEY_CURRENT}.${env.SESSION_KEY_PREVIOUS}.${value}`;
  if (opened.has(key)) return opened.get(key);
  const found = await open(env, PURPOSE, value);
  if (!found) return null;
  if (opened.size >= CACHE_SIZE) opened.delete(opened.keys().next().value);
  opened.set(key, found);
  return found;
}

/** A new session of a verified person. */
export function newSession({ issuer, sub, email, name, claims, idToken }, now) {
  return {
    issuer,
    sub,
    email,
    name,
    claims: keptClaims(claims),
    kept: [...KEPT_CLAIMS].sort(),
    iat: now,
    seen: now,
    exp: now + config.session.absolute_seconds,
    // A hint for RP-initiated logout only; left out where it would make the cookie too large.
    hint: idToken && idToken.length < 1800 ? idToken : null,
    metabase: null,
  };
}

/** @returns {Promise<string>} the Set-Cookie line */
export async function sessionCookie(env, session, now) {
  const sealed = await seal(env, PURPOSE, { ...session, seen: now });
  const value = sealed.length > MAX_COOKIE ? await seal(env, PURPOSE, { ...session, hint: null, seen: now }) : sealed;
  if (value.length > MAX_COOKIE) throw new Error("the session is too large for a cookie");
  return cookieLine(COOKIE, value, Math.max(0, session.exp - now));
}

/** @returns {string} a Set-Cookie line with every protection that a cookie has */
export function cookieLine(name, value, maxAge) {
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${maxAge}`;
}

/** Takes the session away. */
export const CLEAR = cookieLine(COOKIE, "", 0);
