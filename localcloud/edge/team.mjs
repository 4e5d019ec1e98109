/** The team domain: keys, sign-in at the identity provider (code + PKCE), identity, sign-out; and local controls. */

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";

import { COOKIE, localPath, seconds } from "./access.mjs";
import { plain } from "./front.mjs";
import { cookiesOf, pairs } from "./headers.mjs";
import { isAdmitted } from "./policy.mjs";

const PENDING_MS = 10 * 60_000;
const SESSION = "CF_Session";

/**
 * @param {{state: () => object | null, access: object, teamUrl: string, token: string, runCron: Function, logs: object}} edge
 * @returns {import("node:http").Server}
 */
export function makeTeam(edge) {
  const pending = new Map();
  const identities = new Map();
  return createServer((req, res) => {
    answer({ ...edge, pending, identities }, req, res).catch((error) => {
      edge.logs.event("the team domain failed", { error: error.message });
      plain(res, 500, "error code: 500");
    });
  });
}

async function answer(edge, req, res) {
  const url = new URL(req.url, edge.teamUrl);
  if (url.pathname === "/cdn-cgi/access/certs") {
    const keys = edge.access.publicKeys();
    return json(res, 200, { keys, public_cert: keys[0], public_certs: keys });
  }
  if (url.pathname.startsWith("/cdn-cgi/access/login/")) return login(edge, url, req, res);
  if (url.pathname === "/cdn-cgi/access/callback") return callback(edge, url, res);
  if (url.pathname === "/cdn-cgi/access/get-identity") return identity(edge, req, res);
  if (url.pathname === "/cdn-cgi/access/logout") {
    res.writeHead(200, {
      "set-cookie": `${SESSION}=; Path=/; HttpOnly; Max-Age=0`,
      "content-type": "text/plain",
    });
    return res.end("You are signed out.\n");
  }
  if (url.pathname.startsWith("/_local/cron/") && req.method === "POST") {
    if (req.headers.authorization !== `Bearer ${edge.token}`) return plain(res, 401, "Unauthorized");
    return json(res, 200, await edge.runCron(decodeURIComponent(url.pathname.split("/").at(-1))));
  }
  return plain(res, 404, "error code: 404");
}

function json(res, status, body) {
  res.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  return res.end(JSON.stringify(body));
}

function login(edge, url, req, res) {
  const host = decodeURIComponent(url.pathname.split("/").at(-1));
  const app = edge.state()?.access.apps.find((a) => a.aud === url.searchParams.get("kid"));
  if (!app || app.domain.split("/")[0] !== host.replace(/:\d+$/, ""))
    return plain(res, 404, "Unable to find your Access application");
  const target = localPath(url.searchParams.get("redirect_url"));
  const known = sessionOf(edge, req);
  if (known) return admit(edge, { app, host, target, who: known }, res);
  const idp = edge
    .state()
    .access.identity_providers.find((p) => !app.allowed_idps?.length || app.allowed_idps.includes(p.id));
  if (!idp) return plain(res, 403, "No identity provider is allowed for this application");
  const state = randomBytes(24).toString("base64url");
  const verifier = randomBytes(32).toString("base64url");
  const nonce = randomBytes(24).toString("base64url");
  edge.pending.set(state, {
    app: app.id,
    host,
    target,
    idp: idp.id,
    verifier,
    nonce,
    until: Date.now() + PENDING_MS,
  });
  const query = new URLSearchParams({
    client_id: idp.config.client_id,
    response_type: "code",
    redirect_uri: `${edge.teamUrl}/cdn-cgi/access/callback`,
    scope: (idp.config.scopes ?? ["openid", "email", "profile"]).join(" "),
    state,
    nonce,
  });
  if (idp.config.pkce_enabled) {
    query.set("code_challenge", createHash("sha256").update(verifier).digest("base64url"));
    query.set("code_challenge_method", "S256");
  }
  res.writeHead(302, { location: `${idp.config.auth_url}?${query}`, "cache-control": "no-store" });
  return res.end();
}

