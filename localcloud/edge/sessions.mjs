/** What Access remembers between requests, in memory: people signed in at the team domain, and one-time codes. */

import { randomBytes } from "node:crypto";

const CODE_MS = 60_000;

/** @returns {string} 192 random bits */
export const newId = () => randomBytes(24).toString("base64url");

/** A map whose entries end; `take` answers one and forgets it. */
export function expiringMap() {
  const entries = new Map();
  const sweep = () => {
    for (const [key, { until }] of entries) if (until <= Date.now()) entries.delete(key);
  };
  const get = (key) => {
    sweep();
    return entries.get(key)?.value;
  };
  return {
    put(key, value, milliseconds) {
      sweep();
      entries.set(key, { value, until: Date.now() + milliseconds });
    },
    get,
    take(key) {
      const value = get(key);
      entries.delete(key);
      return value;
    },
    delete: (key) => entries.delete(key),
  };
}

/**
 * A session is a person at the team domain, with the nonces of the application tokens that it has led to. Ending it
 * revokes those tokens at once; Cloudflare takes 20 to 30 seconds.
 */
export function makeSessions() {
  const sessions = expiringMap();
  const byNonce = expiringMap();
  const revoked = expiringMap();
  const codes = expiringMap();
  return {
    /** @returns {string} the session's id */
    open(who, milliseconds) {
      const id = newId();
      sessions.put(id, { id, who, nonces: [] }, milliseconds);
      return id;
    },
    find: (id) => sessions.get(id),
    /** Notes that a token with this nonce, valid for so long, came from the session. */
    note(id, nonce, milliseconds) {
      const session = sessions.get(id);
      session.nonces.push(nonce);
      byNonce.put(nonce, session, milliseconds);
    },
    whoOf: (nonce) => byNonce.get(nonce)?.who,
    /** Ends the session of an id or of a token's nonce. */
    end({ id, nonce }, milliseconds) {
      const session = (id && sessions.get(id)) || (nonce && byNonce.get(nonce));
      for (const one of session?.nonces ?? (nonce ? [nonce] : [])) revoked.put(one, true, milliseconds);
      if (session) sessions.delete(session.id);
    },
    isRevoked: (nonce) => revoked.get(nonce) === true,
    /** A one-time code for a token, so that no token stands in an address. */
    codeFor(token, app) {
      const code = newId();
      codes.put(code, { token, app }, CODE_MS);
      return code;
    },
    redeem: (code) => codes.take(code),
  };
}
