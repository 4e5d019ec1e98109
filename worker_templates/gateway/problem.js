/** Refusals as values: a reason inside, a status outside. Only `respond.js` makes a response of one. */

/** Thrown where a stage can't go on. */
export class Problem extends Error {
  /** @param {string} reason @param {number} status */
  constructor(reason, status) {
    super(reason);
    this.reason = reason;
    this.status = status;
  }
}

/** The broker's refusals. */
export function authError(reason) {
  const status = { "user-deactivated": 403, "user-is-administrator": 403, "role-without-group": 403 }[reason] ?? 503;
  return new Problem(reason, status);
}
