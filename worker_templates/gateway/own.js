/**
 * The gateway's own endpoints under `/_gateway/`.
 *
 * May not: reach the origin, or change anything on a GET but the person's own session.
 */

import { publicKeys } from "./assertion.js";
import { authenticate } from "./authenticate.js";
import config from "./config.js";
import { signOutPage } from "./pages.js";
import { problem, redirect, showDenied, unauthenticated } from "./respond.js";
import { readSession } from "./session.js";
import { finishSignIn, signedOut, signOut, startSignIn } from "./signin.js";

/**
 * @param {Request} request
 * @param {object} env
 * @param {object} record
 * @param {number} now seconds
 * @param {(principal: object) => string | null} roleOf
 * @returns {Promise<Response>}
 */
export async function ownEndpoint(request, env, record, now, roleOf) {
  const name = record.path.slice("/_gateway/".length);
  const method = request.method === "HEAD" ? "GET" : request.method;
  record.own = `${method} /_gateway/${name}`.slice(0, 80);
  const handler = HANDLERS[`${method} ${name}`];
  if (!handler || (SIGN_IN.has(name) && config.identity.mode !== "oidc")) {
    record.reason = "route-unknown";
    return problem(record, 404);
  }
  Object.assign(record, { effect: "allow", reason: "own-endpoint" });
  return handler({ request, env, record, now, roleOf });
}

const SIGN_IN = new Set(["sign-in", "callback"]);

const HANDLERS = {
  "GET sign-in": ({ request, env, now }) => startSignIn(request, env, now),
  "GET callback": ({ request, env, record, now, roleOf }) => finishSignIn(request, env, record, now, roleOf),
  "GET sign-out": () => signOutPage(),
  "POST sign-out": endSession,
  "GET signed-out": () => signedOut(),
  "GET denied": async ({ request, env, record, now }) => {
    const { principal = null } = await authenticate(request, env, now);
    record.principal = principal;
    return showDenied(request, env, record, now, principal);
  },
  "GET jwks.json": ({ env }) => Response.json(publicKeys(env), { headers: { "Cache-Control": "public, max-age=60" } }),
  "GET whoami": whoami,
  "GET ": () => redirect("/"),
};

async function endSession({ request, env, record, now }) {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if ((origin !== null && origin !== "null" && origin !== new URL(config.public_url).origin) || site === "cross-site") {
    Object.assign(record, { effect: "deny", reason: "origin-foreign" });
    return problem(record, 403);
  }
  const { session } = await readSession(request, env, now);
  if (session) record.principal = { kind: "person", ...session };
  record.reason = "signed-out";
  return signOut(session);
}

async function whoami({ request, env, record, now, roleOf }) {
  const found = await authenticate(request, env, now);
  if (found.reason) {
    Object.assign(record, { effect: "deny", reason: found.reason });
    return unauthenticated(new Request(request, { headers: { accept: "application/json" } }), record, found);
  }
  record.principal = found.principal;
  const { kind, issuer, sub, email } = found.principal;
  const body = {
    kind,
    issuer,
    sub,
    email,
    role: roleOf(found.principal),
    expires: found.session?.exp ?? null,
  };
  return Response.json(body, { headers: { "Cache-Control": "no-store" } });
}
