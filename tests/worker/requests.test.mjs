/** What goes to the origin and what comes back: headers, redirects, paths, pages. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ENV, load, NOW } from "./harness.mjs";

const { isStripped, originHeaders } = await load("mutate.js");
const { ownLocation, toClient } = await load("forward.js");
const { returnPath } = await load("signin.js");
const { deniedPage } = await load("pages.js");
const { openings } = await load("ways.js");
const { ENGLISH } = await load("texts/index.js");
const { isNavigation, problem, unauthenticated } = await load("respond.js");
const { assertionFor, publicKeys } = await load("assertion.js");
const { readBody, readQuery } = await load("query.js");

const IDENTITY = { metabase: "mb-session", assertion: "a.b.c", requestId: "r1" };

test("every spelling of an identity header goes (CVE-2025-64484, CVE-2026-33433)", () => {
  for (const name of [
    "Authorization",
    "Cookie",
    "X-Metabase-Session",
    "x_metabase_session",
    "X.Metabase.Session",
    "X-API-Key",
    "X_Api_Key",
    "Mbgate-Assertion",
    "MBGATE_ASSERTION",
    "Cf-Access-Jwt-Assertion",
    "CF_Access_Client_Secret",
    "X-Forwarded-Email",
    "X_Forwarded_User",
    "X-Forwarded-For",
    "Forwarded",
    "X-Real-IP",
    "Remote-User",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-Auth-Request-Email",
    "X-Amzn-Oidc-Data",
    "Connection",
    "Upgrade",
    "TE",
  ]) {
    assert.ok(isStripped(name), name);
  }
  for (const name of ["Accept", "Content-Type", "Accept-Language", "User-Agent", "If-None-Match"]) {
    assert.ok(!isStripped(name), name);
  }
});

test("a client's Connection header can't delete ours (CVE-2024-45410)", () => {
  const headers = {
    connection: "X-Metabase-Session, Mbgate-Assertion, accept",
    accept: "text/html",
    "x-kept": "1",
    cookie: "a=b",
  };
  const fake = { headers: new Headers(headers) };
  const out = originHeaders(fake, IDENTITY);
  assert.equal(out.get("x-metabase-session"), "mb-session");
  assert.equal(out.get("mbgate-assertion"), "a.b.c");
  assert.equal(out.get("accept"), null);
  assert.equal(out.get("x-kept"), "1");
  assert.equal(out.get("cookie"), null);
  assert.equal(out.get("x-forwarded-proto"), "https");
  assert.equal(out.get("x-forwarded-host"), "bi.example.com");
});

test("the origin's cookies and caching stay away from the browser", () => {
  const answer = new Response("x", {
    headers: { "set-cookie": "metabase.SESSION=s", "cache-control": "public", server: "Jetty" },
  });
  const out = toClient(answer, "/api/card/1");
  assert.equal(out.headers.get("set-cookie"), null);
  assert.equal(out.headers.get("server"), null);
  assert.equal(out.headers.get("cache-control"), "private, no-store");
  const asset = toClient(
    new Response("x", { headers: { "cache-control": "public, max-age=9, immutable" } }),
    "/app/dist/a.js",
  );
  assert.match(asset.headers.get("cache-control"), /immutable/);
});

test("a redirect stays on the gateway", () => {
  assert.equal(ownLocation("/dashboard/1?a=1#x"), "/dashboard/1?a=1#x");
  assert.equal(ownLocation("http://metabase.internal:3000/auth"), "/auth");
  for (const evil of [
    "https://evil.example/",
    "//evil.example/x",
    "/\\evil.example",
    "javascript:alert(1)",
    "http://[",
  ]) {
    assert.ok(!/evil|javascript|^\/\//.test(ownLocation(evil)) || ownLocation(evil) === "/", evil);
  }
  assert.ok(!ownLocation("http://metabase.internal:3000//evil.example").startsWith("//"));
});

test("return paths are paths of this gateway (CVE-2021-21291 and its family)", () => {
  assert.equal(returnPath("/dashboard/1?tab=2"), "/dashboard/1?tab=2");
  for (const evil of [
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "https://evil.example",
    "/%09/evil.example/..//x\\y",
    "javascript:x",
    "",
    null,
    undefined,
    "/ /evil.example",
    "/_gateway/sign-out",
    "\\\\evil.example",
    "/\u2028evil",
    `/${"a".repeat(3000)}`,
    "/.//evil.example",
    "/x/..//evil.example",
  ]) {
    const found = returnPath(evil);
    assert.ok(found.startsWith("/") && !found.startsWith("//") && !found.includes("\\"), `${evil} → ${found}`);
    assert.equal(new URL(found, "https://bi.example.com").origin, "https://bi.example.com");
    assert.ok(!found.startsWith("/_gateway/"));
  }
});

test("only what a person sees as a page is a navigation", () => {
  const of = (method, headers) => isNavigation(new Request("https://bi.example.com/", { method, headers }));
  assert.equal(of("GET", { accept: "text/html" }), true);
  assert.equal(of("GET", { accept: "application/json" }), false);
  assert.equal(of("POST", { accept: "text/html" }), false);
  assert.equal(of("HEAD", { accept: "text/html" }), true);
});

test("sign-in clears the session and carries no foreign address (CVE-2026-34454)", () => {
  const record = { reason: "session-expired", path: "/dashboard/1", search: "?a=1", requestId: "r" };
  const page = unauthenticated(new Request("https://bi.example.com/", { headers: { accept: "text/html" } }), record, {
    bearer: false,
  });
  assert.equal(page.status, 302);
  assert.equal(page.headers.get("location"), "/_gateway/sign-in?return_to=%2Fdashboard%2F1%3Fa%3D1");
  assert.match(page.headers.get("set-cookie"), /^__Host-mbgate=;.*Max-Age=0$/);
  const call = unauthenticated(new Request("https://bi.example.com/api"), record, { bearer: true });
  assert.equal(call.status, 401);
  assert.match(
    call.headers.get("www-authenticate"),
    /^Bearer realm="https:\/\/bi\.example\.com", error="invalid_token"$/,
  );
});

test("a problem document has the members of RFC 9457 and its own", async () => {
  const response = problem({ reason: "rule-denied", requestId: "r", decision: { rule: "no-files" } }, 403);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body = await response.json();
  assert.deepEqual(Object.keys(body).sort(), ["detail", "reason", "request_id", "rule", "status", "title", "type"]);
});

test("the denied page escapes everything and links only to what the role can open", async () => {
  const told = {
    reason: "resource-not-granted",
    role: "analyst",
    path: '"><script>alert(1)</script>',
    who: "<b>@x.y",
    id: "r",
  };
  const response = deniedPage(ENGLISH, told, 403);
  const html = await response.text();
  assert.ok(!html.includes("<script"));
  assert.ok(!html.includes("<b>"));
  assert.match(html, /href="\/dashboard\/1"/);
  assert.match(response.headers.get("content-security-policy"), /default-src 'none'/);
  assert.deepEqual(openings("no-such-role"), []);
  assert.deepEqual(openings("__proto__"), []);
});

test("the assertion is for the origin, short, and reused within its life", async () => {
  const grants = { group: "Analysts", collections: { Sales: "read" }, attributes: { team: "sales" } };
  const ask = (now, role = "analyst", env = ENV, scope = grants) =>
    assertionFor(env, {
      principal: { issuer: "workforce", sub: "u1", email: "a@b.c" },
      role,
      team: "sales",
      scope,
      requestId: "r1",
      now,
    });
  const first = await ask(NOW);
  const [head, payload] = first.split(".").map((part) => part && Buffer.from(part, "base64url").toString());
  assert.equal(JSON.parse(head).alg, "ES256");
  const claims = JSON.parse(payload);
  assert.equal(claims.exp - claims.iat, 60);
  assert.deepEqual(
    [claims.iss, claims.aud, claims.sub, claims.role, claims.team],
    ["https://bi.example.com", "metabase", "u1", "analyst", "sales"],
  );
  assert.deepEqual(claims.scope, grants);
  assert.equal(await ask(NOW + 40), first);
  assert.notEqual(await ask(NOW + 55), first);
  assert.notEqual(await ask(NOW, "exec"), first);
  assert.notEqual(await ask(NOW, "analyst", ENV, { ...grants, attributes: { team: "shop" } }), first);
  const { keys } = publicKeys({ ...ENV, ASSERTION_KEY_PREVIOUS: ENV.ASSERTION_KEY_CURRENT });
  assert.equal(keys.length, 2);
  assert.ok(keys.every((key) => !("d" in key)));
});

test("a body is read to its cap and no further", async () => {
  const post = (body, headers = {}) => new Request("https://bi.example.com/", { method: "POST", body, headers });
  assert.equal(await readBody(post("x".repeat(1024 * 1024 + 1))), null);
  assert.equal((await readBody(post("abc"))).byteLength, 3);
  assert.equal(readQuery(null, "query", "application/json"), null);
  assert.equal(readQuery(new Uint8Array([0xff]), "query", "application/json"), null);
  const native = new TextEncoder().encode('{"database":1,"type":"native","native":{"query":"select 1"}}');
  assert.deepEqual(readQuery(native, "query", "application/json"), { native: true, database: "1" });
  assert.equal(readQuery(native, "query", "text/plain"), null);
});

test("every spelling that some version of Metabase folds is read, and what can't be read is refused", () => {
  const read = (text) => readQuery(new TextEncoder().encode(text), "query", "application/json");
  for (const text of [
    '{"database":1,"_database":2,"type":"query"}',
    '{"database":1,"data-base":2,"type":"query"}',
    '{"database":1,"Database":"2","type":"query"}',
    '{"database":1,"query":{"source-query":{"DATABASE":null}}}',
    '{"database":"1"}',
    '{"database":true}',
  ]) {
    assert.equal(read(text), null, text);
  }
  for (const text of [
    '{"database":1,"_type":"native","native_":{"query":"select 1"}}',
    '{"database":1,"type":"NATIVE"}',
    '{"database":1,"stages":[{"lib/type":"mbql.stage/native","native":"select 1"}]}',
    '{"database":1,"query":{"joins":[{"source-query":{"na-tive":"select 1"}}]}}',
  ]) {
    assert.deepEqual(read(text), { native: true, database: "1" }, text);
  }
});

test("an address is ASCII with one @ (CVE-2026-40574)", async () => {
  const { isAddress } = await load("authenticate.js");
  assert.ok(isAddress("a.b+c@example.com"));
  for (const text of ["mi\u212Ae@x.com", "a@b@c", "a b@c", "@", "a@", "", null, ["a@b"], "a@b\n"])
    assert.ok(!isAddress(text), String(text));
});
