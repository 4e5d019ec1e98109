/**
 * The broker: the only holder of Metabase's admin key. It has no route and no hostname; the gateway calls it over a service
 * binding.
 *
 * May not: answer an HTTP request, give its key or a password away, touch an administrator, bring back somebody who was
 * deactivated.
 */

import { WorkerEntrypoint } from "cloudflare:workers";
import { metabaseApi } from "./api.js";
import { derivedPassword } from "./password.js";

const ALL_USERS = 1;
const ADMINISTRATORS = 2;
/** Part of every derived password; a new value gives everybody a new one at their next sign-in. */
const EPOCH = 1;
/** How long a rival sign-in, which made the account a moment ago, may take to set the password. */
const RIVAL_WAIT_MS = 400;

export default class Broker extends WorkerEntrypoint {
  /** Nothing is served over HTTP. */
  fetch() {
    return new Response(null, { status: 404 });
  }

  /**
   * The person's own Metabase session: their account is made where it is missing, their groups are the role's, and so are
   * those of their user attributes that the policies name; null takes one away.
   * @param {{email: string, first_name: string | null, last_name: string | null, role: string, attributes: Record<string, string | null>}} person verified by the gateway
   * @returns {Promise<{session: string, user_id: number} | {error: string}>}
   */
  async openSession({ email, first_name, last_name, role, attributes }) {
    const groups = groupsOf(this.env, role);
    if (!groups) return { error: "role-without-group" };
    const api = metabaseApi(this.env);
    const person = { email: email.toLowerCase(), first_name, last_name };
    try {
      const found = await findOrCreate(api, person, { groups, attributes });
      if (found.error) return found;
      return await signIn(this.env, api, found);
    } catch (error) {
      console.error(JSON.stringify({ type: "mbgate.fault", reason: "broker-failed", error: error?.message }));
      return { error: "origin-unreachable" };
    }
  }
}

function groupsOf(env, role) {
  const all = typeof env.GROUPS === "string" ? JSON.parse(env.GROUPS) : env.GROUPS;
  const groups = Object.hasOwn(all, role) ? all[role] : null;
  // No role makes an administrator, whatever the deployment says.
  return Array.isArray(groups) && !groups.includes(ADMINISTRATORS) ? groups : null;
}

async function find(api, email) {
  const { status, body } = await api("GET", `/api/user?query=${encodeURIComponent(email)}&status=all`);
  if (status !== 200) throw new Error(`GET /api/user was answered with ${status}`);
  const users = body.data ?? body;
  return users.find((user) => user.email?.toLowerCase() === email) ?? null;
}

async function findOrCreate(api, person, wanted) {
  const known = await find(api, person.email);
  if (known) return settle(api, known, wanted);
  const made = await api("POST", "/api/user", { ...person, ...changeOf({}, wanted) });
  if (made.status === 200) return { user: made.body, fresh: true };
  // Somebody else made the account between our look and our try: it is there now.
  const raced = made.status === 400 ? await find(api, person.email) : null;
  if (!raced) throw new Error(`POST /api/user was answered with ${made.status}`);
  return settle(api, raced, wanted);
}

async function settle(api, user, wanted) {
  if (user.is_superuser) return { error: "user-is-administrator" };
  if (user.is_active === false) return { error: "user-deactivated" };
  const { status, body } = await api("GET", `/api/user/${user.id}`);
  if (status !== 200) throw new Error(`GET /api/user/:id was answered with ${status}`);
  const has = (body.user_group_memberships ?? []).map(({ id }) => id);
  if (body.is_superuser || has.includes(ADMINISTRATORS)) return { error: "user-is-administrator" };
  const change = changeOf(body, wanted);
  const isOther = Object.keys(change).length > 0;
  if (isOther) {
    const changed = await api("PUT", `/api/user/${user.id}`, change);
    if (changed.status !== 200) throw new Error(`PUT /api/user/:id was answered with ${changed.status}`);
  }
  return { user: body, fresh: isOther };
}

/** What must be set at an account: the full list of its groups, and all its attributes, each only where it differs. */
function changeOf({ user_group_memberships: memberships, login_attributes: former }, { groups, attributes }) {
  const has = (memberships ?? []).map(({ id }) => id);
  const ids = [ALL_USERS, ...groups];
  const isMember = has.length === ids.length && ids.every((id) => has.includes(id));
  // What an administrator set beside the policies' attributes stays.
  const all = Object.entries({ ...former, ...attributes }).filter(([name, value]) => {
    return value !== null || !Object.hasOwn(attributes, name);
  });
  const isSame = Object.entries(attributes).every(([name, value]) => value === givenIn(former ?? {}, name));
  return {
    ...(isMember ? {} : { user_group_memberships: ids.map((id) => ({ id })) }),
    ...(isSame ? {} : { login_attributes: Object.fromEntries(all) }),
  };
}

function givenIn(attributes, name) {
  return Object.hasOwn(attributes, name) ? attributes[name] : null;
}

/**
 * Setting a password ends all of a person's sessions, so it is set at creation and when groups or attributes changed
 * (`fresh`): no session made in another role, or with other claims, may go on with the new ones. Also for an account that nobody has used yet, and once more
 * where the derived one is not accepted: the broker key is new, or somebody else set a password. Wrong passwords are no way
 * to find out: ten of them lock the person out for an hour.
 */
async function signIn(env, api, { user, fresh }) {
  const password = await derivedPassword(env.BROKER_KEY, user.id, EPOCH);
  if (fresh || (await isUnused(api, user))) await setPassword(api, user.id, password);
  let answer = await openWith(api, user.email, password);
  if (answer.status === 401 && !isThrottled(answer)) {
    await setPassword(api, user.id, password);
    answer = await openWith(api, user.email, password);
  }
  if (isThrottled(answer)) return { error: "origin-throttled" };
  // With a second factor Metabase answers 200 without an id: the status alone says nothing.
  if (answer.body?.mfa_required) return { error: "second-factor-required" };
  if (!answer.body?.id) throw new Error(`POST /api/session was answered with ${answer.status}`);
  return { session: answer.body.id, user_id: user.id };
}

/** Nobody ever signed in with this account, and no rival that made it a moment ago did so while we waited. */
async function isUnused(api, user) {
  if (user.last_login !== null) return false;
  await new Promise((resolve) => setTimeout(resolve, RIVAL_WAIT_MS));
  const { body } = await api("GET", `/api/user/${user.id}`);
  return body.last_login === null;
}

function openWith(api, username, password) {
  return api("POST", "/api/session", { username, password }, { anonymous: true });
}

async function setPassword(api, id, password) {
  const { status } = await api("PUT", `/api/user/${id}/password`, { password });
  if (status >= 400) throw new Error(`PUT /api/user/:id/password was answered with ${status}`);
}

function isThrottled({ status, body }) {
  return status === 401 && /too many attempts/i.test(JSON.stringify(body ?? ""));
}
