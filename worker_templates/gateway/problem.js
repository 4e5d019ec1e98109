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

/** What the broker refuses for good; everything else may be over in a minute. */
const FINAL = new Set(["user-deactivated", "user-is-administrator", "role-without-group", "second-factor-required"]);

/** The broker's refusals. */
export function brokerProblem(reason) {
  return new Problem(reason, FINAL.has(reason) ? 403 : 503);
}
