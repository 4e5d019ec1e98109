/**
 * Signing in at the OpenID provider: authorization code with PKCE, state, nonce; and signing out there.
 *
 * May not: go back anywhere but to a path of this gateway (CVE-2021-21291); accept an answer to another browser's question;
 * show a token to a page. Sources: OpenID Connect Core 3.1, RFC 7636, RFC 9207, RFC 6749 2.3.1, RP-Initiated Logout 1.0.
 */

import { isAddress, personOf } from "./authenticate.js";
import config from "./config.js";
import { openMetabase } from "./metabase.js";
import { signedOutPage, signInFailedPage } from "./pages.js";
import { redirect } from "./respond.js";
import { open, seal, toBase64url } from "./seal.js";
import { CLEAR, cookieLine, cookieValues, newSession, sessionCookie } from "./session.js";
import { verifyIdToken } from "./tokens.js";

const TRANSACTION = "__Host-mbgate-tx";
const PURPOSE = "transaction";
const SECONDS = 600;
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
  if (url.origin !== base.origin || url.pathname.startsWith("//") || url.pathname.startsWith("/_gateway/")) return "/";
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
  const cookie = cookieLine(TRANSACTION, await seal(env, PURPOSE, transaction), SECONDS);
  return redirect(url.href, { "Set-Cookie": cookie });
}

/** `/_gateway/callback`: the provider's answer → a session. Notes the outcome in `record`. */
export async function finishSignIn(request, env, record, now, authorize) {
  const outcome = await redeem(request, env, now);
  if (outcome.reason) {
    Object.assign(record, { effect: "deny", reason: outcome.reason });
    return signInFailedPage(record, 400, { "Set-Cookie": cookieLine(TRANSACTION, "", 0) });
  }
  const { session, back } = outcome;
  record.principal = personOf(session);
  const role = authorize(record.principal);
  if (role) {
    session.metabase = await openMetabase(env, record.principal, role);
    session.role = role;
  }
  Object.assign(record, { effect: "allow", reason: "signed-in" });
  const response = redirect(back);
  response.headers.append("Set-Cookie", await sessionCookie(env, session, now));
  response.headers.append("Set-Cookie", cookieLine(TRANSACTION, "", 0));
  return response;
}

async function redeem(request, env, now) {
  const query = new URL(request.url).searchParams;
  const cookies = cookieValues(request, TRANSACTION);
  const transaction = cookies.length === 1 ? (await open(env, PURPOSE, cookies[0]))?.value : null;
  if (!transaction || transaction.exp <= now) return { reason: "sign-in-expired" };
  const single = ["state", "code", "iss", "error"].every((name) => query.getAll(name).length <= 1);
  if (!single || query.get("state") !== transaction.state || query.has("error") || !query.get("code")) {
    return { reason: "sign-in-failed" };
  }
  // RFC 9207: an answer that names another issuer is a mix-up.
  if (query.has("iss") && query.get("iss") !== config.identity.issuer) return { reason: "sign-in-failed" };
  const tokens = await exchange(env, query.get("code"), transaction.verifier);
  if (!tokens) return { reason: "sign-in-failed" };
  const { payload, reason } = await verifyIdToken(tokens.id_token, transaction.nonce);
  if (reason) return { reason };
  if (!isAddress(payload.email)) return { reason: "sign-in-failed" };
  if (payload.email_verified !== true) return { reason: "email-unverified" };
  const person = {
    issuer: config.identity.provider,
    sub: payload.sub,
    email: payload.email.toLowerCase(),
    name: String(payload.name ?? payload.email),
    claims: payload,
    idToken: tokens.id_token,
  };
  return { session: newSession(person, now), back: transaction.back };
}

/** The code for tokens; the client proves itself by HTTP Basic, both parts form-encoded (RFC 6749 2.3.1). */
async function exchange(env, code, verifier) {
  const { identity } = config;
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
    });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
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

/** Where signing out ends. */
export function signedOut() {
  return signedOutPage({ "Set-Cookie": CLEAR });
}
