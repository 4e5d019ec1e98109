"""The meaning of the policies. `worker_templates/gateway/authorize.js` is the same function over the same table.

Default deny; an explicit deny wins; everything that is not understood is a deny with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import UNREADABLE, Decision, Principal, Query, Request
from .routes import build_tree, find_route, is_number, is_well_formed, parameter_of, resource_id
from .table import Table


def decide(table: Table, principal: Principal, request: Request) -> Decision:
    """Decides one request; `table` is a compiled one (`compile_table`)."""
    if not is_well_formed(request.path):
        return Decision(effect="deny", reason="path-malformed")
    roles = matching_roles(table, principal)
    if len(roles) != 1:
        return Decision(effect="deny", reason="role-ambiguous" if roles else "role-not-mapped")
    return _in_role(table, roles[0], request)


def decide_in_role(table: Table, role: str, method: str, path: str) -> Decision:
    """Decides a request without a body for a role by name, whoever is in it: for checks and explanations."""
    return _in_role(table, role, Request(method=method, path=path))


def _in_role(table: Table, role: str, request: Request) -> Decision:
    route = find_route(build_tree(table["routes"]), request.method, request.path)
    if route is None:
        return Decision(effect="deny", reason="route-unknown", role=role)
    return _on_route(table, role, route, request)


def matching_roles(table: Table, principal: Principal) -> list[str]:
    """The roles that the principal's claims match, by name; exactly one is needed to be let in."""
    return [name for name in sorted(table["roles"]) if _is_in(table["roles"][name], principal)]


def _is_in(role: Mapping[str, Any], principal: Principal) -> bool:
    return any(
        match["issuer"] == principal.issuer
        and all(_has(principal.claims.get(claim), value) for claim, value in match["claims"].items())
        for match in role["match"]
    )


def _has(claim: Any, value: str) -> bool:
    if isinstance(claim, list):
        return all(isinstance(item, str) for item in claim) and value in claim
    return isinstance(claim, str) and claim == value


def _on_route(table: Table, name: str, route: Mapping[str, Any], request: Request) -> Decision:
    def deny(reason: str, **more: Any) -> Decision:
        return Decision(effect="deny", reason=reason, role=name, route=route["id"], **more)

    if route["blocked"]:
        return deny("route-blocked")
    actions, kind, number = tuple(route["actions"]), route["kind"], None
    if route["body"] is not None:
        if request.query is None or request.query == UNREADABLE:
            return deny("query-unreadable", actions=actions)
        actions, kind, number = _for_query(actions, request.query)
    elif kind is not None:
        number = resource_id(parameter_of(route, request.path), route["form"])
        if number is None:
            return deny("resource-id-malformed", actions=actions)
        number = table["aliases"].get(kind, {}).get(number, number)
    resource = (kind, number) if kind is not None and number is not None else None
    return _by_rules(table["roles"][name], actions, resource, deny, name, route["id"])


def _for_query(actions: tuple[str, ...], query: Query) -> tuple[tuple[str, ...], str, str]:
    named = tuple("query:native" if a == "query:adhoc" and query.native else a for a in actions)
    return named, "database", query.database


def _by_rules(
    role: Mapping[str, Any],
    actions: tuple[str, ...],
    resource: tuple[str, str] | None,
    deny: Any,
    name: str,
    route: str,
) -> Decision:
    known = {"actions": actions, "resource": resource}
    for action in actions:
        for rule in role["deny"]:
            if action not in rule["actions"]:
                continue
            if _covers(rule["on"], resource, wide=True):
                return deny("rule-denied", rule=rule["id"], **known)
            if _unsettled(rule["on"], resource):
                return deny("resource-id-unsettled", rule=rule["id"], **known)
    deciding = None
    for action in actions:
        naming = [rule for rule in role["allow"] if action in rule["actions"]]
        if not naming:
            return deny("action-not-granted", **known)
        deciding = next((rule["id"] for rule in naming if _covers(rule["on"], resource, wide=False)), None)
        if deciding is None:
            return deny("resource-not-granted", **known)
    if deciding is None:
        return deny("action-not-granted", **known)
    return Decision(effect="allow", reason="rule-allowed", role=name, rule=deciding, route=route, **known)


def _covers(on: Mapping[str, Any] | None, resource: tuple[str, str] | None, *, wide: bool) -> bool:
    """True where a rule is about the resource; a rule without `on` covers all when it denies, none when it allows."""
    if resource is None:
        return True
    if on is None:
        return wide
    chosen = on.get(resource[0])
    return chosen == "*" or (isinstance(chosen, (list, tuple)) and resource[1] in chosen)


def _unsettled(on: Mapping[str, Any] | None, resource: tuple[str, str] | None) -> bool:
    """True where a deny rule names ids and the request an id of the other form that no alias relates to them."""
    if on is None or resource is None:
        return False
    chosen = on.get(resource[0])
    if not isinstance(chosen, (list, tuple)):
        return False
    return any(is_number(listed) != is_number(resource[1]) for listed in chosen)
