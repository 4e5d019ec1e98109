"""Checks across roles: faults that no single rule shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from .conditions import check_approvers
from .coverage import check_rules
from .decide import Decision, Table, decide_as
from .issuers import check_issuers_met
from .match import is_within, overlapping
from .model import Policies, Role
from .routes import match_route, split_path
from .source import Node, Source, entry
from .table import compile_table

Places = Mapping[str, tuple[Node, str]]


def check_policies(source: Source, policies: Policies, places: Places, has_routes: bool) -> None:
    """Notes roles that can't be told apart, share a group, or can't open their landing page.

    Landing pages are judged only where the catalogue could be read (`has_routes`).
    """
    for first, second in overlapping(policies.roles):
        if source.is_full:
            break
        _check_overlap(source, first, second, places)
    _check_groups(source, policies.roles, places)
    check_issuers_met(source, policies, places)
    table = compile_table(policies)
    for role in policies.roles:
        check_rules(source, table, role.name, *places[role.name])
        for index in range(len(role.allow)):
            check_approvers(source, policies.roles, role, index, *places[role.name])
    if has_routes:
        for role in policies.roles:
            _check_landing(source, table, role, places)


def _check_overlap(source: Source, first: Role, second: Role, places: Places) -> None:
    for one in first.match:
        for other in second.match:
            narrow, wide = (first, second) if is_within(one, other) else (second, first)
            if not (is_within(one, other) or is_within(other, one)):
                continue
            message = f"whoever matches `{narrow.name}` here matches `{wide.name}` too, and two roles are refused"
            who = "person" if narrow.audience == "people" else "machine"
            help = f"let the claims differ; a {who} must have exactly one role"
            source.fault(*entry(*places[narrow.name], "match"), "role-match-overlapping", message, help)
            return


def _check_groups(source: Source, roles: Sequence[Role], places: Places) -> None:
    members: dict[str, list[int]] = {}
    for index, role in enumerate(roles):
        if role.metabase:
            members.setdefault(role.metabase.group.casefold(), []).append(index)
    for at, other in sorted(pair for indices in members.values() for pair in combinations(indices, 2)):
        first, second = (grants.group for grants in (roles[at].metabase, roles[other].metabase) if grants)
        like = "" if first == second else f", as `{first}`: case makes no other group"
        message = f"the Metabase group `{second}` belongs to role `{roles[at].name}` already{like}"
        where = entry(*places[roles[other].name], "metabase")
        source.fault(*where, "group-shared", message, "give each role a group of its own")


def _check_landing(source: Source, table: Table, role: Role, places: Places) -> None:
    if role.landing is None:
        return
    node, path = entry(*places[role.name], "landing")
    decision = decide_as(table, role.name, {"method": "GET", "path": role.landing})
    if decision["effect"] == "deny":
        message = f"the role can't open its own landing page `{role.landing}`: {decision['reason']}"
        source.fault(node, path, "landing-denied", message, _landing_help(decision))
    elif not _is_page(table, role.landing):
        message = f"`{role.landing}` is no page"
        source.fault(node, path, "landing-no-page", message, "name a page such as /dashboard/1")


def _landing_help(decision: Decision) -> str:
    if decision["reason"] in ("approval-required", "resource-locked"):
        return "choose a page that a rule without `requires_approval` and `locked` opens"
    if decision["actions"]:
        return f"allow {' and '.join(decision['actions'])} there, or choose another page"
    return "choose a page that the route catalogue knows, such as /dashboard/1"


def _is_page(table: Table, path: str) -> bool:
    found = match_route(table["routes"], "GET", split_path(path) or [])
    return bool(found and found[0].get("page"))
