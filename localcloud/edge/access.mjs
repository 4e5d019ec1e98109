/**
 * Cloudflare Access in front of a hostname: application tokens, service tokens, and the way to sign-in.
 * Source: https://developers.cloudflare.com/cloudflare-one/access-controls/
 */

import { createHash, timingSafeEqual } from "node:crypto";

import { singleCookie, valuesOf } from "./headers.mjs";
import { pathOf } from "./hosts.mjs";
import { showIdentity } from "./identity.mjs";
import { isBypassed, isServiceAdmitted } from "./policy.mjs";
import { plain } from "./relay.mjs";
import { secondsOf } from "./tokens.mjs";

export const COOKIE = "CF_Authorization";
export const PREFIX = "/cdn-cgi/access/";
const SERVICE_TOKEN_SECONDS = 300;

/**
 * @param {{state: () => object | null, teamUrl: string, tokens: object, sessions: object, logs: object}} edge
 * @returns {(exchange: object) => Promise<[string, string][] | null>} the headers to add, or null after having answered
 *   the client itself. `exchange`: `{app, req, res, list, host}`
 */
export function makeAccess(edge) {
  return async (exchange) => {
    const { app, req, list } = exchange;
    if (pathOf(req.url).startsWith(PREFIX)) return ownPath(edge, exchange);
    const { groups } = edge.state().access;
    if (isBypassed(app.policies, groups)) return [];
    if (app.options_preflight_bypass && req.method === "OPTIONS") return [];
    const ids = valuesOf(list, "cf-access-client-id");
    const secrets = valuesOf(list, "cf-access-client-secret");
    // Strict service tokens: a person's cookie beside them is ignored.
    if (ids.length || secrets.length) return admitService(edge, exchange, ids, secrets);
    const given = valuesOf(list, "cf-access-token");
    const token = given.length ? given.length === 1 && given[0] : singleCookie(list, COOKIE);
    const payload = token ? await edge.tokens.verify(token, app.aud).catch(() => null) : null;
    if (!payload) return askToSignIn(edge, exchange);
    const email = payload.email ? [["Cf-Access-Authenticated-User-Email", payload.email]] : [];
    return [["Cf-Access-Jwt-Assertion", token], ...email];
  };
}

async function admitService({ state, tokens, logs }, { app, res }, ids, secrets) {
  const refuse = (status, reason, text) => {
    logs.event("a service token was refused", { app: app.name, reason });
    plain(res, status, text);
    return null;
  };
  if (ids.length !== 1 || secrets.length !== 1)
    return refuse(401, "service-token-incomplete-or-repeated", "Unauthorized");
  const { service_tokens: known, groups } = state().access;
  const found = known.find((t) => t.client_id === ids[0]);
  if (!found || !isSecretOf(found, secrets[0]) || !isCurrent(found)) {
    return refuse(401, "service-token-invalid", "Unauthorized");
  }
  if (!isServiceAdmitted(app.policies, found.id, groups)) return refuse(403, "service-token-not-admitted", "Forbidden");
  const claims = { common_name: found.client_id, sub: "" };
  return [["Cf-Access-Jwt-Assertion", await tokens.issue(app, claims, SERVICE_TOKEN_SECONDS)]];
}

/** The present secret, or the former one while the rotation's overlap lasts. */
function isSecretOf(token, given) {
  const overlap = Date.parse(token.previous_client_secret_expires_at ?? "") > Date.now();
  const valid = [token.client_secret, overlap ? token.previous_client_secret : undefined];
  const hash = (text) => createHash("sha256").update(text).digest();
  return valid
    .filter((secret) => typeof secret === "string" && secret !== "")
    .map((secret) => timingSafeEqual(hash(secret), hash(given)))
    .some(Boolean);
}

function isCurrent(token) {
  return token.enabled !== false && !(Date.parse(token.expires_at ?? "") <= Date.now());
}

/** Whoever has no valid token: a person goes to sign-in, everything else gets a status. */
function askToSignIn({ teamUrl }, { app, req, res, host }) {
  const forPeople = app.policies.some((p) => p.decision === "allow");
  const navigates =
    ["GET", "HEAD"].includes(req.method) &&
    ((req.headers.accept ?? "").includes("text/html") || req.headers["sec-fetch-mode"] === "navigate");
  if (!forPeople) plain(res, app.service_auth_401_redirect ? 401 : 403, "Forbidden");
  else if (!navigates && app.service_auth_401_redirect) plain(res, 401, "Unauthorized");
  else {
    const query = new URLSearchParams({ kid: app.aud, redirect_url: req.url });
    redirect(res, `${teamUrl}${PREFIX}login/${host}?${query}`);
  }
  return null;
}

/** Access's own paths on an application's host. */
async function ownPath(edge, { app, req, res, list, host }) {
  const url = new URL(req.url, `http://${host}`);
  switch (url.pathname) {
    case `${PREFIX}authorized`:
      plantCookie(edge, app, url, res);
      break;
    case `${PREFIX}logout`: {
      const token = singleCookie(list, COOKIE);
      const payload = token && (await edge.tokens.verify(token, app.aud).catch(() => null));
      if (payload) edge.sessions.end({ nonce: payload.identity_nonce }, secondsOf(app.session_duration) * 1000);
      redirect(res, `${edge.teamUrl}${PREFIX}logout`, [cookie(app, "", 0)]);
      break;
    }
    case `${PREFIX}get-identity`:
      await showIdentity(edge, list, res);
      break;
    case `${PREFIX}login`:
      askToSignIn(edge, { app, req: { ...req, url: "/", method: "GET", headers: { accept: "text/html" } }, res, host });
      break;
    default:
      plain(res, 404, "error code: 404");
  }
  return null;
}

function plantCookie({ sessions }, app, url, res) {
  const redeemed = sessions.redeem(url.searchParams.get("code") ?? "");
  if (redeemed?.app !== app.id) {
    plain(res, 403, "This sign-in link was used already or is too old. Open the page again.");
    return;
  }
  const age = secondsOf(app.session_duration);
  redirect(res, localPath(url.searchParams.get("redirect_url")), [cookie(app, redeemed.token, age)]);
}

/** Host-only. No `Secure`: the local edge has no TLS. */
function cookie(app, value, age) {
  const site = { strict: "Strict", lax: "Lax", none: "None" }[app.same_site_cookie_attribute] ?? "Lax";
  const httpOnly = app.http_only_cookie_attribute === false ? "" : " HttpOnly;";
  return `${COOKIE}=${value}; Path=/;${httpOnly} SameSite=${site}; Max-Age=${age}`;
}

/** A redirect that no cache keeps. */
export function redirect(res, location, cookies = []) {
  res.writeHead(302, {
    location,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    ...(cookies.length ? { "set-cookie": cookies } : {}),
  });
  res.end();
}

/** A path on the same host, and nothing else. */
export function localPath(text) {
  return text && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text) ? text : "/";
}
