/**
 * Who sent a request: the assertion that the gateway, the broker or the deployment signed for it.
 *
 * May not: accept a key that its file does not name now, an algorithm but ES256 (RFC 7518 section 3.4), a life of more
 * than a minute, or an assertion for somebody else (RFC 7519 section 4.1.3).
 */

import { readFileSync, statSync } from "node:fs";

import { createLocalJWKSet, jwtVerify } from "jose";

const LIFETIME_SECONDS = 60;
const TOLERANCE_SECONDS = 5;
const CACHE_SIZE = 2000;
const LOOK_AGAIN_MS = 1000;
/** How long known keys still hold while their file can't be read: it is half written for a moment when keys rotate. */
const GRACE_MS = 3000;
const PUBLIC_MEMBERS = new Set(["kty", "crv", "x", "y", "kid", "alg", "use"]);

/**
 * @param {{keysFile: string, issuer: string, audience: string, now?: () => number}} trust `now` in milliseconds
 * @returns {{verify: (token: string | undefined) => Promise<string>, ready: () => void}} `verify` answers the subject, and
 *   throws an Error that says why not; `ready` throws where there are no keys
 */
export function makeVerifier({ keysFile, issuer, audience, now = Date.now }) {
  const keys = keysIn(keysFile, now);
  const verified = new Map();
  async function verify(token) {
    if (!token) throw new Error("assertion-missing");
    const known = verified.get(token);
    const { set, version } = keys();
    if (known && known.version === version && known.until > now()) return known.subject;
    verified.delete(token);
    const { payload } = await jwtVerify(token, set, {
      algorithms: ["ES256"],
      issuer,
      audience,
      clockTolerance: TOLERANCE_SECONDS,
      maxTokenAge: LIFETIME_SECONDS,
      requiredClaims: ["sub", "iat", "exp"],
      currentDate: new Date(now()),
    });
    if (payload.exp - payload.iat > LIFETIME_SECONDS) throw new Error("assertion-too-long");
    if (verified.size >= CACHE_SIZE) verified.delete(verified.keys().next().value);
    verified.set(token, { subject: payload.sub, until: payload.exp * 1000, version });
    return payload.sub;
  }
  return { verify, ready: () => void keys() };
}

/** The keys of the file, read anew when it was written anew: a rotation needs no restart. */
function keysIn(file, now) {
  let current = null;
  let good = 0;
  return function keys() {
    if (current !== null && now() - good < LOOK_AGAIN_MS) return current;
    try {
      const { mtimeMs, size, ino } = statSync(file);
      const version = `${mtimeMs}:${size}:${ino}`;
      if (current?.version !== version) current = { version, set: createLocalJWKSet(readKeys(file)) };
      good = now();
    } catch (error) {
      if (now() - good > GRACE_MS) throw error;
    }
    return current;
  };
}

function readKeys(file) {
  const jwks = JSON.parse(readFileSync(file, "utf8"));
  if (!Array.isArray(jwks.keys) || jwks.keys.length === 0) throw new Error(`\`${file}\` holds no key`);
  for (const key of jwks.keys) {
    if (key.kty !== "EC" || key.crv !== "P-256" || key.alg !== "ES256" || typeof key.kid !== "string") {
      throw new Error(`a key in \`${file}\` is no named ES256 key`);
    }
    const foreign = Object.keys(key).filter((name) => !PUBLIC_MEMBERS.has(name));
    if (foreign.length > 0) throw new Error(`a key in \`${file}\` has more than its public part`);
  }
  return jwks;
}
