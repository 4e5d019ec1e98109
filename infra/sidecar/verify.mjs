/**
 * Who sent a request: the assertion that the gateway, the broker or the deployment signed for it.
 *
 * May not: accept a key that its file does not name now, an algorithm but ES256 (RFC 7518 section 3.4), a life of more
 * than a minute, or an assertion for somebody else (RFC 7519 section 4.1.3).
 */

import { readFileSync } from "node:fs";

import { createLocalJWKSet, jwtVerify } from "jose";

const LIFETIME_SECONDS = 60;
const TOLERANCE_SECONDS = 5;
const CACHE_SIZE = 2000;
const LOOK_AGAIN_MS = 1000;
/** An unknown key may be a moment old; made-up ones must not make the file be read without end. */
const UNKNOWN_KEY_MS = 100;
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
    if (known && known.keys === keys.current() && known.until > now()) return known.subject;
    verified.delete(token);
    const payload = await verifiedBy(keys.current(), token).catch((error) => {
      const later = error.code === "ERR_JWKS_NO_MATCHING_KEY" ? keys.current(UNKNOWN_KEY_MS) : null;
      if (later === null) throw error;
      return verifiedBy(later, token);
    });
    if (payload.exp - payload.iat > LIFETIME_SECONDS) throw new Error("assertion-too-long");
    if (verified.size >= CACHE_SIZE) verified.delete(verified.keys().next().value);
    verified.set(token, { subject: payload.sub, until: payload.exp * 1000, keys: keys.current() });
    return payload.sub;
  }
  async function verifiedBy({ set }, token) {
    const { payload } = await jwtVerify(token, set, {
      algorithms: ["ES256"],
      issuer,
      audience,
      clockTolerance: TOLERANCE_SECONDS,
      maxTokenAge: LIFETIME_SECONDS,
      requiredClaims: ["sub", "iat", "exp"],
      currentDate: new Date(now()),
    });
    return payload;
  }
  return { verify, ready: () => void keys.current() };
}

/**
 * The keys of the file, read anew when it says something else: a rotation needs no restart. Its text is compared, since a
 * container's uploads have no time of their own, and two keys are always as long as two others.
 */
function keysIn(file, now) {
  let current = null;
  let looked = 0;
  let failing = null;
  return {
    current(age = LOOK_AGAIN_MS) {
      if (current !== null && now() - looked < age) return current;
      looked = now();
      try {
        const text = readFileSync(file, "utf8");
        if (current?.text !== text) current = { text, set: createLocalJWKSet(readKeys(text, file)) };
        failing = null;
      } catch (error) {
        failing ??= now();
        if (current === null || now() - failing >= GRACE_MS) {
          current = null;
          throw error;
        }
      }
      return current;
    },
  };
}

function readKeys(text, file) {
  const jwks = JSON.parse(text);
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
