/** Tokens: what is accepted, and every published way in that is not. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { load, NOW, SignJWT, secrets, sign, UnsecuredJWT } from "./harness.mjs";

const { verifyIdToken, verifyBearer, verifyAccess } = await load("tokens.js");
const { algorithmOf, usable } = await load("jwks.js");
const { keyFinder, refreshKeys, refreshLater } = await load("keys.js");

const ID = { iss: "https://idp.example.com", aud: "mbgate", sub: "u1", exp: NOW + 300, iat: NOW, nonce: "n1" };
const BEARER = { iss: "https://idp.example.com", aud: "https://bi.example.com", sub: "bot", exp: NOW + 300, iat: NOW };
const APP = {
  iss: "https://acme.cloudflareaccess.com",
  aud: ["aud-tag"],
  email: "a@b.c",
  sub: "s",
  type: "app",
  exp: NOW + 300,
  iat: NOW,
};
const reason = async (promise) => (await promise).reason ?? "accepted";

test("an ID token that answers our request is accepted, with RS256 and ES256", async () => {
  assert.equal(await reason(verifyIdToken(await sign(ID), "n1")), "accepted");
  assert.equal(await reason(verifyIdToken(await sign(ID, { kid: "e1" }), "n1")), "accepted");
});

for (const [name, change, expected] of [
  ["another nonce", { nonce: "n2" }, "token-nonce-foreign"],
  ["no nonce", { nonce: undefined }, "token-claims-invalid"],
  ["another issuer", { iss: "https://idp.example.com/" }, "token-issuer-foreign"],
  ["another audience", { aud: "other" }, "token-audience-foreign"],
  ["an empty audience (CVE-2025-62610)", { aud: "" }, "token-audience-foreign"],
  ["an empty audience array (CVE-2020-26160)", { aud: [] }, "token-audience-foreign"],
  ["no audience", { aud: undefined }, "token-audience-foreign"],
  ["many audiences without azp (Core 3.1.3.7)", { aud: ["mbgate", "x"] }, "token-audience-foreign"],
  ["another azp", { azp: "x" }, "token-audience-foreign"],
  ["an expiry in the past", { exp: NOW - 60 }, "token-expired"],
  ["no expiry", { exp: undefined }, "token-claims-invalid"],
  ["a start in the future", { nbf: NOW + 600 }, "token-not-yet-valid"],
  ["no subject", { sub: undefined }, "token-claims-invalid"],
]) {
  test(`an ID token with ${name} is refused`, async () => {
    assert.equal(await reason(verifyIdToken(await sign({ ...ID, ...change }), "n1")), expected);
  });
}

test("many audiences with our azp are accepted", async () => {
  assert.equal(
    await reason(verifyIdToken(await sign({ ...ID, aud: ["mbgate", "x"], azp: "mbgate" }), "n1")),
    "accepted",
  );
});

test("an unsigned token is refused (CVE-2026-22817)", async () => {
  const token = new UnsecuredJWT(ID).encode();
  assert.notEqual(await reason(verifyIdToken(token, "n1")), "accepted");
  assert.notEqual(await reason(verifyIdToken(`${token}x`, "n1")), "accepted");
});

test("a public key taken for an HMAC secret is refused (CVE-2026-22818)", async () => {
  const secret = new TextEncoder().encode(JSON.stringify(secrets.keys.r1.public));
  const token = await new SignJWT(ID).setProtectedHeader({ alg: "HS256", kid: "r1" }).sign(secret);
  assert.equal(await reason(verifyIdToken(token, "n1")), "token-algorithm-refused");
});

test("a key is pinned to its algorithm", async () => {
  const find = keyFinder("provider");
  await assert.rejects(find({ kid: "r1", alg: "PS256" }), { code: "key-algorithm" });
  await assert.rejects(find({ kid: "e1", alg: "RS256" }), { code: "key-algorithm" });
  await assert.rejects(find({ alg: "RS256" }), { code: "key-unknown" });
  assert.equal(algorithmOf({ kty: "EC", crv: "P-384" }), "ES384");
});

test("an unknown key id, and a known one over another's signature, are refused without a fetch", async () => {
  const before = globalThis.fetch;
  globalThis.fetch = () => assert.fail("a key was fetched on the request path (go-oidc#482)");
  try {
    assert.equal(await reason(verifyIdToken(await sign(ID, { kid: "made-up", key: "r2" }), "n1")), "token-key-unknown");
    assert.equal(
      await reason(verifyIdToken(await sign(ID, { kid: "r1", key: "r2" }), "n1")),
      "token-signature-invalid",
    );
  } finally {
    globalThis.fetch = before;
  }
});

test("a header that brings its own key is not believed", async () => {
  const header = { jwk: secrets.keys.r2.public, jku: "https://evil.example/jwks", x5u: "https://evil.example/x" };
  assert.equal(
    await reason(verifyIdToken(await sign(ID, { kid: "r1", key: "r2", header }), "n1")),
    "token-signature-invalid",
  );
});

test("an unknown critical header is refused (RFC 7515 4.1.11)", async () => {
  const token = await sign(ID);
  const [, payload, signature] = token.split(".");
  const head = Buffer.from(JSON.stringify({ alg: "RS256", kid: "r1", crit: ["x"], x: 1 })).toString("base64url");
  assert.notEqual(await reason(verifyIdToken(`${head}.${payload}.${signature}`, "n1")), "accepted");
});

test("size and number of dots are capped (CVE-2025-30204)", async () => {
  assert.equal(await reason(verifyBearer(".".repeat(5000), NOW)), "token-malformed");
  assert.equal(await reason(verifyBearer(`${"a".repeat(9000)}.b.c`, NOW)), "token-malformed");
  assert.equal(await reason(verifyBearer("a.b", NOW)), "token-malformed");
  assert.equal(await reason(verifyBearer("", NOW)), "token-malformed");
});

test("a bearer token is accepted, remembered, and forgotten when it expires", async () => {
  const token = await sign(BEARER);
  assert.equal(await reason(verifyBearer(token, NOW)), "accepted");
  assert.equal(await reason(verifyBearer(token, NOW)), "accepted");
  const short = await sign({ ...BEARER, exp: NOW + 2 });
  assert.equal(await reason(verifyBearer(short, NOW)), "accepted");
  // The cached one must not outlive its expiry: the verifier's own clock decides then.
  const late = await verifyBearer(await sign({ ...BEARER, exp: NOW - 30 }), NOW);
  assert.equal(late.reason, "token-expired");
});

test("an ID token is no bearer token, and the other way round", async () => {
  assert.equal(await reason(verifyBearer(await sign(ID), NOW)), "token-audience-foreign");
  assert.notEqual(await reason(verifyIdToken(await sign({ ...BEARER, nonce: "n1" }), "n1")), "accepted");
});

test("Access: application tokens of this application only", async () => {
  const signed = (change, options = { kid: "a1" }) => sign({ ...APP, ...change }, options);
  assert.equal(await reason(verifyAccess(await signed({}))), "accepted");
  assert.equal(await reason(verifyAccess(await signed({ type: "org" }))), "token-type-foreign");
  assert.equal(await reason(verifyAccess(await signed({ aud: ["other"] }))), "token-audience-foreign");
  assert.equal(
    await reason(verifyAccess(await signed({ iss: "https://evil.cloudflareaccess.com" }))),
    "token-issuer-foreign",
  );
  assert.equal(await reason(verifyAccess(await signed({}, { kid: "r1" }))), "token-key-unknown");
  assert.equal(await reason(verifyAccess(null)), "token-malformed");
});

test("keys from the network are linted", () => {
  const { public: good } = secrets.keys.r1;
  const { public: curve } = secrets.keys.e1;
  const bytes = Buffer.from(good.n, "base64url");
  const even = Buffer.from(bytes);
  even[even.length - 1] &= 0xfe;
  const encoded = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part))).toString("base64url");
  const bad = {
    "no key id": { ...good, kid: undefined },
    "an empty key id": { ...good, kid: "" },
    "a number as key id": { ...good, kid: 1 },
    "a private key": { ...good, d: "AQ" },
    "an exponent of 1": { ...good, e: "AQ" },
    "an exponent of 2": { ...good, e: "Ag" },
    "an even exponent": { ...good, e: "AQAA" },
    "an exponent of zero": { ...good, e: "AAAA" },
    "no exponent": { ...good, e: undefined },
    "an even modulus": { ...good, n: even.toString("base64url") },
    "a short modulus": { ...good, n: good.n.slice(0, 171) },
    "a short modulus behind zeros": { ...good, n: encoded(Buffer.alloc(200), bytes.subarray(0, 127), [1]) },
    "2047 bits": { ...good, n: encoded([0x7f], bytes.subarray(1)) },
    "an endless modulus": { ...good, n: encoded(bytes, Buffer.alloc(2000, 1)) },
    "no modulus": { ...good, n: undefined },
    "an HMAC algorithm": { ...good, alg: "HS256" },
    "no algorithm at all": { ...good, alg: "none" },
    "a curve's algorithm": { ...good, alg: "ES256" },
    "an encryption key": { ...good, use: "enc" },
    "a key that only encrypts": { ...good, key_ops: ["encrypt"] },
    "a symmetric key": { kty: "oct", kid: "x", k: "c2VjcmV0" },
    "an unknown curve": { ...curve, crv: "secp256k1" },
    "an inherited curve": { ...curve, crv: "constructor" },
    "a curve with another algorithm": { ...curve, alg: "ES384" },
    "a point without y": { ...curve, y: undefined },
    "a short point": { ...curve, x: curve.x.slice(0, 20) },
    "a key agreement curve": { kty: "OKP", crv: "X25519", kid: "x", alg: "EdDSA", x: curve.x },
    "an unknown type": { ...good, kty: "constructor" },
    "no object": 7,
    nothing: null,
  };
  for (const [name, key] of Object.entries(bad)) assert.deepEqual(usable([key]), [], name);
  assert.deepEqual(usable([good, ...Object.values(bad), curve]), [good, curve]);
  assert.deepEqual(usable([{ ...good, n: encoded([0], bytes) }]).length, 1);
  assert.deepEqual(usable([good, good]), []);
  assert.deepEqual(usable(undefined), []);
  assert.deepEqual(usable({ 0: good, length: 1 }), []);
});

test("the trigger brings new keys, keeps the overlap, and ends withdrawn keys", async () => {
  const values = new Map();
  const env = {
    KEYS: { get: async (name) => values.get(name) ?? null, put: async (name, text) => values.set(name, text) },
  };
  const { r1, r2, e1, a1 } = secrets.keys;
  let published = [r1.public, r2.public];
  const before = globalThis.fetch;
  globalThis.fetch = async (uri) => Response.json({ keys: uri.includes("cloudflareaccess") ? [a1.public] : published });
  const find = keyFinder("provider");
  const waiting = [];
  const look = async () => {
    refreshLater(env, { waitUntil: (promise) => waiting.push(promise) });
    await Promise.all(waiting);
  };
  try {
    await assert.rejects(find({ kid: "r2", alg: "RS256" }), { code: "key-unknown" });
    await refreshKeys(env);
    await look();
    await find({ kid: "r2", alg: "RS256" });
    await find({ kid: "r1", alg: "RS256" });
    await assert.rejects(
      find({ kid: "e1", alg: "ES256" }),
      { code: "key-unknown" },
      "deployed, and no longer published",
    );
    const kept = values.get("jwks");
    published = [];
    await refreshKeys(env);
    assert.equal(values.get("jwks"), kept, "an empty answer changes nothing");
    published = [r1.public, r2.public, e1.public];
    await refreshKeys(env);
    assert.deepEqual(
      JSON.parse(values.get("jwks")).provider.gone,
      [],
      "a key that is published again is trusted again",
    );
    // Within the same minute KV is not read again.
    await look();
    assert.equal(waiting.length, 1);
  } finally {
    globalThis.fetch = before;
  }
});

test("an ID token whose audience names the gateway too is no bearer token", async () => {
  const both = { ...ID, aud: ["mbgate", "https://bi.example.com"], azp: "mbgate" };
  assert.equal(await reason(verifyBearer(await sign(both), NOW)), "token-type-foreign");
  assert.equal(await reason(verifyBearer(await sign({ ...both, nonce: undefined }), NOW)), "token-type-foreign");
});

test("what somebody wrote into KV is linted, and nonsense there is no outage", async () => {
  const find = keyFinder("provider");
  for (const text of [
    "null",
    "[]",
    "{",
    '{"provider":5}',
    '{"provider":{"from":"https://idp.example.com/jwks","keys":[{"kty":"oct","kid":"r1","k":"AA"}]}}',
  ]) {
    const env = { KEYS: { get: async () => text, put: async () => {} } };
    const { refreshLater: later, keyFinder: finder } = await load(`keys.js?kv=${encodeURIComponent(text)}`);
    const waiting = [];
    later(env, { waitUntil: (promise) => waiting.push(promise) });
    await Promise.all(waiting);
    await finder("provider")({ kid: "r1", alg: "RS256" });
  }
  await find({ kid: "r1", alg: "RS256" });
});
