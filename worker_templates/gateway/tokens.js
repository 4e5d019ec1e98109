/**
 * Tokens: ID tokens, bearer tokens of machines, application tokens of Cloudflare Access.
 *
 * May not: take an algorithm from the header, skip an audience, accept a token of another kind, quote a token in an error,
 * try a token with another issuer's keys or audience than its own issuer's (RFC 8725 sections 3.8 and 3.9).
 * Sources: OpenID Connect Core 3.1.3.7, RFC 7519, RFC 8725, RFC 9068, Cloudflare Access application tokens.
 */

import { decodeJwt, jwtVerify } from "jose";

import { toBase64url } from "./base64url.js";
import config from "./config.js";
import { keyFinder, keyGeneration, sourceOf } from "./keys.js";
import { digest } from "./table.js";

const MAX_TOKEN = 8192;
/** How far the issuer's clock and ours may be apart. */
const SKEW_SECONDS = 5;
/** An ID token comes straight from the token endpoint; provider clocks are worse than Cloudflare's. */
const ID_TOKEN_SKEW_SECONDS = 60;
const ID_TOKEN_MAX_AGE = "10m";
const CACHE_SIZE = 2000;
/** Verified bearer tokens until they expire, by issuer, audience, policy, keys and token digest (CVE-2026-33496). */
const verified = new Map();

/** jose's error codes → our reasons. */
const REASONS = {
  ERR_JWT_EXPIRED: "token-expired",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "token-signature-invalid",
  ERR_JOSE_ALG_NOT_ALLOWED: "token-algorithm-refused",
  "key-unknown": "token-key-unknown",
  "key-algorithm": "token-algorithm-refused",
};
const CLAIM_REASONS = {
  iss: "token-issuer-foreign",
  aud: "token-audience-foreign",
  nbf: "token-not-yet-valid",
  iat: "token-not-yet-valid",
  exp: "token-expired",
};

/** Whose bearer tokens are taken, by `iss`: the identity provider's, and those of the policies' issuers of machines. */
const BEARER_ISSUERS = bearerIssuers(config.identity);

function bearerIssuers({ provider, issuer, client_id, bearer_audience, issuers }) {
  const own = { name: provider, source: "provider", issuer, audience: bearer_audience };
  const others = issuers.map((one) => ({ ...one, source: sourceOf(one.name) }));
  // With the client as audience every ID token would pass for a machine's.
  const usable = [...others, own].filter(({ audience }) => audience && audience !== client_id);
  return new Map(usable.map((one) => [one.issuer, one]));
}

const TIMES = new Set(["exp", "iat", "nbf"]);

function reasonOf(error) {
  if (error.code !== "ERR_JWT_CLAIM_VALIDATION_FAILED") return REASONS[error.code] ?? "token-malformed";
  // A time that is missing or no number is another fault than one that has passed.
  if (TIMES.has(error.claim) && error.reason !== "check_failed") return "token-claims-invalid";
  return CLAIM_REASONS[error.claim] ?? "token-claims-invalid";
}

async function check(token, source, options) {
  // jose skips a check whose expected value is empty (CVE-2025-62610): a configuration without one accepts nothing.
  if (!options.issuer || !options.audience || !options.algorithms?.length) return { reason: "token-trust-incomplete" };
  if (typeof token !== "string" || token.length > MAX_TOKEN || token.split(".").length !== 3) {
    return { reason: "token-malformed" };
  }
  try {
    const { payload } = await jwtVerify(token, keyFinder(source), {
      clockTolerance: SKEW_SECONDS,
      ...options,
    });
    return { payload };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/** An ID token that answers our own request. */
export async function verifyIdToken(token, nonce) {
  const { issuer, client_id: audience, algorithms } = config.identity;
  const result = await check(token, "provider", {
    issuer,
    audience,
    algorithms,
    requiredClaims: ["sub", "exp", "iat", "nonce"],
    maxTokenAge: ID_TOKEN_MAX_AGE,
    clockTolerance: ID_TOKEN_SKEW_SECONDS,
  });
  if (result.reason) return result;
  const { payload } = result;
  if (!isName(payload.sub)) return { reason: "token-claims-invalid" };
  if (typeof nonce !== "string" || payload.nonce !== nonce) return { reason: "token-nonce-foreign" };
  const many = Array.isArray(payload.aud) && payload.aud.length > 1;
  if ((many && payload.azp === undefined) || (payload.azp !== undefined && payload.azp !== audience)) {
    return { reason: "token-audience-foreign" };
  }
  return result;
}

function isName(text) {
  return typeof text === "string" && text !== "";
}

/**
 * A machine's bearer token; an ID token never passes, its audience is the client.
 * @returns {Promise<{payload: object, issuer: string} | {reason: string}>} `issuer`: the name by which policies call it
 */
export async function verifyBearer(token, now) {
  if (BEARER_ISSUERS.size === 0) return { reason: "bearer-not-accepted" };
  if (token.length > MAX_TOKEN) return { reason: "token-malformed" };
  // Unverified, it only chooses by whose keys and for which audience the token is judged.
  const iss = claimedIssuer(token);
  if (iss === null) return { reason: "token-malformed" };
  const trust = BEARER_ISSUERS.get(iss);
  return trust ? verifyBy(trust, token, now) : { reason: "token-issuer-foreign" };
}

function claimedIssuer(token) {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === "string" ? iss : null;
  } catch {
    return null;
  }
}

async function verifyBy({ name, source, issuer, audience }, token, now) {
  const key = await cacheKey([name, issuer, audience, digest, keyGeneration()], token);
  const known = verified.get(key);
  if (known && known.exp > now - SKEW_SECONDS) return { payload: known, issuer: name };
  const { algorithms } = config.identity;
  const result = await check(token, source, { issuer, audience, algorithms, requiredClaims: ["sub", "exp"] });
  if (result.payload && isOfSignIn(result.payload)) return { reason: "token-type-foreign" };
  if (result.payload) {
    if (!isName(result.payload.sub)) return { reason: "token-claims-invalid" };
    if (verified.size >= CACHE_SIZE) verified.delete(verified.keys().next().value);
    verified.set(key, result.payload);
  }
  return { ...result, issuer: name };
}

/** Only ID tokens answer a nonce, and only what is made for a person's sign-in is for the client: none of it is a machine's. */
function isOfSignIn({ nonce, aud }) {
  return nonce !== undefined || [aud].flat().includes(config.identity.client_id);
}

async function cacheKey(trust, token) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  return JSON.stringify([...trust, toBase64url(hash)]);
}

/** An application token of Cloudflare Access for this gateway. */
export async function verifyAccess(token) {
  const { issuer, audience } = config.identity.access;
  const result = await check(token, "access", {
    issuer,
    audience,
    algorithms: ["RS256"],
    requiredClaims: ["exp", "iat"],
  });
  if (result.reason) return result;
  if (result.payload.type !== "app") return { reason: "token-type-foreign" };
  return result;
}