async function callback(edge, url, res) {
  const pending = edge.pending.get(url.searchParams.get("state") ?? "");
  edge.pending.delete(url.searchParams.get("state") ?? "");
  const { apps, identity_providers: idps } = edge.state().access;
  const app = pending && apps.find((a) => a.id === pending.app);
  const idp = pending && idps.find((p) => p.id === pending.idp);
  if (!app || !idp || pending.until < Date.now())
    return plain(res, 400, "This sign-in has expired. Open the page again.");
  if (url.searchParams.get("error")) return plain(res, 403, "The identity provider did not sign you in.");
  const claims = await redeem(edge, idp, pending, url.searchParams.get("code") ?? "");
  const who = { idp: idp.id, email: claims.email, sub: claims.sub, name: claims.name, claims };
  return admit(edge, { app, host: pending.host, target: pending.target, who, fresh: true }, res);
}

async function redeem(edge, idp, pending, code) {
  const { config } = idp;
  const encode = (text) => encodeURIComponent(text).replace(/%20/g, "+");
  const basic = Buffer.from(`${encode(config.client_id)}:${encode(config.client_secret)}`).toString("base64");
  const form = {
    grant_type: "authorization_code",
    code,
    redirect_uri: `${edge.teamUrl}/cdn-cgi/access/callback`,
  };
  if (config.pkce_enabled) form.code_verifier = pending.verifier;
  const response = await fetch(config.token_url, {
    method: "POST",
    headers: { authorization: `Basic ${basic}`, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}`);
  const { id_token: token } = await response.json();
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(config.certs_url)), {
    audience: config.client_id,
    algorithms: ["RS256", "ES256", "PS256"],
  });
  if (payload.nonce !== pending.nonce) throw new Error("the ID token answers another sign-in");
  return payload;
}

/** Evaluates the policies and, for who passes, goes to the application's host with its token. */
async function admit(edge, { app, host, target, who, fresh }, res) {
  const { groups, identity_providers: idps } = edge.state().access;
  if (!isAdmitted(app.policies, who, groups)) return plain(res, 403, "That account does not have access.");
  const listed = idps.find((p) => p.id === who.idp)?.config.claims ?? [];
  const custom = Object.fromEntries(
    listed.filter((c) => who.claims[c] !== undefined).map((c) => [c, who.claims[c]]),
  );
  const nonce = randomBytes(12).toString("base64url");
  const token = await edge.access.issue(app, {
    email: who.email,
    sub: who.sub,
    identity_nonce: nonce,
    country: "XX",
    custom,
  });
  const headers = {
    location: `http://${host}/cdn-cgi/access/authorized?${new URLSearchParams({ token, redirect_url: target })}`,
  };
  edge.identities.set(nonce, who);
  if (fresh) {
    const id = randomBytes(24).toString("base64url");
    edge.identities.set(id, { ...who, until: Date.now() + seconds(app.session_duration) * 1000 });
    headers["set-cookie"] = `${SESSION}=${id}; Path=/; HttpOnly; SameSite=Lax`;
  }
  res.writeHead(302, { ...headers, "cache-control": "no-store" });
  return res.end();
}

function sessionOf(edge, req) {
  const cookie = cookiesOf(pairs(req.rawHeaders)).find(([name]) => name === SESSION);
  const who = cookie && edge.identities.get(cookie[1]);
  return who && who.until > Date.now() ? who : null;
}

/** GET /cdn-cgi/access/get-identity: the full list of groups, which the token may lack. */
async function identity(edge, req, res) {
  const cookie = cookiesOf(pairs(req.rawHeaders)).find(([name]) => name === COOKIE);
  try {
    const payload = await edge.access.verify(cookie?.[1] ?? "");
    const who = edge.identities.get(payload.identity_nonce);
    const body = {
      id: payload.sub,
      email: payload.email,
      name: who?.name,
      user_uuid: payload.sub,
      oidc_fields: who?.claims ?? {},
    };
    return json(res, 200, { ...body, groups: who?.claims.groups ?? [], idp: { id: who?.idp, type: "oidc" } });
  } catch {
    return json(res, 401, { err: "no app token set" });
  }
}
