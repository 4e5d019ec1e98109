/** Sessions and sealed values: rotation, limits, and everything that is not a session. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ENV, load, NOW, secrets } from "./harness.mjs";

const { open, seal } = await load("seal.js");
const { COOKIE, cookieLine, keptClaims, newSession, readSession, sessionCookie } = await load("session.js");

const PERSON = {
  issuer: "workforce",
  sub: "u1",
  email: "a@b.c",
  name: "A",
  claims: { groups: ["bi-analysts"], department: "sales", ssn: "1" },
};
const request = (cookie) => new Request("https://bi.example.com/", { headers: cookie ? { cookie } : {} });
const pairOf = (line) => line.split(";")[0];
const fresh = async (env = ENV, now = NOW) => pairOf(await sessionCookie(env, newSession(PERSON, now), now));

test("a session comes back, with only the claims that policies read", async () => {
  const { session } = await readSession(request(await fresh()), ENV, NOW);
  assert.equal(session.email, "a@b.c");
  assert.deepEqual(session.claims, { groups: ["bi-analysts"], department: "sales" });
  assert.deepEqual(keptClaims({ __proto__: { groups: "inherited" } }), {});
});

test("the cookie has every protection", async () => {
  const line = await sessionCookie(ENV, newSession(PERSON, NOW), NOW);
  assert.match(line, /^__Host-mbgate=[A-Za-z0-9_-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200$/);
  assert.ok(!line.includes("Domain"));
  assert.ok(cookieLine("x", "", 0).endsWith("Max-Age=0"));
});

test("no cookie, two cookies, a broken one, a huge one: a reason each, never a pass", async () => {
  const cookie = await fresh();
  const reasonOf = async (text) => (await readSession(request(text), ENV, NOW)).reason;
  assert.equal(await reasonOf(null), "session-missing");
  assert.equal(await reasonOf(`${cookie}; ${cookie}`), "session-cookie-duplicated");
  for (const text of ["", "x", "!!!", cookie.slice(COOKIE.length + 1, -1), "A".repeat(200)]) {
    assert.equal(await reasonOf(`${COOKIE}=${text}`), "session-cookie-malformed", text);
  }
  assert.equal(await reasonOf(`${COOKIE}=${"A".repeat(5000)}`), "session-cookie-malformed");
});

test("each changed byte breaks it", async () => {
  const value = (await fresh()).slice(COOKIE.length + 1);
  const bytes = Buffer.from(value, "base64url");
  for (let i = 0; i < bytes.length; i += 7) {
    const changed = Buffer.from(bytes);
    changed[i] ^= 1;
    const found = await readSession(request(`${COOKIE}=${changed.toString("base64url")}`), ENV, NOW);
    assert.equal(found.reason, "session-cookie-malformed", `byte ${i}`);
  }
});

test("idle and absolute limits end it", async () => {
  const cookie = await fresh();
  const at = async (seconds) => (await readSession(request(cookie), ENV, NOW + seconds)).reason ?? "accepted";
  assert.equal(await at(3599), "accepted");
  assert.equal(await at(3601), "session-expired");
  const renewed = pairOf(await sessionCookie(ENV, newSession(PERSON, NOW), NOW + 43_000));
  assert.equal((await readSession(request(renewed), ENV, NOW + 43_201)).reason, "session-expired");
});

test("it is renewed after a quarter of the idle limit", async () => {
  const cookie = await fresh();
  assert.equal((await readSession(request(cookie), ENV, NOW + 60)).stale, false);
  assert.equal((await readSession(request(cookie), ENV, NOW + 1000)).stale, true);
});

test("rotation: the previous key opens and asks for renewal, the one before is dead", async () => {
  const cookie = await fresh();
  const once = { ...ENV, SESSION_KEY_CURRENT: secrets.session[1], SESSION_KEY_PREVIOUS: secrets.session[0] };
  const twice = { ...ENV, SESSION_KEY_CURRENT: secrets.session[2], SESSION_KEY_PREVIOUS: secrets.session[1] };
  const found = await readSession(request(cookie), once, NOW);
  assert.equal(found.session.sub, "u1");
  assert.equal(found.stale, true);
  assert.equal((await readSession(request(cookie), twice, NOW)).reason, "session-cookie-malformed");
});

test("a value sealed for one purpose does not open for another", async () => {
  const sealed = await seal(ENV, "transaction", { a: 1 });
  assert.deepEqual((await open(ENV, "transaction", sealed)).value, { a: 1 });
  assert.equal(await open(ENV, "session", sealed), null);
});

test("a key of the wrong size is an error, not a weak cookie", async () => {
  await assert.rejects(seal({ ...ENV, SESSION_KEY_CURRENT: "c2hvcnQ" }, "session", {}), /32 bytes/);
});

test("a session too large for a cookie loses its logout hint, not its limits", async () => {
  const session = newSession({ ...PERSON, idToken: "x".repeat(1700) }, NOW);
  assert.equal(session.hint.length, 1700);
  assert.equal(newSession({ ...PERSON, idToken: "x".repeat(4000) }, NOW).hint, null);
  const groups = Array.from({ length: 60 }, (_, i) => `group-with-a-long-name-${i}`);
  const line = await sessionCookie(ENV, { ...session, claims: { groups } }, NOW);
  assert.ok(line.length < 4096);
  const huge = { ...session, claims: { groups: Array.from({ length: 600 }, (_, i) => `group-with-a-long-name-${i}`) } };
  await assert.rejects(sessionCookie(ENV, huge, NOW), /too large/);
});
