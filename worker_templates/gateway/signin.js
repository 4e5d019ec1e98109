/**
 * Signing in at the OpenID provider: authorization code with PKCE, state, nonce; and signing out there.
 *
 * May not: go back anywhere but to a path of this gateway (CVE-2021-21291); accept an answer to another browser's question;
 * show a token to a page. Sources: OpenID Connect Core 3.1, RFC 7636, RFC 9207, RFC 6749 2.3.1, RP-Initiated Logout 1.0.
 */

import { isAddress, personOf } from "./authenticate.js";
import { splitPath } from "./authorize.js";
import { toBase64url } from "./base64url.js";
import config from "./config.js";
import { openMetabase } from "./metabase.js";
import { attributesFor, roleOf } from "./policy.js";
import { Problem } from "./problem.js";
import { fault, redirect } from "./respond.js";
import { open, seal } from "./seal.js";
import { CLEAR, cookieLine, cookieValues, newSession, sessionCookie } from "./session.js";
import { verifyIdToken } from "./tokens.js";

const TRANSACTION = "__Host-mbgate-tx";
const PURPOSE = "transaction";
const SECONDS = 600;
/** The cookie outlives the sign-in, so that whoever took too long is still led back to where they were. */
const COOKIE_SECONDS = 6 * SECONDS;
const EXCHANGE_MS = 10_000;
const CALLBACK = `${config.public_url}/_gateway/callback`;

function random(bytes) {
  return toBase64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** A path of this gateway, re-parsed; anything else becomes the start page. */
export function returnPath(text) {
  if (typeof text !== "string" || text.length > 2000 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text) || text.includes("\\"))
    return "/";
  const base = new URL(config.public_url);
  const url = new URL(text, base);
  if (url.origin !== base.origin || splitPath(url.pathname) === null || /^\/_gateway(?:\/|$)/.test(url.pathname))
    return "/";
  return url.pathname + url.search;
}

/** `/_gateway/sign-in` → the provider. */
export async function startSignIn(request, env, now) {
  const verifier = random(32);
  const transaction = {
    state: random(24),
    nonce: random(24),
    verifier,
    back: returnPath(new URL(request.url).searchParams.get("return_to")),
    exp: now + SECONDS,
  };
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const { identity } = config;
  const url = new URL(identity.authorization_endpoint);
  const query = {
    response_type: "code",
    client_id: identity.client_id,
    redirect_uri: CALLBACK,
    scope: identity.scopes.join(" "),
    state: transaction.state,
    nonce: transaction.nonce,
    code_challenge: toBase64url(hash),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const response = redirect(url.href);
  response.headers.append("Set-Cookie", CLEAR);
  response.headers.append("Set-Cookie", cookieLine(TRANSACTION, await seal(env, PURPOSE, transaction), COOKIE_SECONDS));
  return response;
}

/** `/_gateway/callback`: the provider's answer → a session. Notes the outcome in `record`. */
export async function finishSignIn(request, env, record, now) {
  const outcome = await redeem(request, env, now);
  if (outcome.reason) {
    Object.assign(record, { effect: "deny", reason: outcome.reason, back: outcome.back });
    const response = fault(request, record, outcome.reason === "provider-unreachable" ? 503 : 400);
    response.headers.append("Set-Cookie", cookieLine(TRANSACTION, "", 0));
    return response;
  }
  const { session, back } = outcome;
  record.principal = personOf(session);
  const role = roleOf(record.principal);
  const attributes = role && attributesFor(record.principal, role);
  if (attributes) Object.assign(session, await metabaseFor(env, record.principal, role));
  Object.assign(record, { effect: "allow", reason: "signed-in" });
  const response = redirect(back);
  response.headers.append("Set-Cookie", await sessionCookie(env, session, now));
  response.headers.append("Set-Cookie", cookieLine(TRANSACTION, "", 0));
  return response;
}

/** Signing in does not hang on Metabase: the page that the person goes on to asks again, and says what is wrong. */
async function metabaseFor(env, principal, role) {
  try {
    return await openMetabase(env, principal, role);
  } catch (error) {
    if (error instanceof Problem) return {};
    throw error;
  }
}

async function redeem(request, env, now) {
  const cookies = cookieValues(request, TRANSACTION);
  const transaction = cookies.length === 1 ? (await open(env, PURPOSE, cookies[0]))?.value : null;
  if (!transaction) return { reason: "sign-in-expired" };
  const { back } = transaction;
  if (transaction.exp <= now) return { reason: "sign-in-expired", back };
  return { ...(await accept(request, env, now, transaction)), back };
}

async function accept(request, env, now, transaction) {
  const query = new URL(request.url).searchParams;
  const single = ["state", "code", "iss", "error"].every((name) => query.getAll(name).length <= 1);
  if (!single || query.get("state") !== transaction.state || query.has("error") || !query.get("code")) {
    return { reason: "sign-in-failed" };
  }
  // RFC 9207: an answer that names another issuer is a mix-up.
  if (query.has("iss") && query.get("iss") !== config.identity.issuer) return { reason: "sign-in-failed" };
  const { idToken, reason: failed } = await exchange(env, query.get("code"), transaction.verifier);
  if (failed) return { reason: failed };
  const { payload, reason } = await verifyIdToken(idToken, transaction.nonce);
  if (reason) return { reason };
  if (!isAddress(payload.email)) return { reason: "email-missing" };
  if (payload.email_verified !== true) return { reason: "email-unverified" };
  const person = {
    issuer: config.identity.provider,
    sub: payload.sub,
    email: payload.email.toLowerCase(),
    name: typeof payload.name === "string" ? payload.name.slice(0, 200) : payload.email,
    claims: payload,
    idToken,
  };
  return { session: newSession(person, now) };
}

/** The code for an ID token; the client proves itself by HTTP Basic, both parts form-encoded (RFC 6749 2.3.1). */
async function exchange(env, code, verifier) {
  const { identity } = config;
  if (!env.OIDC_CLIENT_SECRET) throw new Error("the client secret is missing");
  const encode = (text) => new URLSearchParams([["", text]]).toString().slice(1);
  const form = { grant_type: "authorization_code", code, redirect_uri: CALLBACK, code_verifier: verifier };
  try {
    const response = await fetch(identity.token_endpoint, {
      method: "POST",
      redirect: "manual",
      headers: {
        accept: "application/json",
        authorization: `Basic ${btoa(`${encode(identity.client_id)}:${encode(env.OIDC_CLIENT_SECRET)}`)}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams(form).toString(),
      signal: AbortSignal.timeout(EXCHANGE_MS),
    });
    if (response.status >= 500) return { reason: "provider-unreachable" };
    return response.status === 200 ? { idToken: (await response.json()).id_token } : { reason: "sign-in-failed" };
  } catch {
    return { reason: "provider-unreachable" };
  }
}

/** POST `/_gateway/sign-out`: the session ends here, then at the provider. */
export function signOut(session) {
  const { identity } = config;
  if (identity.mode === "access") return redirect("/cdn-cgi/access/logout", { "Set-Cookie": CLEAR });
  if (!identity.end_session_endpoint) return redirect("/_gateway/signed-out", { "Set-Cookie": CLEAR });
  const url = new URL(identity.end_session_endpoint);
  url.searchParams.set("client_id", identity.client_id);
  url.searchParams.set("post_logout_redirect_uri", `${config.public_url}/_gateway/signed-out`);
  if (session?.hint) url.searchParams.set("id_token_hint", session.hint);
  return redirect(url.href, { "Set-Cookie": CLEAR });
}
