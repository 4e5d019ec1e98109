/** Signing in at the team domain: authorization code with PKCE, state and nonce, then the policies, then the way back. */

import { createHash } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";

import { localPath, PREFIX, redirect } from "./access.mjs";
import { singleCookie } from "./headers.mjs";
import { parseHost } from "./hosts.mjs";
import { escapeHtml } from "./html.mjs";
import { isPersonAdmitted } from "./policy.mjs";
import { plain } from "./relay.mjs";
import { expiringMap, newId } from "./sessions.mjs";
import { secondsOf } from "./tokens.mjs";

export const SESSION_COOKIE = "CF_Session";
const PENDING_COOKIE = "CF_Login";
const PENDING_MS = 10 * 60_000;
const PROVIDER_MS = 10_000;
/** A PKCE verifier has 43 to 128 characters (RFC 7636 section 4.1). */
const newVerifier = () => newId() + newId();

/**
 * @param {{state: () => object | null, teamUrl: string, tokens: object, sessions: object, logs: object}} edge
 * @returns {{begin: Function, finish: Function}} handlers of `login/HOST` and `callback`
 */
export function makeLogin(edge) {
  const pending = expiringMap();
  const jwks = new Map();
  const keysOf = (url) => jwks.get(url) ?? jwks.set(url, createRemoteJWKSet(new URL(url))).get(url);

  async function begin(url, list, res) {
    const host = decodeURIComponent(url.pathname.slice(`${PREFIX}login/`.length));
    const { apps, identity_providers: all } = edge.state().access;
    const app = apps.find((a) => a.aud === url.searchParams.get("kid"));
    if (!app || !isHostOf(app, host)) return plain(res, 404, "Unable to find your Access application.");
    const target = localPath(url.searchParams.get("redirect_url"));
    const session = edge.sessions.find(singleCookie(list, SESSION_COOKIE));
    if (session) return admit({ app, host, target, session }, res);
    const allowed = all.filter((p) => !app.allowed_idps?.length || app.allowed_idps.includes(p.id));
    const chosen = url.searchParams.get("idp") ?? (allowed.length === 1 ? allowed[0].id : null);
    const idp = allowed.find((p) => p.id === chosen);
    if (idp) return toProvider({ app, host, target, idp }, res);
    if (allowed.length === 0) return plain(res, 403, "No identity provider is allowed for this application.");
    return chooseProvider(app, allowed, url, res);
  }

  function toProvider({ app, host, target, idp }, res) {
    const state = newId();
    const one = { app: app.id, host, target, idp: idp.id, verifier: newVerifier(), nonce: newId(), browser: newId() };
    pending.put(state, one, PENDING_MS);
    const { config } = idp;
    const query = new URLSearchParams({
      client_id: config.client_id,
      response_type: "code",
      redirect_uri: `${edge.teamUrl}${PREFIX}callback`,
      scope: (config.scopes ?? ["openid", "email", "profile"]).join(" "),
      state,
      nonce: one.nonce,
    });
    if (config.prompt) query.set("prompt", config.prompt);
    if (config.pkce_enabled) {
      query.set("code_challenge", createHash("sha256").update(one.verifier).digest("base64url"));
      query.set("code_challenge_method", "S256");
    }
    redirect(res, `${config.auth_url}${config.auth_url.includes("?") ? "&" : "?"}${query}`, [
      `${PENDING_COOKIE}=${one.browser}; Path=${PREFIX}; HttpOnly; SameSite=Lax; Max-Age=${PENDING_MS / 1000}`,
    ]);
  }

  async function finish(url, list, res) {
    const one = pending.take(url.searchParams.get("state") ?? "");
    const { apps, identity_providers: all } = edge.state().access;
    const app = one && apps.find((a) => a.id === one.app);
    const idp = one && all.find((p) => p.id === one.idp);
    // Only the browser that began may finish (RFC 6749 section 10.12).
    if (!app || !idp || singleCookie(list, PENDING_COOKIE) !== one.browser) {
      return plain(res, 400, "This sign-in has expired. Open the page again.");
    }
    if (url.searchParams.has("error")) return plain(res, 403, "The identity provider did not sign you in.");
    const claims = await redeem(idp, one, url.searchParams.get("code") ?? "").catch((error) => {
      edge.logs.event("a sign-in failed", { idp: idp.name, error: error.message });
      return null;
    });
    const email = claims?.[idp.config.email_claim_name ?? "email"];
    if (typeof email !== "string") return plain(res, 403, "The identity provider's answer can't be used.");
    const who = { idp: idp.id, email, sub: claims.sub, claims };
    const milliseconds = secondsOf(app.session_duration) * 1000;
    const session = edge.sessions.find(edge.sessions.open(who, milliseconds));
    return admit({ app, host: one.host, target: one.target, session }, res, [
      `${SESSION_COOKIE}=${session.id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${milliseconds / 1000}`,
    ]);
  }

  async function redeem({ config }, one, code) {
    const encode = (text) => new URLSearchParams({ "": text }).toString().slice(1);
    const basic = Buffer.from(`${encode(config.client_id)}:${encode(config.client_secret)}`).toString("base64");
    const form = { grant_type: "authorization_code", code, redirect_uri: `${edge.teamUrl}${PREFIX}callback` };
    if (config.pkce_enabled) form.code_verifier = one.verifier;
    const response = await fetch(config.token_url, {
      method: "POST",
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(form),
      signal: AbortSignal.timeout(PROVIDER_MS),
    });
    if (!response.ok) throw new Error(`the token endpoint answered ${response.status}`);
    const { id_token: token } = await response.json();
    const { payload } = await jwtVerify(token, keysOf(config.certs_url), {
      audience: config.client_id,
      algorithms: ["RS256", "ES256", "PS256"],
      requiredClaims: ["sub", "iat", "exp"],
    });
    if (payload.nonce !== one.nonce) throw new Error("the ID token answers another sign-in");
    return payload;
  }

  /** Evaluates the policies and sends who passes to the application's host, which plants its own cookie there. */
  async function admit({ app, host, target, session }, res, cookies = []) {
    const { groups, identity_providers: all } = edge.state().access;
    const { who } = session;
    const allowed = !app.allowed_idps?.length || app.allowed_idps.includes(who.idp);
    if (!allowed || !isPersonAdmitted(app.policies, who, groups)) {
      edge.logs.event("a person was refused", { app: app.name });
      const words = escapeHtml(app.custom_deny_message ?? "That account does not have access.");
      const again = `<p><a href="${PREFIX}logout">Sign out</a> to use another account.</p>`;
      return page(res, 403, "Forbidden", `<h1>Forbidden</h1><p>${words}</p>${again}`, cookies);
    }
    const listed = all.find((p) => p.id === who.idp)?.config.claims ?? [];
    const custom = Object.fromEntries(listed.filter((c) => c in who.claims).map((c) => [c, who.claims[c]]));
    const nonce = newId();
    const claims = { email: who.email, sub: who.sub, identity_nonce: nonce, country: "XX", custom };
    const token = await edge.tokens.issue(app, claims);
    edge.sessions.note(session.id, nonce, secondsOf(app.session_duration) * 1000);
    const query = new URLSearchParams({ code: edge.sessions.codeFor(token, app.id), redirect_url: target });
    return redirect(res, `http://${host}${PREFIX}authorized?${query}`, cookies);
  }

  /** The hostname that the edge itself would put under this application. */
  function isHostOf(app, host) {
    const parsed = parseHost(host);
    return parsed !== null && edge.isCovered(app, parsed.hostname);
  }

  return { begin, finish };
}

function chooseProvider(app, providers, url, res) {
  const links = providers.map((p) => {
    const query = new URLSearchParams([...url.searchParams, ["idp", p.id]]);
    return `<li><a href="?${escapeHtml(query.toString())}">${escapeHtml(p.name)}</a></li>`;
  });
  const heading = `<h1>Sign in to ${escapeHtml(app.name)}</h1>`;
  return page(res, 200, "Sign in", `${heading}<ul>${links.join("")}</ul>`);
}

function page(res, status, title, body, cookies = []) {
  res.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    ...(cookies.length ? { "set-cookie": cookies } : {}),
  });
  res.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>${body}</html>`);
}
