/**
 * One event for each request that the gateway answered.
 *
 * May not: await anything, throw, or hold a token, a cookie, a query string, a body or query text.
 */

import { digest } from "./table.js";

/** Path segments that open something by themselves: reset tokens, public links, signed embeds. */
const CAPABILITY = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/gi;

/** @param {string} path @returns {string} the path as a log may hold it */
export function loggedPath(path) {
  return path.slice(0, 2048).replace(CAPABILITY, "…").slice(0, 512);
}

/** @param {object} env @param {object} record what the stages noted @param {number} status @param {number} finished ms */
export function audit(env, record, status, finished) {
  const { decision, principal } = record;
  const event = {
    type: "mbgate.access",
    v: 1,
    time: new Date(record.started).toISOString(),
    request_id: record.requestId,
    principal: principal ? (principal.email ?? principal.sub) : null,
    principal_kind: principal?.kind ?? null,
    issuer: principal?.issuer ?? null,
    role: decision?.role ?? null,
    team: record.team ?? null,
    method: record.method.slice(0, 32),
    path: loggedPath(record.path),
    route: decision?.route ?? record.own ?? null,
    actions: decision?.actions ?? [],
    resource_kind: decision?.resource?.kind ?? null,
    resource_id: decision?.resource?.id ?? null,
    effect: record.effect,
    reason: record.reason,
    rule: decision?.rule ?? null,
    policy_digest: digest,
    worker_version: env.VERSION?.id ?? null,
    status,
    latency_ms: finished - record.started,
    country: record.country?.slice(0, 8) ?? null,
  };
  console.log(JSON.stringify(event));
  try {
    env.AUDIT.writeDataPoint({
      indexes: [(event.principal ?? "").slice(0, 96)],
      blobs: [
        event.request_id,
        event.principal,
        event.issuer,
        event.role,
        event.team,
        event.method,
        event.path,
        event.route,
        event.actions.join(" "),
        event.resource_kind,
        event.resource_id,
        event.effect,
        event.reason,
        event.rule,
        event.policy_digest,
        event.worker_version,
        event.country,
        event.principal_kind,
      ].map((text) => text ?? ""),
      doubles: [status, event.latency_ms],
    });
  } catch {
    console.error(JSON.stringify({ type: "mbgate.fault", reason: "audit-sink-failed", request_id: event.request_id }));
  }
}
