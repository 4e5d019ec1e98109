/**
 * Which public keys are worth trusting (RFC 7517, RFC 7518, RFC 8725).
 *
 * May not: do I/O, or repair a key. A key that fails one rule is left out.
 */

import { fromBase64url } from "./base64url.js";

/** A null prototype: `kty` and `crv` come from the network, and `constructor` is no type. */
const CURVES = { __proto__: null, "P-256": ["ES256", 32], "P-384": ["ES384", 48], "P-521": ["ES512", 66] };
const TYPES = { __proto__: null, RSA: isGoodRsa, EC: isGoodEc, OKP: isGoodOkp };
const RSA_ALGORITHMS = new Set(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]);
const RSA_BITS = [2048, 8192];

/** The one algorithm that a key is pinned to (RFC 8725 section 3.1). */
export function algorithmOf(jwk) {
  if (jwk.alg) return jwk.alg;
  return { __proto__: null, RSA: "RS256", EC: CURVES[jwk.crv]?.[0], OKP: "EdDSA" }[jwk.kty];
}

/**
 * @param {unknown} keys the `keys` of a JWK set
 * @returns {object[]} the good ones; a key id that stands twice drops both
 */
export function usable(keys) {
  const good = (Array.isArray(keys) ? keys : []).filter(isGood);
  return good.filter((key) => good.filter((other) => other.kid === key.kid).length === 1);
}

function isGood(key) {
  if (key === null || typeof key !== "object") return false;
  if (typeof key.kid !== "string" || key.kid === "" || key.kid.length > 256) return false;
  // A private or symmetric key that lies in public is no secret any more.
  if ("d" in key || "k" in key) return false;
  if ((key.use ?? "sig") !== "sig") return false;
  if (key.key_ops !== undefined && !(Array.isArray(key.key_ops) && key.key_ops.includes("verify"))) return false;
  return TYPES[key.kty]?.(key) ?? false;
}

/** 2048 bits or more, an odd modulus, an odd exponent of at least 3 (RFC 8017 section 3.1). */
function isGoodRsa(key) {
  const n = significant(fromBase64url(key.n));
  const e = significant(fromBase64url(key.e));
  if (n.length === 0 || e.length === 0 || e.length > 8) return false;
  const bits = n.length * 8 - Math.clz32(n[0]) + 24;
  const oddModulus = (n.at(-1) & 1) === 1;
  const goodExponent = (e.at(-1) & 1) === 1 && (e.length > 1 || e[0] >= 3);
  const inRange = bits >= RSA_BITS[0] && bits <= RSA_BITS[1];
  return inRange && oddModulus && goodExponent && RSA_ALGORITHMS.has(algorithmOf(key));
}

function significant(bytes) {
  if (bytes === null) return [];
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? [] : bytes.subarray(first);
}

function isGoodEc(key) {
  const [algorithm, size] = CURVES[key.crv] ?? [];
  const isCoordinate = (text) => fromBase64url(text)?.byteLength === size;
  return algorithm !== undefined && algorithmOf(key) === algorithm && isCoordinate(key.x) && isCoordinate(key.y);
}

function isGoodOkp(key) {
  return key.crv === "Ed25519" && ["EdDSA", "Ed25519"].includes(algorithmOf(key));
}
