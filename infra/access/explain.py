"""Explains a decision in words: who asked for what, which rule decided, and what would change the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .decide import AUDIENCES, Decision, Reason, Table, decide, decide_as, matching_roles
from .routes import match_route, split_path
from .wording import visible, ways_words


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A decision with its reasons in words."""

    decision: Decision
    facts: tuple[str, ...]
    """What was found: role, route, actions and resource."""
    why: str
    """The reason in one sentence."""
    change: tuple[str, ...]
    """What would turn the decision around; empty for what can't be."""

    def text(self) -> str:
        """Several lines for a person, the effect first."""
        lines = [f"{self.decision['effect']}: {self.decision['reason']}", *(f"  {fact}" for fact in self.facts)]
        lines.append(f"  why: {self.why}")
        lines.extend(f"  to change it: {step}" for step in self.change)
        return "\n".join(visible(line) for line in lines)


@dataclass(frozen=True)
class _Case:
    table: Table
    principal: Mapping[str, Any]
    request: Mapping[str, Any]
    decision: Decision

    @property
    def asked(self) -> str:
        return f"{self.request.get('method')} {self.request.get('path')}"

    @property
    def target(self) -> str:
        resource = self.decision["resource"]
        return f"{resource['kind']} {resource['id']}" if resource else "no single resource"

    def rules(self, effect: str) -> list[Mapping[str, Any]]:
        return list(self.table["roles"][self.decision["role"]][effect])


Words = tuple[str, Sequence[str]]


def explain(table: Table, principal: Mapping[str, Any], request: Mapping[str, Any]) -> Explanation:
    """Decides, and says why and what would change it. Takes what `decide` takes."""
    return _explained(_Case(table, principal, request, decide(table, principal, request)))


def explain_as(table: Table, role: str, request: Mapping[str, Any]) -> Explanation:
    """The same for somebody who has exactly this role, and whatever attributes it takes."""
    return _explained(_Case(table, {}, request, decide_as(table, role, request)))


def _explained(case: _Case) -> Explanation:
    decision = case.decision
    why, change = _EXPLAINERS[decision["reason"]](case)
    return Explanation(decision=decision, facts=tuple(_facts(case)), why=why, change=tuple(change))


def _facts(case: _Case) -> list[str]:
    decision, facts = case.decision, [f"request: {case.asked}"]
    if decision["role"]:
        facts.append(f"role: {decision['role']}")
    if decision["route"]:
        route = next(route for route in case.table["routes"] if route["id"] == decision["route"])
        facts.append(f"route: {route['id']} ({route['method']} {route['path']})")
    if decision["actions"]:
        facts.append(f"needs: {' and '.join(decision['actions'])} on {case.target}")
    if decision["rule"]:
        facts.append(f"rule: {decision['rule']}")
    return facts


def _attribute_missing(case: _Case) -> Words:
    wanted = case.table["roles"][case.decision["role"]]["metabase"]["attributes"]
    claims = case.principal["claims"]
    lacking = sorted({claim for claim in wanted.values() if not (isinstance(claims.get(claim), str) and claims[claim])})
    return (
        f"role `{case.decision['role']}` shows people their own rows by {_quoted(lacking)}, which these claims lack",
        [f"let the provider send {_quoted(lacking)} as one text each, or remove it from `attributes`"],
    )


def _path_malformed(_: _Case) -> Words:
    return (
        "the path could be read in two ways, so it is refused before anything else",
        ["send it with a leading `/`, without `//`, `.` or `..` segments, `\\`, `;`, `#` or encoded ASCII"],
    )


def _role_not_mapped(case: _Case) -> Words:
    kind = case.principal.get("kind", "person")
    if not isinstance(kind, str) or kind not in AUDIENCES:
        return "a role is for people or for machines, and this is neither", ["say which: person or machine"]
    steps = [
        f"for role `{name}`: {ways_words(role['match'])}"
        for name, role in sorted(case.table["roles"].items())
        if role.get("for", "people") == AUDIENCES[kind]
    ]
    return f"no role matches the issuer and claims of this {kind}", steps


def _role_ambiguous(case: _Case) -> Words:
    names = ", ".join(f"`{name}`" for name in matching_roles(case.table, case.principal))
    return (
        f"the claims match more than one role: {names}",
        ["leave the person in the group of one of them, or narrow `match` of the others"],
    )


def _route_unknown(case: _Case) -> Words:
    segments = split_path(case.request.get("path")) or []
    methods = sorted({route["method"] for route in case.table["routes"]})
    others = [m for m in methods if match_route(case.table["routes"], m, segments)]
    known = f"; the path is known with {', '.join(others)}" if others else ""
    return (
        f"the route catalogue doesn't know this request{known}, and what it doesn't know is denied",
        ["add the route to policies/routes.yaml with the actions that it takes"],
    )


def _route_blocked(_: _Case) -> Words:
    return "the route catalogue blocks this request for everybody; no rule of a role can open it", []


