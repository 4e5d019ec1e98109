"""The decision: a principal, a request and the table in; effect, reason and the deciding rule out.

`worker_templates/gateway/authorize.js` makes the same decision from the same table; `tests/corpus` and a property test
bind the two. Default deny, and whatever can't be understood is a deny with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from .actions import ADHOC, NATIVE
from .ids import NUMERIC, settle_id
from .routes import match_route, split_path

AUDIENCES = {"person": "people", "machine": "machines"}
"""A principal's kind → what `for` calls the roles of such principals."""

Table = dict[str, Any]
"""The canonical decision table (see `table.compile_table`)."""

Reason = Literal[
    "rule-allowed",
    "path-malformed",
    "role-not-mapped",
    "role-ambiguous",
    "attribute-missing",
    "route-unknown",
    "route-blocked",
    "resource-id-malformed",
    "resource-id-unsettled",
    "query-unreadable",
    "rule-denied",
    "action-not-granted",
    "resource-not-granted",
    "resource-locked",
    "approval-required",
]


class Resource(TypedDict):
    """What a request is about."""

    kind: str
    id: str


class Decision(TypedDict):
    """The answer; what wasn't reached is None or empty."""

    effect: Literal["allow", "deny"]
    reason: Reason
    role: str | None
    rule: str | None
    route: str | None
    actions: list[str]
    resource: Resource | None


def decide(table: Table, principal: Mapping[str, Any], request: Mapping[str, Any]) -> Decision:
    """Judges one request of one principal.

    `principal` has `kind` (`person` or `machine`), `issuer` and `claims`; `request` has `method`, `path` (raw, without
    the query string) and, for routes whose body is a query, `query`: `{"native": bool, "database": "1"}`, or None where
    it can't be read.
    """
    segments = split_path(request.get("path"))
    if segments is None:
        return _deny("path-malformed")
    roles = matching_roles(table, principal)
    if not roles:
        return _deny("role-not-mapped")
    if len(roles) > 1:
        return _deny("role-ambiguous")
    if attributes_of(table, roles[0], principal) is None:
        return _deny("attribute-missing", role=roles[0])
    return _decide_route(table, roles[0], request, segments)


def decide_as(table: Table, role: str, request: Mapping[str, Any]) -> Decision:
    """Judges a request as somebody who has exactly this role."""
    segments = split_path(request.get("path"))
    if segments is None:
        return _deny("path-malformed")
    return _decide_route(table, role, request, segments)


def matching_roles(table: Table, principal: Mapping[str, Any]) -> list[str]:
    """The names of the roles that the principal's claims give, sorted."""
    return [
        name
        for name, role in sorted(table["roles"].items())
        if _audience(principal.get("kind", "person")) == role.get("for", "people")
        and any(_is_match(entry, principal) for entry in role["match"])
    ]


def _audience(kind: object) -> str | None:
    return AUDIENCES.get(kind) if isinstance(kind, str) else None


def attributes_of(table: Table, role: str, principal: Mapping[str, Any]) -> dict[str, str] | None:
    """The values of a role's Metabase attributes, from a principal's claims; None where one is missing or no text."""
    metabase = table["roles"][role].get("metabase") or {}
    found = {name: principal["claims"].get(claim) for name, claim in metabase.get("attributes", {}).items()}
    return found if all(isinstance(value, str) and value for value in found.values()) else None


def _is_match(entry: Mapping[str, Any], principal: Mapping[str, Any]) -> bool:
    claims = principal.get("claims")
    if entry["issuer"] != principal.get("issuer") or not isinstance(claims, Mapping):
        return False
    # A match without claims would take everybody; the loader refuses it, and here it matches nobody.
    return bool(entry["claims"]) and all(_has_value(claims.get(name), value) for name, value in entry["claims"].items())


def _has_value(claim: object, value: str) -> bool:
    if isinstance(claim, str):
        return claim == value
    return isinstance(claim, list) and all(isinstance(item, str) for item in claim) and value in claim


