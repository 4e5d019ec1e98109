/**
 * The assertion for the origin: who asks, in which role and team, what they may see, under which policy.
 *
 * May not: live longer than a minute; carry a credential. ES256 (RFC 7518 section 3.4), reused for one principal and role
 * until ten seconds before its end, so that the hot path does not sign each time.
 */

import { signAssertion } from "../common/signing.js";
import config from "./config.js";
import { digest } from "./table.js";

const REUSE_MARGIN = 10;
const CACHE_SIZE = 2000;
const made = new Map();

/** @returns {Promise<string>} */
export async function assertionFor(env, { principal, role, team, scope, requestId, now }) {
  const id = JSON.stringify([
    env.ASSERTION_KEY_CURRENT.length,
    principal.issuer,
    principal.sub,
    principal.email,
    role,
    team,
    scope,
  ]);
  const known = made.get(id);
  if (known && known.exp - now > REUSE_MARGIN && known.secret === env.ASSERTION_KEY_CURRENT) return known.token;
  const exp = now + config.assertion.lifetime_seconds;
  const claims = {
    email: principal.email,
    role,
    team,
    scope,
    policy: digest,
    rid: requestId,
  };
  const { audience } = config.assertion;
  const what = { issuer: config.public_url, audience, subject: principal.sub, now, exp, claims };
  const token = await signAssertion(env.ASSERTION_KEY_CURRENT, what);
  if (made.size >= CACHE_SIZE) made.delete(made.keys().next().value);
  made.set(id, { token, exp, secret: env.ASSERTION_KEY_CURRENT });
  return token;
}

/** The public keys, current and previous. */
export function publicKeys(env) {
  const keys = [env.ASSERTION_KEY_CURRENT, env.ASSERTION_KEY_PREVIOUS].filter(Boolean).map((text) => {
    const { kty, crv, x, y, kid } = JSON.parse(text);
    return { kty, crv, x, y, kid, alg: "ES256", use: "sig" };
  });
  return { keys };
}
