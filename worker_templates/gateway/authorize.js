/**
 * The decision: a principal, a request and the compiled table in; effect, reason and the deciding rule out.
 *
 * May not: do I/O, read the clock, decode or resolve a path, look at a query string. It is the same function as
 * `infra/access/decide.py`; `tests/corpus` and a property test bind the two.
 */

import { covering, earlier, rulesOf } from "./compile.js";

const WELL_FORMED = /^\/(?:[ !"$&-:<->@-[\]-~]|%[89A-Fa-f][0-9A-Fa-f])*$/;
const NUMERIC = /^(?:0|[1-9][0-9]{0,9})$/;
const ENTITY = /^[A-Za-z0-9_-]{21}$/;
const SLUG = /^(0|[1-9][0-9]{0,9})(?:-.*)?$/;
/** A principal's kind → what `for` calls the roles of such principals. */
const AUDIENCES = { person: "people", machine: "machines" };
const ADHOC = "query:adhoc";
const NATIVE = "query:native";

/**
 * @param {unknown} path the raw path, without the query string
 * @returns {string[] | null} its segments without one trailing slash; null for a path that could be read in two ways
 */
export function splitPath(path) {
  if (typeof path !== "string" || !WELL_FORMED.test(path)) return null;
  if (path === "/") return [];
  const segments = path.slice(1).split("/");
  if (segments.at(-1) === "") segments.pop();
  return segments.some((segment) => segment === "" || segment === "." || segment === "..") ? null : segments;
}

/** The most specific route: segment by segment a literal beats a parameter beats the rest. */
function matchRoute(tree, method, segments) {
  return descend(tree, method === "HEAD" ? "GET" : method, segments, 0, []);
}

function descend(here, method, segments, index, values) {
  if (index === segments.length) {
    const end = here.methods.get(method);
    return end ? { route: end.route, parameters: new Map(end.names.map((name, i) => [name, values[i]])) } : null;
  }
  const segment = segments[index];
  const literal = here.literal.get(segment);
  const exact = literal && descend(literal, method, segments, index + 1, values);
  if (exact) return exact;
  const named = here.parameter && descend(here.parameter, method, segments, index + 1, [...values, segment]);
  if (named) return named;
  const end = here.rest?.methods.get(method);
  return end ? { route: end.route, parameters: new Map(end.names.map((name, i) => [name, values[i]])) } : null;
}

/** @returns {string[]} the names of the roles that the principal's kind, issuer and claims give, sorted */
export function matchingRoles(compiled, { kind = "person", issuer, claims }) {
  if (claims === null || typeof claims !== "object" || Array.isArray(claims)) return [];
  // An object as a kind would be read as the text that it turns into.
  const audience = typeof kind === "string" && Object.hasOwn(AUDIENCES, kind) ? AUDIENCES[kind] : null;
  const found = new Set();
  for (const [claim, byValue] of compiled.matches.get(issuer) ?? []) {
    for (const text of textsOf(claims, claim)) {
      for (const entry of byValue.get(text) ?? []) {
        if (entry.audience === audience && isMatch(entry, claims)) found.add(entry.name);
      }
    }
  }
  return [...found].sort();
}

function isMatch(entry, claims) {
  return entry.claims.every(([name, value]) => textsOf(claims, name).includes(value));
}

/** A claim's texts: itself, or those of a list of texts; none where it is anything else. */
function textsOf(claims, name) {
  const claim = Object.hasOwn(claims, name) ? claims[name] : null;
  if (typeof claim === "string") return [claim];
  return Array.isArray(claim) && claim.every((item) => typeof item === "string") ? claim : [];
}

/**
 * The values of a role's Metabase attributes, from a principal's claims.
 * @returns {Record<string, string> | null} null where a claim is missing or no text
 */
export function attributesOf(compiled, role, { claims }) {
  const wanted = Object.entries(compiled.table.roles[role].metabase?.attributes ?? {});
  const found = wanted.map(([name, claim]) => [name, Object.hasOwn(claims, claim) ? claims[claim] : null]);
  return found.every(([, value]) => typeof value === "string" && value !== "") ? Object.fromEntries(found) : null;
}

/**
 * Which route a request meets, before anybody's role is asked: tells the caller whether a body must be read.
 * @returns {object | null}
 */
export function routeOf(compiled, method, path) {
  const segments = splitPath(path);
  return segments && (matchRoute(compiled.tree, method, segments)?.route ?? null);
}

/**
 * @param {ReturnType<import("./compile.js").compileTable>} compiled
 * @param {{kind?: "person" | "machine", issuer: string, claims: object}} principal
 * @param {{method: string, path: string, query?: {native: boolean, database: string} | null}} request
 * @returns {{effect: "allow" | "deny", reason: string, role: string | null, rule: string | null, route: string | null, actions: string[], resource: {kind: string, id: string} | null}}
 */
export function authorize(compiled, principal, request) {
  const segments = splitPath(request.path);
  if (segments === null) return deny("path-malformed");
  const roles = matchingRoles(compiled, principal);
  if (roles.length !== 1) return deny(roles.length === 0 ? "role-not-mapped" : "role-ambiguous");
  const [role] = roles;
  if (attributesOf(compiled, role, principal) === null) return deny("attribute-missing", { role });
  return decideRoute(compiled, role, request, segments);
}

/**
 * What the rules of a role say of a request, whoever has it.
 * @returns {ReturnType<typeof authorize>}
 */
export function decideFor(compiled, role, request) {
  const segments = splitPath(request.path);
  return segments === null ? deny("path-malformed") : decideRoute(compiled, role, request, segments);
}

function decideRoute(compiled, role, request, segments) {
  const found = matchRoute(compiled.tree, request.method, segments);
  if (!found) return deny("route-unknown", { role });
  const { route, parameters } = found;
  if (route.blocked) return deny("route-blocked", { role, route: route.id });
  let actions = [...route.actions];
  let resource = null;
  if (route.body !== null) {
    const query = usableQuery(request.query);
    if (!query) return deny("query-unreadable", { role, route: route.id, actions });
    if (query.native) actions = actions.map((action) => (action === ADHOC ? NATIVE : action));
    resource = { kind: "database", id: query.database };
  } else if (route.kind !== null) {
    const known = compiled.table.aliases[route.kind] ?? {};
    const id = settleId(parameters.get(route.kind), route.form, known);
    if (id === null) return deny("resource-id-malformed", { role, route: route.id, actions });
    resource = { kind: route.kind, id };
  }
  return decideRules(compiled, { role, route: route.id, actions, resource });
}

function usableQuery(query) {
  if (query === null || typeof query !== "object" || typeof query.native !== "boolean") return null;
  return typeof query.database === "string" && NUMERIC.test(query.database) ? query : null;
}

function settleId(text, form, aliases) {
  if (form === "slug") return SLUG.exec(text)?.[1] ?? null;
  if (form === "id" && NUMERIC.test(text)) return text;
  if (!ENTITY.test(text)) return null;
  return Object.hasOwn(aliases, text) ? aliases[text] : text;
}

function decideRules(compiled, known) {
  const { role, actions, resource } = known;
  const { allow, deny: denied } = rulesOf(compiled, role);
  if (isUnsettled(denied, actions, resource)) return deny("resource-id-unsettled", known);
  for (const action of actions) {
    const found = denial(denied.get(action), resource);
    if (found) return deny("rule-denied", { ...known, rule: found.rule.id });
  }
  let granted = null;
  let held = null;
  for (const action of actions) {
    const naming = allow.get(action);
    if (!naming) return deny("action-not-granted", known);
    const { actions: kinds } = compiled.table;
    const anyResource = resource === null || !(Object.hasOwn(kinds, action) && kinds[action].length);
    const first = (reach) => (anyResource ? reach.first : covering(reach, resource));
    const plain = first(naming.plain);
    const found = plain ?? first(naming.conditional);
    if (!found) return deny("resource-not-granted", known);
    if (plain) granted = plain.rule.id;
    else held ??= found.rule;
  }
  if (held) {
    return deny(Object.hasOwn(held, "locked") ? "resource-locked" : "approval-required", { ...known, rule: held.id });
  }
  if (granted === null) return deny("action-not-granted", known);
  return { effect: "allow", reason: "rule-allowed", rule: granted, ...known };
}

/** An entity id whose number is unknown could be one that a deny rule lists by number. */
function isUnsettled(denied, actions, resource) {
  if (resource === null || NUMERIC.test(resource.id)) return false;
  return actions.some((action) => denied.get(action)?.kinds.get(resource.kind)?.hasList);
}

/** The first rule that denies an action on a resource; requests about no single resource meet every rule. */
function denial(reach, resource) {
  if (!reach) return null;
  return resource === null ? reach.first : earlier(reach.everywhere, covering(reach, resource));
}

function deny(reason, known = {}) {
  return {
    effect: "deny",
    reason,
    role: known.role ?? null,
    rule: known.rule ?? null,
    route: known.route ?? null,
    actions: known.actions ?? [],
    resource: known.resource ?? null,
  };
}
