"""The same mix of decisions on two tables: for each reason and route as many cases in one as in the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Any, get_args

from infra.access.actions import KINDS
from infra.access.decide import Reason, Table, decide

Case = dict[str, Any]
Slot = tuple[str, str]
"""A reason, and which request meets it: cases of one slot take the same way through the Worker."""
TARGETS: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/", None),
    ("GET", "/app/dist/main.js", None),
    ("GET", "/api/search", None),
    ("GET", "/dashboard/{}", "dashboard"),
    ("GET", "/api/dashboard/{}", "dashboard"),
    ("GET", "/api/dashboard", None),
    ("PUT", "/api/dashboard/{}", "dashboard"),
    ("POST", "/api/dashboard/{}/dashcard/3/card/4/query", "dashboard"),
    ("POST", "/api/dashboard/{}/dashcard/3/card/4/query/csv", "dashboard"),
    ("POST", "/api/card/{}/query", "question"),
    ("POST", "/api/card/{}/query/xlsx", "question"),
    ("GET", "/api/collection/{}/items", "collection"),
    ("GET", "/api/database/{}/metadata", "database"),
    ("POST", "/api/dataset", "query"),
    ("POST", "/api/dataset/csv", "query"),
    ("GET", "/api/user", None),
    ("POST", "/api/session/reset_password", None),
    ("GET", "/api/unheard-of", None),
    ("GET", "/api/dashboard/1/../3", None),
)
ODD_IDS = ("9999999999", "AAAAAAAAAAAAAAAAAAAAA", "no-id")
MAX_ROLES = 16
"""Roles of a table that take part, from all over it."""
CASES = MAX_ROLES
"""Cases of a slot, of as many roles as there are."""
LENGTH = 800
ALLOWED = 0.5
"""Share of a mix that is allowed; the rest has each reason of a refusal equally often."""
Group = dict[str, list[Case]]


def common_mix(tables: Sequence[Table]) -> tuple[list[Group], list[str]]:
    """For each table the same groups of cases, `mix` and one a reason; and the reasons that not every table gives."""
    found = [_slots(table) for table in tables]
    slots = sorted(set.intersection(*(set(one) for one in found)))
    reasons = list(dict.fromkeys(reason for reason, _ in slots))
    mixes = [{reason: _fill(one, slots, reason) for reason in reasons} for one in found]
    order = _order(reasons)
    for mix in mixes:
        mix["mix"] = [mix[reason][at % len(mix[reason])] for reason, at in order]
    return mixes, sorted(set(get_args(Reason)) - set(reasons))


def _order(reasons: Sequence[str]) -> list[tuple[str, int]]:
    denials = [reason for reason in reasons if reason != "rule-allowed"]
    allowed = int(LENGTH * ALLOWED)
    order = [("rule-allowed", at) for at in range(allowed)]
    order += [(denials[at % len(denials)], at // len(denials)) for at in range(LENGTH - allowed)]
    Random(1).shuffle(order)  # noqa: S311 - the same order each time
    return order


def _fill(found: Mapping[Slot, list[Case]], slots: Sequence[Slot], reason: str) -> list[Case]:
    """Each slot's cases by turns, repeated where a small table has few."""
    own = [found[slot] for slot in slots if slot[0] == reason]
    return [cases[turn % len(cases)] for turn in range(CASES) for cases in own]


def _slots(table: Table) -> dict[Slot, list[Case]]:
    found: dict[Slot, list[Case]] = {}
    by_role: Counter[tuple[Slot, str]] = Counter()
    most = -(-CASES // min(MAX_ROLES, len(table["roles"])))
    for turn, (role, principal) in enumerate(_principals(table)):
        for request, target in _requests(table, role, turn):
            decision = decide(table, principal, request)
            slot = (decision["reason"], target)
            by_role[slot, role] += 1
            if by_role[slot, role] <= most:
                case = {"principal": principal, "request": request, "expected": decision}
                found.setdefault(slot, []).append(case)
    return found


def _spread(names: Sequence[str]) -> list[str]:
    """Names from all over a list, the last one among them."""
    count = min(MAX_ROLES, len(names))
    return [names[(at + 1) * len(names) // count - 1] for at in range(count)]


def _principals(table: Table) -> Iterator[tuple[str, dict[str, Any]]]:
    """Somebody of each role that takes part, then somebody of two roles and somebody of none."""
    names = _spread(sorted(table["roles"]))
    for name in names:
        yield name, principal_of(table, [name])
    for first, second in pairwise(names):
        yield first, principal_of(table, [first, second])
    for name in names:
        principal = principal_of(table, [name])
        bare = {claim: value for claim, value in principal["claims"].items() if claim in ("sub", "email", "name")}
        yield name, {**principal, "claims": {**bare, "groups": ["staff", "vpn"]}}
        yield name, {**principal, "claims": _needed(table["roles"][name])}


def _needed(role: Mapping[str, Any]) -> dict[str, Any]:
    """The claims that the role's first match takes, and no other."""
    return {name: [value] for name, value in role["match"][0]["claims"].items()}


def principal_of(table: Table, roles: Sequence[str]) -> dict[str, Any]:
    """A person with claims as a session holds them, who matches these roles."""
    first = table["roles"][roles[0]]
    claims: dict[str, Any] = {"sub": "00u4f2", "email": "ada@acme.example", "name": "Ada", "department": "sales"}
    for claim in ((first.get("metabase") or {}).get("attributes") or {}).values():
        claims.setdefault(claim, "eu")
    for role in roles:
        for name, values in _needed(table["roles"][role]).items():
            known = claims.get(name)
            claims[name] = [*(known if isinstance(known, list) else ["staff", "office-3", "vpn"]), *values]
    kind = "machine" if first.get("for") == "machines" else "person"
    return {"issuer": first["match"][0]["issuer"], "claims": claims, "kind": kind}


def _requests(table: Table, role: str, turn: int) -> Iterator[tuple[dict[str, Any], str]]:
    rules = [*table["roles"][role]["allow"], *table["roles"][role]["deny"]]
    ids = {kind: _ids(rules, kind, turn) for kind in KINDS}
    for method, path, kind in TARGETS:
        target = f"{method} {path}"
        if kind is None:
            yield {"method": method, "path": path}, target
        elif kind == "query":
            yield {"method": method, "path": path, "query": None}, target
            for native in (False, True):
                for one in ids["database"]:
                    yield {"method": method, "path": path, "query": {"native": native, "database": one}}, target
        else:
            for one in ids[kind]:
                yield {"method": method, "path": path.format(one)}, target


def _ids(rules: Sequence[Mapping[str, Any]], kind: str, turn: int) -> list[str]:
    """Ids of rules all over the role, one that `all` means, and odd ones; each turn starts with another one."""
    lists = [ids for rule in rules if isinstance(ids := (rule.get("on") or {}).get(kind), list)]
    found = list(dict.fromkeys([*(ids[-1] for ids in [*lists[:2], *lists[-3:]]), "1", *ODD_IDS]))
    return found[turn % len(found) :] + found[: turn % len(found)]
