/**
 * Public keys of the issuers: shipped with the version, refreshed by cron through KV.
 *
 * May not: fetch or read KV before an answer (go-oidc#482); share a promise between requests (panva/jose#355); trust a key
 * for another algorithm than its own (CVE-2026-22817), or for another issuer. KV is read in `waitUntil`, at most once a
 * minute an isolate.
 */

import { importJWK } from "jose";

import config from "./config.js";
import { algorithmOf, usable } from "./jwks.js";

const KV_NAME = "jwks";
const READ_EVERY_MS = 60_000;
const FETCH_MS = 10_000;
const MAX_BYTES = 256 * 1024;
const MAX_GONE = 50;

/** Sources by name: keys at deploy time, and where the cron trigger finds newer ones. */
const sources = { provider: config.identity };
if (config.identity.access) sources.access = config.identity.access;
for (const issuer of config.identity.issuers) sources[sourceOf(issuer.name)] = issuer;
const shipped = Object.fromEntries(Object.entries(sources).map(([name, { jwks }]) => [name, usable(jwks.keys)]));
/**
 * What the cron trigger last saw, by source: `from` where, the `keys` that the issuer publishes, and `gone`, the ids of those
 * that it did once and no longer does. Keys of the version stay trusted until they are seen to be gone, so that a fresh deployment does not
 * wait for the trigger, and a key that the issuer withdraws does not outlive it.
 */
let newer = {};
let generation = 0;
let readAt = 0;
/** Imported keys by their JWK: resolved values only. */
const imported = new WeakMap();

/** @returns {number} another one as soon as other keys are trusted: what was verified before counts no more */
export function keyGeneration() {
  return generation;
}

/** The source of an issuer that the policies declare; whatever its name, it is none of the others. */
export function sourceOf(name) {
  return `issuer:${name}`;
}

/**
 * @param {string} source `provider`, `access`, or an issuer's
 * @returns {(header: {kid?: string, alg: string}) => Promise<CryptoKey>} for jose; throws where no key fits
 */
export function keyFinder(source) {
  return async ({ kid, alg }) => {
    const { keys = [], gone = [] } = newer[source] ?? {};
    const known = [...keys, ...shipped[source]].find((key) => key.kid === kid);
    if (!known || gone.includes(kid)) throw Object.assign(new Error("no such key"), { code: "key-unknown" });
    if (algorithmOf(known) !== alg) throw Object.assign(new Error("not its algorithm"), { code: "key-algorithm" });
    if (!imported.has(known)) imported.set(known, await importJWK(known, alg));
    return imported.get(known);
  };
}

/** Looks at KV after the answer, at most once a minute. */
export function refreshLater(env, ctx) {
  const now = Date.now();
  if (now - readAt < READ_EVERY_MS) return;
  readAt = now;
  ctx.waitUntil(adopt(env));
}

async function adopt(env) {
  try {
    const found = trusted(await env.KEYS.get(KV_NAME));
    if (JSON.stringify(found) === JSON.stringify(newer)) return;
    newer = found;
    generation += 1;
  } catch {
    fault("keys-unreadable");
  }
}

/** The cron trigger: fetches each issuer's keys, keeps only good ones, writes them where they changed. */
export async function refreshKeys(env) {
  const former = trusted(await env.KEYS.get(KV_NAME));
  const found = {};
  for (const [name, { jwks_uri: uri }] of Object.entries(sources)) {
    try {
      found[name] = seenNow(name, await fetchKeys(uri), former[name]);
    } catch (error) {
      fault("keys-not-refreshed", { source: name, error: error.message });
    }
  }
  const text = JSON.stringify({ ...former, ...found });
  if (text !== JSON.stringify(former)) await env.KEYS.put(KV_NAME, text);
}

function seenNow(name, keys, former) {
  const published = new Set(keys.map(({ kid }) => kid));
  const before = [...former.gone, ...shipped[name].map(({ kid }) => kid), ...former.keys.map(({ kid }) => kid)];
  const gone = [...new Set(before)].filter((kid) => !published.has(kid));
  return { from: sources[name].jwks_uri, keys, gone: gone.slice(-MAX_GONE) };
}

/**
 * What KV holds, judged like an answer of the network: whoever writes there must not make a key by it. What was seen at
 * another address than the version names is of another issuer, although it may bear the same name.
 */
function trusted(text) {
  let parsed = null;
  try {
    parsed = JSON.parse(text ?? "{}");
  } catch {
    // No JSON is the same as nothing: the next refresh writes it anew.
  }
  const strings = (list) => (Array.isArray(list) ? list.filter((item) => typeof item === "string") : []);
  const entryOf = (name) => {
    const from = sources[name].jwks_uri;
    const found = parsed?.[name]?.from === from ? parsed[name] : {};
    return { from, keys: usable(found.keys), gone: strings(found.gone) };
  };
  return Object.fromEntries(Object.keys(sources).map((name) => [name, entryOf(name)]));
}

async function fetchKeys(uri) {
  // Workers know no `redirect: "error"`; a redirect that isn't followed is no 200.
  const signal = AbortSignal.timeout(FETCH_MS);
  const response = await fetch(uri, { redirect: "manual", headers: { accept: "application/json" }, signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the key set was answered with ${response.status}`);
  }
  const keys = usable(JSON.parse(await readText(response.body)).keys);
  // An empty set would say that nobody's token is good; what we have is the safer reading of a broken answer.
  if (keys.length === 0) throw new Error("the key set has no usable key");
  return keys;
}

async function readText(body) {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const part of body) {
    size += part.byteLength;
    if (size > MAX_BYTES) throw new Error(`the key set is larger than ${MAX_BYTES} bytes`);
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

function fault(reason, more = {}) {
  console.error(JSON.stringify({ type: "mbgate.fault", reason, ...more }));
}
