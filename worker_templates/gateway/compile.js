/**
 * The decision table with what makes lookups short: routes as a tree, claims and rules as maps. Their size, not the number
 * of roles, rules or ids, is what a decision costs. Made once a version; a role's rules when the role is first asked for.
 *
 * May not: change what the table says. Where several rules fit, the first in the table's order is the one.
 */

/**
 * @param {object} table the canonical decision table
 * @returns {{table: object, matches: Map, tree: object, rules: Map}}
 */
export function compileTable(table) {
  return { table, matches: matchIndex(table.roles), tree: routeTree(table.routes), rules: new Map() };
}

function routeTree(routes) {
  const tree = node();
  for (const route of routes) {
    let here = tree;
    const names = [];
    for (const part of route.path === "/" ? [] : route.path.slice(1).split("/")) {
      if (part.startsWith(":")) {
        names.push(part.slice(1));
        here = here.parameter ??= node();
      } else if (part === "*") {
        here = here.rest ??= node();
      } else {
        here = entryOf(here.literal, part, node);
      }
    }
    if (!here.methods.has(route.method)) here.methods.set(route.method, { route, names });
  }
  return tree;
}

function node() {
  return { literal: new Map(), parameter: null, rest: null, methods: new Map() };
}

function entryOf(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

/** issuer → first claim of an entry → its value → the entries; each entry is then checked as a whole. */
function matchIndex(roles) {
  const index = new Map();
  for (const [name, role] of Object.entries(roles)) {
    for (const entry of role.match) {
      const claims = Object.entries(entry.claims);
      // A match without claims would take everybody: the loader refuses it, and nobody finds it here.
      if (claims.length === 0) continue;
      const [[claim, value]] = claims;
      const byClaim = entryOf(index, entry.issuer, () => new Map());
      const byValue = entryOf(byClaim, claim, () => new Map());
      entryOf(byValue, value, () => []).push({ name, audience: role.for ?? "people", claims });
    }
  }
  return index;
}

/**
 * The rules of one role, by action.
 * @returns {{deny: Map<string, object>, allow: Map<string, {plain: object, conditional: object}>}}
 */
export function rulesOf(compiled, role) {
  return entryOf(compiled.rules, role, () => {
    const { allow, deny } = compiled.table.roles[role];
    return { deny: denyIndex(deny), allow: allowIndex(allow) };
  });
}

function allowIndex(rules) {
  const index = new Map();
  for (const [at, rule] of rules.entries()) {
    const isConditional = Object.hasOwn(rule, "requires_approval") || Object.hasOwn(rule, "locked");
    for (const action of rule.actions) {
      const known = entryOf(index, action, () => ({ plain: reach(), conditional: reach() }));
      note(isConditional ? known.conditional : known.plain, at, rule);
    }
  }
  return index;
}

function denyIndex(rules) {
  const index = new Map();
  for (const [at, rule] of rules.entries()) {
    for (const action of rule.actions) note(entryOf(index, action, reach), at, rule);
  }
  return index;
}

/** `first`: any rule; `everywhere`: one without `on`; by kind: one for `all`, and those for single ids. Each the first. */
function reach() {
  return { first: null, everywhere: null, kinds: new Map() };
}

function note(known, at, rule) {
  const found = { at, rule };
  known.first ??= found;
  if ((rule.on ?? null) === null) known.everywhere ??= found;
  for (const [kind, ids] of Object.entries(rule.on ?? {})) {
    const entry = entryOf(known.kinds, kind, () => ({ all: null, ids: new Map(), hasList: false }));
    if (ids === "*") entry.all ??= found;
    if (!Array.isArray(ids)) continue;
    entry.hasList = true;
    for (const id of ids) if (!entry.ids.has(id)) entry.ids.set(id, found);
  }
}

/** The first rule of a reach that lists the resource; null where none does. */
export function covering(known, { kind, id }) {
  const entry = known.kinds.get(kind);
  return entry ? earlier(entry.all, entry.ids.get(id) ?? null) : null;
}

/** The one of two findings that stands first; either may be null. */
export function earlier(one, other) {
  if (one === null || other === null) return one ?? other;
  return one.at < other.at ? one : other;
}