def _id_malformed(_: _Case) -> Words:
    return (
        "the id in the path isn't written as this route's ids are",
        ["use the number (7, or 7-a-title on a page), or the 21-character entity id"],
    )


def _id_unsettled(case: _Case) -> Words:
    rules = [rule["id"] for rule in case.rules("deny") if set(rule["actions"]) & set(case.decision["actions"])]
    return (
        f"the policies don't know the number of this entity id, and {_rules(rules)} could deny it by number",
        ["open it by its number, or give {id: …, entity_id: …} in the rules"],
    )


def _query_unreadable(case: _Case) -> Words:
    if "query" not in case.request:
        return (
            "what it takes depends on the query in its body, and none was given",
            ['give --query, as \'{"native":false,"database":"1"}\''],
        )
    return (
        "the body can't be read as a query, so native SQL in it can't be ruled out",
        ["send a JSON query that names one `database`"],
    )


def _rule_denied(case: _Case) -> Words:
    rule = case.decision["rule"]
    return f"rule `{rule}` denies it, whatever else allows it", [f"narrow or remove rule `{rule}`"]


def _action_not_granted(case: _Case) -> Words:
    named = {action for rule in case.rules("allow") for action in rule["actions"]}
    missing = [action for action in case.decision["actions"] if action not in named]
    return (
        f"no rule of role `{case.decision['role']}` allows {_quoted(missing)}",
        [f"add a rule that allows {_quoted(missing)} on {case.target}", *_who_else(case)],
    )


def _resource_not_granted(case: _Case) -> Words:
    resource = case.decision["resource"]
    assert resource is not None  # noqa: S101 - the reason is only given for a resource
    short = [action for action in case.decision["actions"] if not _is_granted(case, action)]
    rules = [rule["id"] for rule in case.rules("allow") if set(rule["actions"]) & set(short)]
    return (
        f"{_rules(rules)} allow{'s' if len(rules) == 1 else ''} {_quoted(short)}, but not on {case.target}",
        [f"add {resource['id']} to `{resource['kind']}s` of {_quoted(rules, ' or ')}", *_who_else(case)],
    )


def _is_granted(case: _Case, action: str) -> bool:
    resource = case.decision["resource"]
    if resource is None or not case.table["actions"].get(action):
        return True
    listed = [
        (rule.get("on") or {}).get(resource["kind"], []) for rule in case.rules("allow") if action in rule["actions"]
    ]
    return any(ids == "*" or resource["id"] in ids for ids in listed)


def _resource_locked(case: _Case) -> Words:
    rule = _held_rule(case)
    locks = " and ".join(f"`{name}` locked to the claim `{claim}`" for name, claim in sorted(rule["locked"].items()))
    return (
        f"rule `{rule['id']}` allows it only with {locks}, and this request would show it without",
        [f"remove `locked` from rule `{rule['id']}`, which shows everything to the role"],
    )


def _approval_required(case: _Case) -> Words:
    rule = _held_rule(case)
    by = _quoted(rule["requires_approval"]["by"], " or ")
    minutes = rule["requires_approval"]["seconds"] // 60
    return (
        f"rule `{rule['id']}` allows it when somebody with role {by} has approved it",
        [f"an approval, which holds for {minutes} minutes", f"or remove `requires_approval` from rule `{rule['id']}`"],
    )


def _held_rule(case: _Case) -> Mapping[str, Any]:
    return next(rule for rule in case.rules("allow") if rule["id"] == case.decision["rule"])


def _rule_allowed(case: _Case) -> Words:
    return (
        f"rule `{case.decision['rule']}` of role `{case.decision['role']}` allows it, and no rule denies it",
        [f"a deny rule for {_quoted(case.decision['actions'], ' or ')}, or removing it from the allow rules"],
    )


def _who_else(case: _Case) -> list[str]:
    able = [
        name for name in sorted(case.table["roles"]) if decide_as(case.table, name, case.request)["effect"] == "allow"
    ]
    return [f"or ask somebody with role {_quoted(able, ' or ')}"] if able else []


def _rules(names: Sequence[str]) -> str:
    return f"rule{'' if len(names) == 1 else 's'} {_quoted(names)}"


def _quoted(names: Sequence[str], joint: str = " and ") -> str:
    return joint.join(f"`{name}`" for name in names)


_EXPLAINERS: dict[Reason, Callable[[_Case], Words]] = {
    "rule-allowed": _rule_allowed,
    "path-malformed": _path_malformed,
    "role-not-mapped": _role_not_mapped,
    "role-ambiguous": _role_ambiguous,
    "attribute-missing": _attribute_missing,
    "route-unknown": _route_unknown,
    "route-blocked": _route_blocked,
    "resource-id-malformed": _id_malformed,
    "resource-id-unsettled": _id_unsettled,
    "query-unreadable": _query_unreadable,
    "rule-denied": _rule_denied,
    "action-not-granted": _action_not_granted,
    "resource-not-granted": _resource_not_granted,
    "resource-locked": _resource_locked,
    "approval-required": _approval_required,
}
