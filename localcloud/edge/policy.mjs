/** Access policies: pure. Which identity passes, by the documented order: service auth and bypass first, then allow and deny. */

/**
 * @param {object[]} policies of the application, by precedence
 * @param {object} identity `{email, idp, claims}` of a person, or `{service: id}` of a service token
 * @param {object[]} groups Access groups by id
 * @returns {boolean}
 */
export function isAdmitted(policies, identity, groups) {
  const ordered = [...policies].sort((a, b) => a.precedence - b.precedence);
  const early = ordered.filter((p) => p.decision === "non_identity" || p.decision === "bypass");
  const late = ordered.filter((p) => p.decision === "allow" || p.decision === "deny");
  for (const policy of early) {
    if (policy.decision === "non_identity" && !identity.service) continue;
    if (matches(policy, identity, groups)) return true;
  }
  if (identity.service) return false;
  for (const policy of late) {
    if (matches(policy, identity, groups)) return policy.decision === "allow";
  }
  return false;
}

function matches(policy, identity, groups) {
  return (
    policy.include.some((rule) => holds(rule, identity, groups)) &&
    !(policy.exclude ?? []).some((rule) => holds(rule, identity, groups)) &&
    (policy.require ?? []).every((rule) => holds(rule, identity, groups))
  );
}

function holds(rule, identity, groups) {
  const [[selector, fields]] = Object.entries(rule);
  const email = identity.email?.toLowerCase();
  switch (selector) {
    case "everyone":
      return !identity.service;
    case "email":
      return email !== undefined && email === fields.email.toLowerCase();
    case "email_domain":
      return (
        email !== undefined &&
        email.split("@").length === 2 &&
        email.split("@")[1] === fields.domain.toLowerCase()
      );
    case "login_method":
      return identity.idp !== undefined && identity.idp === fields.id;
    case "oidc": {
      if (identity.idp !== fields.identity_provider_id) return false;
      const claim = identity.claims?.[fields.claim_name];
      return Array.isArray(claim) ? claim.includes(fields.claim_value) : claim === fields.claim_value;
    }
    case "service_token":
      return identity.service !== undefined && identity.service === fields.token_id;
    case "any_valid_service_token":
      return identity.service !== undefined;
    case "group": {
      const group = groups.find((g) => g.id === fields.id);
      return group !== undefined && matches(group, identity, groups);
    }
    default:
      throw new Error(`the edge has no Access selector ${selector}`);
  }
}
