/**
 * The person's or machine's own Metabase session, made by the broker; the browser never sees it.
 *
 * May not: hold an admin credential, or ask the broker for anybody but the verified principal.
 */

import { accountAttributes, attributesFor } from "./policy.js";
import { brokerProblem } from "./problem.js";

const CACHE_SIZE = 500;
/** What may stand in a header as a session. */
const SESSION = /^[\x21-\x7e]{1,256}$/;
/** Machines have no cookie: their Metabase sessions stay in the isolate, by issuer, subject, role and attributes. */
const machines = new Map();

/**
 * A session of Metabase's, and in which role and with which user attributes it was opened: with others it is not used.
 * @typedef {{metabase: string, role: string, attributes: Record<string, string>}} Opened
 */

function keyOf(principal, role) {
  return JSON.stringify([principal.issuer, principal.sub, role, attributesFor(principal, role)]);
}

/** @returns {Opened | null} the Metabase session that is known for this principal in this role, with these attributes */
export function knownMetabase(principal, session, role) {
  if (principal.kind === "machine") return machines.get(keyOf(principal, role)) ?? null;
  if (!session?.metabase || session.role !== role) return null;
  const attributes = attributesFor(principal, role);
  return isSame(session.attributes ?? {}, attributes) ? { metabase: session.metabase, role, attributes } : null;
}

function isSame(former, attributes) {
  const names = Object.keys(attributes);
  return Object.keys(former).length === names.length && names.every((name) => former[name] === attributes[name]);
}

/**
 * Asks the broker; people are found by their verified e-mail, machines have an address that no mail reaches, one for each
 * role, so that a session made in one role never gains another role's groups.
 * @returns {Promise<Opened>} throws a problem where the broker refuses
 */
export async function openMetabase(env, principal, role) {
  // Access tells no name; Metabase then shows the address.
  const [first, ...rest] = principal.name === principal.email ? [] : (principal.name ?? "").split(" ");
  const email = principal.kind === "person" ? principal.email : await machineAddress(principal, role);
  const names = { first_name: first || null, last_name: rest.join(" ") || null };
  const answer = await callBroker(env, { email, ...names, role, attributes: accountAttributes(principal, role) });
  const opened = { metabase: answer.session, role, attributes: attributesFor(principal, role) };
  if (principal.kind === "machine") {
    if (machines.size >= CACHE_SIZE) machines.delete(machines.keys().next().value);
    machines.set(keyOf(principal, role), opened);
  }
  return opened;
}

async function callBroker(env, person) {
  let answer;
  try {
    answer = await env.BROKER.openSession(person);
  } catch {
    throw brokerProblem("broker-failed");
  }
  if (typeof answer?.session !== "string" || !SESSION.test(answer.session)) {
    throw brokerProblem(answer?.error ?? "broker-failed");
  }
  return answer;
}

async function machineAddress(principal, role) {
  const name = new TextEncoder().encode(JSON.stringify([principal.issuer, principal.sub, role]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", name)).subarray(0, 16);
  return `${[...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("")}@machines.mbgate.invalid`;
}
