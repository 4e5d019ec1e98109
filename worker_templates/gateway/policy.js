/** What this version's policies say of a principal: their role, and the attributes of their Metabase account. */

import { attributesOf, authorize, decideFor, matchingRoles } from "./authorize.js";
import { compileTable } from "./compile.js";
import { table } from "./table.js";

export const compiled = compileTable(table);
/** Every attribute that some role sets: on an account of ours none of them may say what a former role or claim gave. */
const NAMES = Object.values(table.roles).flatMap(({ metabase }) => Object.keys(metabase?.attributes ?? {}));
const OWNED = [...new Set(NAMES)];

/** @returns {string | null} the principal's one role; null where there is none, or more than one */
export function roleOf(principal) {
  const roles = matchingRoles(compiled, principal);
  return roles.length === 1 ? roles[0] : null;
}

/** The decision about a principal's request. */
export function decide(principal, asked) {
  return authorize(compiled, principal, asked);
}

/** @returns {boolean} whether whoever has this role may open a page of Metabase */
export function canOpen(role, path) {
  return decideFor(compiled, role, { method: "GET", path }).effect === "allow";
}

/** @returns {Record<string, string> | null} Metabase's user attributes in this role; null where the claims don't give them */
export function attributesFor(principal, role) {
  return attributesOf(compiled, role, principal);
}

/** @returns {Record<string, string | null>} the same with null for each that only other roles have */
export function accountAttributes(principal, role) {
  const own = attributesFor(principal, role);
  if (own === null) throw new Error("an attribute is missing");
  return Object.fromEntries(OWNED.map((name) => [name, Object.hasOwn(own, name) ? own[name] : null]));
}
