/**
 * The gateway: authenticate → authorize → mutate → forward, and one audit event for each answer.
 *
 * May not: answer anything but a refusal when something fails (CVE-2024-47070), or reach the origin before the decision.
 */

import { assertionFor } from "./assertion.js";
import { audit } from "./audit.js";
import { authenticate } from "./authenticate.js";
import { routeOf, splitPath } from "./authorize.js";
import config from "./config.js";
import { forward, toClient } from "./forward.js";
import { refreshKeys, refreshLater } from "./keys.js";
import { knownMetabase, openMetabase } from "./metabase.js";
import { originHeaders } from "./mutate.js";
import { ownEndpoint } from "./own.js";
import { attributesFor, compiled, decide } from "./policy.js";
import { Problem } from "./problem.js";
import { readBody, readQuery } from "./query.js";
import { denied, fault, unauthenticated } from "./respond.js";
import { isOver, isStaleIn, newSession, sessionCookie } from "./session.js";
import { table } from "./table.js";

const PUBLIC = new URL(config.public_url);
const BODY_METHODS = new Set(["POST", "PUT", "PATCH"]);
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

export default {
  fetch(request, env, ctx) {
    const work = handle(request, env, ctx);
    // A client that hangs up must not keep its request out of the trail.
    ctx.waitUntil(work.then(() => {}));
    return work;
  },

  async scheduled(_event, env) {
    await refreshKeys(env);
  },
};

async function handle(request, env, ctx) {
  const record = newRecord(request);
  let response;
  try {
    response = await answer(request, env, record);
  } catch (error) {
    response = onFault(request, record, error);
  }
  response.headers.set("Mbgate-Request-Id", record.requestId);
  if (PUBLIC.protocol === "https:") response.headers.set("Strict-Transport-Security", "max-age=31536000");
  audit(env, record, response.status, Date.now());
  refreshLater(env, ctx);
  return response;
}

