/**
 * Public keys of the issuers: shipped with the version, refreshed by cron through KV.
 *
 * May not: fetch or read KV before an answer (go-oidc#482); share a promise between requests (panva/jose#355); trust a key
 * for another algorithm than its own (CVE-2026-22817). KV is read in `waitUntil`, at most once a minute an isolate.
 */

import { importJWK } from "jose";

import config from "./config.js";
import { fromBase64url } from "./seal.js";

const KV_NAME = "jwks";
const READ_EVERY_MS = 60_000;
const MAX_BYTES = 256 * 1024;
const MAX_GONE = 50;
const CURVES = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

/** Sources by name: keys at deploy time, and where the cron trigger finds newer ones. */
const sources = { provider: { uri: config.identity.jwks_uri, keys: config.identity.jwks.keys } };
if (config.identity.access) {
  sources.access = { uri: config.identity.access.jwks_uri, keys: config.identity.access.jwks.keys };
}
/**
 * What the cron trigger last saw, by source: `keys` that the issuer publishes, and `gone`, the ids of those that it did once
 * and no longer does. Keys of the version stay trusted until they are seen to be gone, so that a fresh deployment does not
 * wait for the trigger, and a key that the issuer withdraws does not outlive it.
 */
let newer = {};
let readAt = 0;
/** Imported keys by source, key id and algorithm: resolved values only. */
const imported = new Map();

/** The one algorithm that a key is pinned to (RFC 8725 section 3.1). */
export function algorithmOf(jwk) {
  if (jwk.alg) return jwk.alg;
  return { RSA: "RS256", EC: CURVES[jwk.crv], OKP: "EdDSA" }[jwk.kty];
}

/**
 * @param {"provider" | "access"} source
 * @returns {(header: {kid?: string, alg: string}) => Promise<CryptoKey>} for jose; throws where no key fits
 */
export function keyFinder(source) {
  return async ({ kid, alg }) => {
    const { keys = [], gone = [] } = newer[source] ?? {};
    const known = [...keys, ...sources[source].keys].find((key) => key.kid === kid && key.kid);
    const jwk = gone.includes(kid) ? undefined : known;
    if (!jwk) throw Object.assign(new Error("no such key"), { code: "key-unknown" });
    if (algorithmOf(jwk) !== alg) throw Object.assign(new Error("not this key's algorithm"), { code: "key-algorithm" });
    const name = `${source} ${kid} ${alg} ${jwk.n ?? jwk.x}`;
    if (!imported.has(name)) {
      const key = await importJWK(jwk, alg);
      if (imported.size > 64) imported.clear();
      imported.set(name, key);
    }
    return imported.get(name);
  };
}

/** Looks at KV after the answer, at most once a minute. */
export function refreshLater(env, ctx) {
  if (Date.now() - readAt < READ_EVERY_MS) return;
  readAt = Date.now();
  ctx.waitUntil(
    env.KEYS.get(KV_NAME)
      .then((text) => {
        if (text) newer = trusted(text);
      })
      .catch(() => console.error(JSON.stringify({ type: "mbgate.fault", reason: "keys-unreadable" }))),
  );
}

/** The cron trigger: fetches each issuer's keys, keeps only good ones, writes them where they changed. */
export async function refreshKeys(env) {
  const former = trusted((await env.KEYS.get(KV_NAME)) ?? "{}");
  const found = {};
  for (const [name, { uri, keys: deployed }] of Object.entries(sources)) {
    try {
      const response = await fetch(uri, { redirect: "manual", headers: { accept: "application/json" } });
      const text = await response.text();
      if (!response.ok || text.length > MAX_BYTES) throw new Error(`status ${response.status}`);
      const keys = usable(JSON.parse(text).keys);
      // Nothing usable is a fault of the answer, not the end of every key.
      if (keys.length === 0) throw new Error("no usable key");
      const seen = [...deployed, ...(former[name]?.keys ?? [])].map(({ kid }) => kid);
      const published = new Set(keys.map(({ kid }) => kid));
      const gone = [...new Set([...seen, ...(former[name]?.gone ?? [])])].filter((kid) => !published.has(kid));
      found[name] = { keys, gone: gone.slice(-MAX_GONE) };
    } catch (error) {
      console.error(
        JSON.stringify({
          type: "mbgate.fault",
          reason: "keys-not-refreshed",
          source: name,
          error: error.message,
        }),
      );
    }
  }
  const text = JSON.stringify({ ...former, ...found });
  if (text !== JSON.stringify(former)) await env.KEYS.put(KV_NAME, text);
}

/** What KV holds, linted like an answer of the network: whoever writes there must not make a key by it. */
function trusted(text) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    return {};
  }
  const strings = (list) => (Array.isArray(list) ? list.filter((item) => typeof item === "string") : []);
  const entries = Object.keys(sources).map((name) => {
    const { keys, gone } = parsed?.[name] ?? {};
    return [name, { keys: usable(keys), gone: strings(gone) }];
  });
  return Object.fromEntries(entries);
}

/** Public signing keys that are worth trusting; others are left out, and a repeated key id drops both. */
export function usable(keys) {
  const good = (Array.isArray(keys) ? keys : []).filter(isGood);
  return good.filter((key) => good.filter((other) => other.kid === key.kid).length === 1);
}

function isGood(key) {
  if (!key || typeof key.kid !== "string" || key.kid === "" || key.d || (key.use ?? "sig") !== "sig") return false;
  if (key.kty === "RSA") {
    const [modulus, exponent] = [bytesOf(key.n), bytesOf(key.e)];
    const isStrong = modulus.length >= 256 && modulus[0] >= 0x80 && modulus.at(-1) % 2 === 1;
    const isOdd = exponent.at(-1) % 2 === 1 && (exponent.length > 1 || exponent[0] >= 3);
    return isStrong && isOdd && /^(RS|PS)/.test(algorithmOf(key));
  }
  if (key.kty === "EC") return CURVES[key.crv] !== undefined && algorithmOf(key) === CURVES[key.crv];
  return key.kty === "OKP" && ["EdDSA", "Ed25519"].includes(algorithmOf(key));
}

/** The bytes of a base64url number, without leading zeros; empty for anything else. */
function bytesOf(text) {
  const bytes = (typeof text === "string" && fromBase64url(text)) || new Uint8Array();
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? new Uint8Array() : bytes.subarray(first);
}
