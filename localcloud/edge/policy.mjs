/**
 * Access policies: pure. Bypass and service auth come first, then allow and deny in their order; nothing matched: denied.
 * Source: https://developers.cloudflare.com/cloudflare-one/access-controls/policies/#order-of-execution
 */

/**
 * @typedef {{email?: string, idp?: string, claims?: object, service?: string}} Identity
 *   a person's, or `service`: the id of a service token; empty: nobody has signed in
 */

/** Whether a bypass policy lets everyone through. */
export function isBypassed(policies, groups) {
  return policies.some((p) => p.decision === "bypass" && matches(p, {}, groups));
}

/** Whether a service auth policy admits this service token. @param {string} id of the token */
export function isServiceAdmitted(policies, id, groups) {
  return policies.some((p) => p.decision === "non_identity" && matches(p, { service: id }, groups));
}

/** Whether a person passes: the first allow or deny policy that matches decides. @param {Identity} person */
export function isPersonAdmitted(policies, person, groups) {
  const ordered = policies
    .filter((p) => p.decision === "allow" || p.decision === "deny")
    .sort((a, b) => a.precedence - b.precedence);
  return ordered.find((p) => matches(p, person, groups))?.decision === "allow";
}

/** Every `require`, any `include`, no `exclude`. All are evaluated, so that an unknown selector is never skipped. */
function matches(ruled, identity, groups) {
  const judge = (rules) => (rules ?? []).map((rule) => holds(rule, identity, groups));
  const [include, exclude, require] = [ruled.include, ruled.exclude, ruled.require].map(judge);
  return include.some(Boolean) && !exclude.some(Boolean) && require.every(Boolean);
}

const SELECTORS = {
  everyone: () => true,
  email: ({ email }, identity) => sameText(identity.email, email),
  email_domain: ({ domain }, identity) => {
    const parts = (identity.email ?? "").split("@");
    return parts.length === 2 && sameText(parts[1], domain);
  },
  login_method: ({ id }, identity) => identity.idp === id,
  oidc: ({ identity_provider_id: idp, claim_name: name, claim_value: value }, identity) => {
    const claim = identity.idp === idp ? identity.claims?.[name] : undefined;
    return Array.isArray(claim) ? claim.includes(value) : claim === value;
  },
  service_token: ({ token_id: id }, identity) => identity.service === id,
  any_valid_service_token: (_fields, identity) => identity.service !== undefined,
  group: ({ id }, identity, groups) => {
    const group = groups.find((g) => g.id === id);
    return group !== undefined && matches(group, identity, groups);
  },
};

function holds(rule, identity, groups) {
  const [[selector, fields]] = Object.entries(rule);
  if (!Object.hasOwn(SELECTORS, selector)) throw new Error(`the edge has no Access selector \`${selector}\``);
  return SELECTORS[selector](fields, identity, groups);
}

function sameText(one, other) {
  return typeof one === "string" && one.toLowerCase() === other.toLowerCase();
}