function newRecord(request) {
  const rest = request.url.slice(request.url.indexOf("//") + 2);
  const slash = rest.search(/[/?#]/);
  const target = slash === -1 ? "/" : rest.slice(slash);
  const question = target.indexOf("?");
  return {
    started: Date.now(),
    requestId: crypto.randomUUID(),
    method: request.method,
    host: slash === -1 ? rest : rest.slice(0, slash),
    path: question === -1 ? target : target.slice(0, question),
    search: question === -1 ? "" : target.slice(question),
    country: request.headers.get("cf-ipcountry"),
    effect: "deny",
    reason: "internal-fault",
    principal: null,
    decision: null,
  };
}

/** A stage gave up. Whatever it was, the answer is a refusal. */
function onFault(request, record, error) {
  if (request.signal.aborted && record.decision?.effect === "allow") {
    record.reason = "client-aborted";
    return fault(request, record, 499);
  }
  record.effect = "deny";
  if (error instanceof Problem) {
    record.reason = error.reason;
    return fault(request, record, error.status);
  }
  record.reason = "internal-fault";
  // The name alone: a message could quote what it failed on.
  const told = { type: "mbgate.fault", reason: record.reason, error: error?.name, request_id: record.requestId };
  console.error(JSON.stringify(told));
  return fault(request, record, 500);
}

async function answer(request, env, record) {
  const now = Math.floor(record.started / 1000);
  const isOurs = record.host.toLowerCase() === PUBLIC.host && request.url.startsWith(`${PUBLIC.protocol}//`);
  if (!isOurs) return refuse(request, record, "host-unknown", 421);
  if (splitPath(record.path) === null) return refuse(request, record, "path-malformed", 400);
  if (record.path.startsWith("/_gateway/") || record.path === "/_gateway") {
    return ownEndpoint(request, env, record, now);
  }
  const found = await authenticate(request, env, now);
  if (found.reason) {
    record.reason = found.reason;
    return unauthenticated(request, record, found);
  }
  record.principal = found.principal;
  record.team = teamOf(found.principal);
  if (isForeign(request, found)) return refuse(request, record, "origin-foreign", 403);
  const { body, query } = await bodyFor(request, record);
  const asked = { method: request.method, path: record.path, ...(query === undefined ? {} : { query }) };
  record.decision = decide(found.principal, asked);
  record.reason = record.decision.reason;
  if (isOver(record.decision.role, found, now)) return over(request, record);
  if (record.decision.effect !== "allow") return denied(request, env, record, now);
  record.effect = "allow";
  return proxied(request, env, record, { ...found, body, now });
}

/** The role's own limits ended the sign-in, whatever was asked for. */
function over(request, record) {
  record.decision = { ...record.decision, effect: "deny", rule: null };
  record.reason = "session-expired";
  return unauthenticated(request, record, { bearer: false });
}

function refuse(request, record, reason, status) {
  record.reason = reason;
  return fault(request, record, status);
}

function teamOf(principal) {
  const team = Object.hasOwn(principal.claims, config.team_claim) ? principal.claims[config.team_claim] : null;
  return typeof team === "string" ? team : null;
}

/** A change that another site's page sends with the person's cookie; machines have no cookie to abuse. */
function isForeign(request, { principal }) {
  if (SAFE_METHODS.has(request.method) || principal.kind === "machine") return false;
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  return (site !== null && site !== "same-origin" && site !== "none") || (origin !== null && origin !== PUBLIC.origin);
}

/** The body is read only where the route's decision needs it; otherwise it streams. */
async function bodyFor(request, record) {
  const route = routeOf(compiled, request.method, record.path);
  // No route of Metabase reads the body of another method, so none is sent: nothing of it can be taken for a request.
  if (!route?.body) return { body: BODY_METHODS.has(request.method) ? request.body : null, query: undefined };
  // Where a query string or a packed body could hold another query than the one that we read, there is none to judge.
  const isPlain = record.search.length <= 1 && !request.headers.has("content-encoding");
  const bytes = isPlain ? await readBody(request) : null;
  return { body: bytes, query: readQuery(bytes, route.body, request.headers.get("content-type") ?? "") };
}

/** What the role may see in Metabase, for the assertion: its group, collections, and the attributes of this principal. */
function scopeOf(principal, role) {
  const { metabase } = table.roles[role];
  return metabase && { ...metabase, attributes: attributesFor(principal, role) };
}

async function proxied(request, env, record, { principal, session, stale, seen, body, now }) {
  const { role } = record.decision;
  const scope = scopeOf(principal, role);
  const isStale = stale || isStaleIn(role, { seen }, now);
  const known = knownMetabase(principal, session, role);
  let opened = known ?? (await openMetabase(env, principal, role));
  const send = async () => {
    const { requestId, team } = record;
    const assertion = await assertionFor(env, { principal, role, team, scope, requestId, now });
    const headers = originHeaders(request, { metabase: opened.metabase, assertion, requestId });
    return forward({ request, env, path: record.path, search: record.search, headers, body });
  };
  let upstream = await send();
  // Metabase forgot a session, also one made a moment ago, where a rival request changed the account: once a new one, off the
  // hot path. A streamed body can't be sent twice.
  if (upstream?.status === 401 && (body === null || body instanceof Uint8Array)) {
    await upstream.body?.cancel();
    opened = await openMetabase(env, principal, role);
    upstream = await send();
  }
  if (upstream === null) return refuse(request, record, "origin-unreachable", 503);
  const response = toClient(upstream, record.path);
  if (principal.kind === "person" && (isStale || opened !== known)) {
    const next = { ...(session ?? newSession(principal, now)), ...opened };
    response.headers.append("Set-Cookie", await sessionCookie(env, next, now));
    // No cache may keep a session, not even with a file that everybody gets.
    response.headers.set("Cache-Control", "private, no-store");
  }
  return response;
}
