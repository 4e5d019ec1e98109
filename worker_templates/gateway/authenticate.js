/**
 * Who asks: a session cookie, a machine's bearer token, or Cloudflare Access, by `identity.mode`.
 *
 * May not: fetch, decide what is allowed, read an identity from any header but the three. Answers a principal or a reason;
 * a wrong credential is a deny and never an anonymous pass (CVE-2026-25748).
 */

import config from "./config.js";
import { keptClaims, readSession } from "./session.js";
import { verifyAccess, verifyBearer } from "./tokens.js";

const NO_SESSION = { session: null, stale: false, since: null, seen: null };

/**
 * `since`: when the person signed in; `seen`: when they were last here; both in seconds, null for machines.
 * @typedef {{kind: "person" | "machine", issuer: string, sub: string, email: string | null, name: string, claims: object}} Principal
 * @param {Request} request
 * @param {object} env
 * @param {number} now seconds
 * @returns {Promise<{principal: Principal, session: object | null, stale: boolean, since: number | null, seen: number | null} | {reason: string, bearer: boolean}>}
 */
export async function authenticate(request, env, now) {
  const authorization = request.headers.get("authorization");
  if (config.identity.mode === "access") return byAccess(request, env, now);
  if (authorization !== null) return byBearer(authorization, now);
  const found = await readSession(request, env, now);
  if (found.reason) return { reason: found.reason, bearer: false };
  const { session, stale } = found;
  return { principal: personOf(session), session, stale, since: session.iat, seen: session.seen };
}

/** The principal of a session. */
export function personOf({ issuer, sub, email, name, claims }) {
  return { kind: "person", issuer, sub, email, name, claims };
}

async function byBearer(authorization, now) {
  const [scheme, token, ...rest] = authorization.split(" ");
  // Exactly `Bearer TOKEN` (CVE-2026-47673); the scheme itself has no case (RFC 9110 section 11.1).
  if (scheme.toLowerCase() !== "bearer" || !token || rest.length > 0)
    return { reason: "bearer-malformed", bearer: true };
  const { payload, issuer, reason } = await verifyBearer(token, now);
  if (reason) return { reason, bearer: true };
  return { principal: machineOf(payload, issuer), ...NO_SESSION };
}

function machineOf(payload, issuer) {
  const { sub, email: address, ...others } = payload;
  const isVerified = isAddress(address) && payload.email_verified === true;
  const name = typeof payload.client_id === "string" ? payload.client_id : sub;
  // No role may match on an address that nobody has checked.
  const claims = isVerified ? payload : { ...others, sub };
  return { kind: "machine", issuer, sub, email: isVerified ? address.toLowerCase() : null, name, claims };
}

/** One `@`, ASCII only: Unicode has letters that fold onto ASCII ones, and accounts are found by address (CVE-2026-40574). */
export function isAddress(text) {
  return typeof text === "string" && /^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+$/.test(text);
}

async function byAccess(request, env, now) {
  const token = request.headers.get("cf-access-jwt-assertion");
  if (token === null) return { reason: "access-token-missing", bearer: false };
  const { payload, reason } = await verifyAccess(token);
  if (reason) return { reason, bearer: false };
  if (payload.common_name && !payload.sub && !payload.email) {
    return { principal: serviceOf(payload.common_name), ...NO_SESSION };
  }
  const isVerified = (payload.custom?.email_verified ?? true) === true;
  if (!isAddress(payload.email) || !payload.sub || !isVerified)
    return { reason: "token-claims-invalid", bearer: false };
  const principal = accessPerson(payload);
  const found = await readSession(request, env, now);
  // Two cookies mean that somebody else may have planted one: neither's Metabase session is used.
  if (found.reason === "session-cookie-duplicated") return { reason: found.reason, bearer: false };
  // A cookie of somebody else, or of another sign-in, holds nothing for this one.
  const cookie = found.session ?? found.ended;
  const isOwn = cookie?.sub === principal.sub && cookie.email === principal.email;
  const session = isOwn && found.session ? { ...found.session, claims: principal.claims } : null;
  // Whoever signed in at Access was here then; a cookie that is lost tells of nothing later.
  const seen = isOwn ? Math.max(cookie.seen, payload.iat) : payload.iat;
  return { principal, session, stale: session !== null && found.stale, since: payload.iat, seen };
}

function serviceOf(name) {
  const claims = { common_name: name };
  return { kind: "machine", issuer: config.identity.provider, sub: name, email: null, name, claims };
}

function accessPerson({ sub, email: written, custom }) {
  const email = written.toLowerCase();
  // `common_name` is what roles of machines match on: no identity provider may say it of a person. The address is the one
  // that Access verified, never a claim beside it.
  const { common_name: _, ...told } = custom ?? {};
  return {
    kind: "person",
    issuer: config.identity.provider,
    sub,
    email,
    name: email,
    claims: keptClaims({ ...told, email }),
  };
}
