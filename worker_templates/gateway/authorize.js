/**
 * The decision: a principal, a request and the compiled table in; effect, reason and the deciding rule out.
 *
 * May not: do I/O, read the clock, decode or resolve a path, look at a query string. It is the same function as
 * `infra/access/decide.py`; `tests/corpus` and a property test bind the two.
 */

const WELL_FORMED = /^\/(?:[ !"$&-:<->@-[\]-~]|%[89A-Fa-f][0-9A-Fa-f])*$/;
const NUMERIC = /^(?:0|[1-9][0-9]{0,9})$/;
const ENTITY = /^[A-Za-z0-9_-]{21}$/;
const SLUG = /^(0|[1-9][0-9]{0,9})(?:-.*)?$/;
const ADHOC = "query:adhoc";
const NATIVE = "query:native";

/**
 * The table with its routes as a tree, made once a version.
 * @param {object} table the canonical decision table
 * @returns {{table: object, roles: [string, object][], tree: object}}
 */
export function compileTable(table) {
  const tree = node();
  for (const route of table.routes) {
    let here = tree;
    const names = [];
    for (const part of patternSegments(route.path)) {
      if (part.startsWith(":")) {
        names.push(part.slice(1));
        here = here.parameter ??= node();
      } else if (part === "*") {
        here = here.rest ??= node();
      } else {
        if (!here.literal.has(part)) here.literal.set(part, node());
        here = here.literal.get(part);
      }
    }
    if (!here.methods.has(route.method)) here.methods.set(route.method, { route, names });
  }
  const roles = Object.entries(table.roles).sort(([a], [b]) => (a < b ? -1 : 1));
  return { table, roles, tree };
}

function node() {
  return { literal: new Map(), parameter: null, rest: null, methods: new Map() };
}

function patternSegments(pattern) {
  return pattern === "/" ? [] : pattern.slice(1).split("/");
}

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

/** @returns {string[]} the names of the roles that the principal's claims give */
export function matchingRoles(compiled, principal) {
  return compiled.roles
    .filter(([, role]) => role.match.some((entry) => isMatch(entry, principal)))
    .map(([name]) => name);
}

function isMatch(entry, { issuer, claims }) {
  if (entry.issuer !== issuer || claims === null || typeof claims !== "object" || Array.isArray(claims)) return false;
  return Object.entries(entry.claims).every(
    ([name, value]) => Object.hasOwn(claims, name) && hasValue(claims[name], value),
  );
}

function hasValue(claim, value) {
  if (typeof claim === "string") return claim === value;
  return Array.isArray(claim) && claim.every((item) => typeof item === "string") && claim.includes(value);
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
 * @param {ReturnType<typeof compileTable>} compiled
 * @param {{issuer: string, claims: object}} principal
 * @param {{method: string, path: string, query?: {native: boolean, database: string} | null}} request
 * @returns {{effect: "allow" | "deny", reason: string, role: string | null, rule: string | null, route: string | null, actions: string[], resource: {kind: string, id: string} | null}}
 */
export function authorize(compiled, principal, request) {
  const segments = splitPath(request.path);
  if (segments === null) return deny("path-malformed");
  const roles = matchingRoles(compiled, principal);
  if (roles.length !== 1) return deny(roles.length === 0 ? "role-not-mapped" : "role-ambiguous");
  return decideRoute(compiled, roles[0], request, segments);
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
  return decideRules(compiled.table, { role, route: route.id, actions, resource });
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

function decideRules(table, known) {
  const { role, actions, resource } = known;
  const rules = table.roles[role];
  if (isUnsettled(rules.deny, actions, resource)) return deny("resource-id-unsettled", known);
  for (const action of actions) {
    const rule = rules.deny.find((one) => one.actions.includes(action) && isDenied(one, resource));
    if (rule) return deny("rule-denied", { ...known, rule: rule.id });
  }
  let granted = null;
  for (const action of actions) {
    const naming = rules.allow.filter((one) => one.actions.includes(action));
    if (naming.length === 0) return deny("action-not-granted", known);
    const anyResource = resource === null || !(Object.hasOwn(table.actions, action) && table.actions[action].length);
    granted = naming.find((one) => anyResource || covers(one, resource))?.id ?? null;
    if (granted === null) return deny("resource-not-granted", known);
  }
  if (granted === null) return deny("action-not-granted", known);
  return { effect: "allow", reason: "rule-allowed", rule: granted, ...known };
}

/** An entity id whose number is unknown could be one that a deny rule lists by number. */
function isUnsettled(rules, actions, resource) {
  if (resource === null || NUMERIC.test(resource.id)) return false;
  return rules.some(
    (rule) => actions.some((action) => rule.actions.includes(action)) && Array.isArray(idsOf(rule, resource.kind)),
  );
}

function isDenied(rule, resource) {
  return resource === null || (rule.on ?? null) === null || covers(rule, resource);
}

function covers(rule, resource) {
  const ids = idsOf(rule, resource.kind);
  return ids === "*" || (Array.isArray(ids) && ids.includes(resource.id));
}

function idsOf(rule, kind) {
  return rule.on && Object.hasOwn(rule.on, kind) ? rule.on[kind] : undefined;
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
