/**
 * Where the provider keeps sessions, grants and codes: in memory, each entry until it expires.
 * Interface: https://github.com/panva/node-oidc-provider/blob/main/example/my_adapter.js
 */

const entries = new Map();
const byGrant = new Map();
const byUid = new Map();
const byUserCode = new Map();
const SWEEP_MS = 60_000;

setInterval(() => {
  for (const [key, { until }] of entries) if (until <= Date.now()) entries.delete(key);
  for (const [grant, keys] of byGrant) if (![...keys].some((key) => entries.has(key))) byGrant.delete(grant);
  for (const index of [byUid, byUserCode]) for (const [name, key] of index) if (!entries.has(key)) index.delete(name);
}, SWEEP_MS).unref();

/** One model of the provider (`Session`, `Grant`, `AuthorizationCode`, …). */
export class Memory {
  constructor(model) {
    this.model = model;
  }

  #key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    const key = this.#key(id);
    entries.set(key, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Number.POSITIVE_INFINITY });
    if (payload.uid) byUid.set(payload.uid, key);
    if (payload.userCode) byUserCode.set(payload.userCode, key);
    if (payload.grantId) byGrant.set(payload.grantId, (byGrant.get(payload.grantId) ?? new Set()).add(key));
  }

  #read(key) {
    const entry = entries.get(key);
    return entry && entry.until > Date.now() ? entry.payload : undefined;
  }

  async find(id) {
    return this.#read(this.#key(id));
  }

  async findByUid(uid) {
    return this.#read(byUid.get(uid));
  }

  async findByUserCode(userCode) {
    return this.#read(byUserCode.get(userCode));
  }

  async consume(id) {
    const payload = this.#read(this.#key(id));
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of byGrant.get(grantId) ?? []) entries.delete(key);
    byGrant.delete(grantId);
  }
}
