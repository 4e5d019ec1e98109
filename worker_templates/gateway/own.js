/**
 * The gateway's own endpoints under `/_gateway/`.
 *
 * May not: reach the origin, or change anything on a GET but the person's own session.
 */

import { publicKeys } from "./assertion.js";
import { authenticate, personOf } from "./authenticate.js";
import config from "./config.js";
import { problemsPage, signedOutPage, signOutPage } from "./pages.js";
import { roleOf } from "./policy.js";
import { problem, redirect, sessionEnded, showDenied, unauthenticated } from "./respond.js";
import { CLEAR, isOver, readSession } from "./session.js";
import { finishSignIn, signOut, startSignIn } from "./signin.js";
import { textsFor } from "./texts/index.js";

const PUBLIC_ORIGIN = new URL(config.public_url).origin;
/** In mode `access` Cloudflare Access signs people in. */
const SIGN_IN = new Set(["sign-in", "callback"]);

/**
 * @param {Request} request
 * @param {object} env
 * @param {object} record
 * @param {number} now seconds
 * @returns {Promise<Response>}
 */
export async function ownEndpoint(request, env, record, now) {
  const name = record.path.slice("/_gateway/".length);
  const method = request.method === "HEAD" ? "GET" : request.method;
  const key = `${method} ${name}`;
  if (!Object.hasOwn(HANDLERS, key) || (SIGN_IN.has(name) && config.identity.mode !== "oidc")) {
    record.reason = "route-unknown";
    return problem(record, 404);
  }
  Object.assign(record, { own: `${method} /_gateway/${name}`, effect: "allow", reason: "own-endpoint" });
  return HANDLERS[key]({ request, env, record, now });
}

const HANDLERS = {
  "GET ": () => redirect("/"),
  "GET sign-in": ({ request, env, now }) => startSignIn(request, env, now),
  "GET callback": ({ request, env, record, now }) => finishSignIn(request, env, record, now),
  "GET sign-out": ({ request, record }) => signOutPage(textsFor(request), record),
  "POST sign-out": endSession,
  "GET signed-out": ({ request, record }) => signedOutPage(textsFor(request), record, { "Set-Cookie": CLEAR }),
  "GET denied": explain,
  "GET problems": ({ request, record }) => problemsPage(textsFor(request), record),
  "GET jwks.json": ({ env }) => Response.json(publicKeys(env), { headers: { "Cache-Control": "public, max-age=60" } }),
  "GET whoami": whoami,
};

async function endSession({ request, env, record, now }) {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  const isForeign = (origin !== null && origin !== PUBLIC_ORIGIN) || (site !== null && site !== "same-origin");
  if (isForeign) {
    Object.assign(record, { effect: "deny", reason: "origin-foreign" });
    return problem(record, 403);
  }
  const { session } = await readSession(request, env, now);
  if (session) record.principal = personOf(session);
  record.reason = "signed-out";
  return signOut(session);
}

async function explain({ request, env, record, now }) {
  const { principal, role, reason } = await whoAsks(request, env, now);
  record.principal = principal ?? null;
  if (reason === "session-expired") {
    Object.assign(record, { effect: "deny", reason });
    return sessionEnded(request, record);
  }
  return showDenied(request, env, record, now, principal ? { principal, role } : null);
}

/** As `authenticate`, with the role; a session that is over in it has expired. */
async function whoAsks(request, env, now) {
  const found = await authenticate(request, env, now);
  if (found.reason) return found;
  const role = roleOf(found.principal);
  return isOver(role, found, now) ? { ...found, role, reason: "session-expired", bearer: false } : { ...found, role };
}

async function whoami({ request, env, record, now }) {
  const found = await whoAsks(request, env, now);
  record.principal = found.principal ?? null;
  if (found.reason) {
    Object.assign(record, { effect: "deny", reason: found.reason });
    return unauthenticated(new Request(request, { headers: { accept: "application/json" } }), record, found);
  }
  const { kind, issuer, sub, email } = found.principal;
  const body = { kind, issuer, sub, email, role: found.role, expires: found.session?.exp ?? null };
  return Response.json(body, { headers: { "Cache-Control": "no-store" } });
}