def _decide_route(table: Table, role: str, request: Mapping[str, Any], segments: Sequence[str]) -> Decision:
    found = match_route(table["routes"], str(request.get("method")), segments)
    if found is None:
        return _deny("route-unknown", role=role)
    route, parameters = found
    if route.get("blocked"):
        return _deny("route-blocked", role=role, route=route["id"])
    actions: list[str] = list(route["actions"])
    resource: Resource | None = None
    if route["body"] is not None:
        query = _usable_query(request.get("query"))
        if query is None:
            return _deny("query-unreadable", role=role, route=route["id"], actions=actions)
        if query["native"]:
            actions = [NATIVE if action == ADHOC else action for action in actions]
        resource = {"kind": "database", "id": query["database"]}
    elif route["kind"] is not None:
        known = table["aliases"].get(route["kind"], {})
        settled = settle_id(parameters[route["kind"]], route["form"], known)
        if settled is None:
            return _deny("resource-id-malformed", role=role, route=route["id"], actions=actions)
        resource = {"kind": route["kind"], "id": settled}
    return _decide_rules(table, role, route["id"], actions, resource)


def _usable_query(query: object) -> Mapping[str, Any] | None:
    if not isinstance(query, Mapping) or not isinstance(query.get("native"), bool):
        return None
    database = query.get("database")
    return query if isinstance(database, str) and NUMERIC.fullmatch(database) else None


def _decide_rules(table: Table, role: str, route: str, actions: list[str], resource: Resource | None) -> Decision:
    def deny(reason: Reason, rule: str | None = None) -> Decision:
        return _deny(reason, role=role, rule=rule, route=route, actions=actions, resource=resource)

    rules = table["roles"][role]
    if _is_unsettled(rules["deny"], actions, resource):
        return deny("resource-id-unsettled")
    for action in actions:
        for rule in rules["deny"]:
            if action in rule["actions"] and _is_denied(rule, resource):
                return deny("rule-denied", rule["id"])
    granted: str | None = None
    held: Mapping[str, Any] | None = None
    for action in actions:
        naming = [rule for rule in rules["allow"] if action in rule["actions"]]
        if not naming:
            return deny("action-not-granted")
        about = resource if table["actions"].get(action) else None
        covering = [rule for rule in naming if about is None or _covers(rule, about)]
        if not covering:
            return deny("resource-not-granted")
        plain = next((rule for rule in covering if not is_conditional(rule)), None)
        held = held if plain else held or covering[0]
        granted = plain["id"] if plain else granted
    if held is not None:
        return deny("resource-locked" if "locked" in held else "approval-required", held["id"])
    if granted is None:
        return deny("action-not-granted")
    return {
        "effect": "allow",
        "reason": "rule-allowed",
        "role": role,
        "rule": granted,
        "route": route,
        "actions": actions,
        "resource": resource,
    }


def is_conditional(rule: Mapping[str, Any]) -> bool:
    """Whether an allow rule allows nothing by itself: somebody must approve, or parameters must be locked."""
    return "requires_approval" in rule or "locked" in rule


def _is_unsettled(deny: Sequence[Mapping[str, Any]], actions: Sequence[str], resource: Resource | None) -> bool:
    """An entity id whose number is unknown could be one that a deny rule lists by number."""
    if resource is None or NUMERIC.fullmatch(resource["id"]):
        return False
    return any(
        isinstance((rule.get("on") or {}).get(resource["kind"]), list)
        for rule in deny
        if any(action in rule["actions"] for action in actions)
    )


def _is_denied(rule: Mapping[str, Any], resource: Resource | None) -> bool:
    return resource is None or rule.get("on") is None or _covers(rule, resource)


def _covers(rule: Mapping[str, Any], resource: Resource) -> bool:
    ids = (rule.get("on") or {}).get(resource["kind"])
    return ids == "*" or (isinstance(ids, list) and resource["id"] in ids)


def _deny(
    reason: Reason,
    *,
    role: str | None = None,
    rule: str | None = None,
    route: str | None = None,
    actions: list[str] | None = None,
    resource: Resource | None = None,
) -> Decision:
    return {
        "effect": "deny",
        "reason": reason,
        "role": role,
        "rule": rule,
        "route": route,
        "actions": actions or [],
        "resource": resource,
    }
