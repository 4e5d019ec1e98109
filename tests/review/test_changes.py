"""The comparison of two policies against asking `decide()` for everything, and the proof against lists with gaps."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from infra.access.decide import decide_as
from infra.access.matrix import judge, kinds_of
from infra.review.cells import Cell, compare_cells
from infra.review.changes import compare
from infra.review.extent import ABSENT
from infra.review.people import compare_people
from infra.review.proof import prove_cells, prove_people
from infra.review.proof_routes import prove_routes
from infra.review.routes import compare_routes
from tests.access.tables import ENTITIES, NUMBERS, requests, roles, tables

BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
IDS = (*NUMBERS, *ENTITIES, "2", "77", "x" * 21)
RANKS = {"rule-allowed": 2, "approval-required": 1, "resource-locked": 1}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A table, and one that differs from it: other roles, other rules of a role, other aliases, other routes."""
    before = draw(tables())
    after = copy.deepcopy(before)
    other = draw(tables())
    for part in draw(
        st.lists(st.sampled_from(["roles", "role", "rules", "aliases", "routes"]), min_size=1, max_size=3)
    ):
        if part == "roles":
            after["roles"] = draw(roles())
        elif part == "role":
            name = draw(st.sampled_from(sorted(other["roles"])))
            after["roles"][name] = other["roles"][name]
        elif part == "rules":
            name = draw(st.sampled_from(sorted(after["roles"])))
            for effect in ("allow", "deny"):
                rules = after["roles"][name][effect]
                after["roles"][name][effect] = [rule for rule in rules if draw(st.booleans())]
        else:
            after[part] = other[part]
    return canonical(before), canonical(after)


def canonical(table: dict[str, Any]) -> dict[str, Any]:
    """The table as `compile_table` writes it: a rule lists the number of an entity id that has one."""
    made = copy.deepcopy(table)
    for role in made["roles"].values():
        for rule in (*role["allow"], *role["deny"]):
            for kind, ids in rule.get("on", {}).items():
                if isinstance(ids, list):
                    known = made["aliases"].get(kind, {})
                    rule["on"][kind] = list(dict.fromkeys(known.get(one, one) for one in ids))
    return made


def outcome(table: dict[str, Any], role: str, action: str, kind: str | None, one: str) -> tuple[int, str | None]:
    """By `decide()`: how much is allowed, and on which condition."""
    if role not in table["roles"]:
        return 0, None
    resource: Any = {"kind": kind, "id": one} if kind else None
    decision = judge(table, role, action, resource)
    rank = RANKS.get(decision["reason"], 0)
    if rank != 1:
        return rank, None
    rule = next(rule for rule in table["roles"][role]["allow"] if rule["id"] == decision["rule"])
    condition = {key: rule[key] for key in ("requires_approval", "locked") if key in rule}
    return rank, json.dumps(condition, sort_keys=True)


def covers(cell: Cell, cells: list[Cell], ids: set[str], one: str) -> bool:
    """Whether a cell stands for an id: it is listed, or it is one of the others."""
    if cell.place in ("none", "listed"):
        return cell.one == one
    return one not in ids and (len(one) == 21) == (cell.place == "unsettled")


@BOUNDED
@given(pairs())
def test_the_list_is_what_asking_for_everything_finds(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Each role, action and resource: it is in the list exactly where `decide()` answers otherwise."""
    before, after = pair
    cells = compare_cells(before, after)
    for role in {*before["roles"], *after["roles"]}:
        for action in before["actions"]:
            for kind in {*kinds_of(before, action), *kinds_of(after, action)} or {None}:
                own = [cell for cell in cells if (cell.role, cell.action, cell.kind) == (role, action, kind)]
                listed = _mentioned(before, after, role, action, kind)
                for one in IDS if kind else ("",):
                    if kind and any(one in table["aliases"].get(kind, {}) for table in pair):
                        continue  # judged under its number, and again below where the number changed
                    was, now = (outcome(table, role, action, kind, one) for table in pair)
                    found = [cell for cell in own if covers(cell, own, listed, one)]
                    assert bool(found) == (was != now), (role, action, kind, one)
                    for cell in found:
                        assert (cell.direction == "loss") == (now[0] < was[0])


def _mentioned(before: Any, after: Any, role: str, action: str, kind: str | None) -> set[str]:
    found = set()
    for table in (before, after):
        own = table["roles"].get(role, {"allow": [], "deny": []})
        for rule in (*own["allow"], *own["deny"]):
            ids = (rule.get("on") or {}).get(kind)
            found |= set(ids) if action in rule["actions"] and isinstance(ids, list) else set()
    was, now = (table["aliases"].get(kind, {}) for table in (before, after))
    return {one for one in found if one not in was and one not in now} | {
        one for one in {*was, *now} if was.get(one) != now.get(one)
    }


@BOUNDED
@given(pairs())
def test_every_list_is_proven_whole(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """z3 finds nothing beside it, whatever changed."""
    assert compare(*pair).proof.verdict == "unsat"


@BOUNDED
@given(pairs(), st.data())
def test_a_gap_is_found(pair: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject) -> None:
    """With one entry taken out of a list, the proof fails and names something that is missing."""
    before, after = pair
    cells, routes = compare_cells(before, after), compare_routes(before, after)
    assume(cells or routes)
    if cells:
        gap = data.draw(st.integers(0, len(cells) - 1))
        found = prove_cells(before, after, cells[:gap] + cells[gap + 1 :])
        assert found.verdict == "sat" and f"role `{cells[gap].role}`" in str(found.example)
    if routes:
        gap = data.draw(st.integers(0, len(routes) - 1))
        assert prove_routes(before, after, routes[:gap] + routes[gap + 1 :]).verdict == "sat"


@BOUNDED
@given(pairs(), st.data())
def test_requests_of_unlisted_classes_are_answered_alike(
    pair: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    """Whatever request: if its answer changed, a rule, a role or a route in the list says so."""
    before, after = pair
    changes = compare(before, after)
    table = data.draw(st.sampled_from([before, after]))
    for _ in range(5):
        request = data.draw(requests(table))
        for role in before["roles"].keys() & after["roles"].keys():
            was, now = (RANKS.get(decide_as(one, role, request)["reason"], 0) for one in pair)
            if was != now:
                assert any(cell.role == role for cell in changes.cells) or any(
                    change.role == role for change in changes.requests
                )


def _with(table: dict[str, Any], role: str, **claims: str) -> dict[str, Any]:
    made = copy.deepcopy(table)
    made["roles"][role]["match"].append({"issuer": "workforce", "claims": claims})
    return made


def test_people_who_gain_a_role(sample: dict[str, Any]) -> None:
    """A new way is a gain, and nobody else's roles changed; without it in the list the proof fails."""
    after = _with(sample, "exec", groups="bi-leads")
    changes = compare(sample, after)
    assert changes.has_gains and changes.proof.verdict == "unsat"
    (entry,) = changes.record()["gains"]
    assert (entry["what"], entry["role"], entry["claims"]) == ("people", "exec", {"groups": "bi-leads"})
    assert prove_people(sample, after, []).verdict == "sat"
    added, removed = compare_people(after, sample)
    assert added == [] and [way.role for way in removed] == ["exec"]


def test_a_new_role_is_all_gains(sample: dict[str, Any]) -> None:
    """Each of its answers is compared with that of a role that there isn't."""
    after = copy.deepcopy(sample)
    after["roles"]["copy"] = copy.deepcopy(sample["roles"]["exec"])
    changes = compare(sample, after)
    assert {cell.role for cell in changes.cells} == {"copy"} and not changes.record()["losses"]
    assert all(cell.before == ABSENT for cell in changes.cells)


def test_what_no_role_can_reach_any_longer(sample: dict[str, Any]) -> None:
    """A lost answer that another role still has isn't unreachable."""
    after = copy.deepcopy(sample)
    allow = after["roles"]["engineer"]["allow"]
    after["roles"]["engineer"]["allow"] = [rule for rule in allow if rule["id"] != "engineer-queries"]
    changes = compare(sample, after)
    assert {cell.action for cell in changes.unreachable} == {"data:browse", "query:adhoc", "query:native"}
    after["roles"]["engineer"]["allow"] = [rule for rule in allow if rule["id"] != "engineer-dashboards"]
    assert compare(sample, after).unreachable == []


def test_another_condition_counts_as_a_gain(sample: dict[str, Any]) -> None:
    """It may be easier to meet."""
    before, after = copy.deepcopy(sample), copy.deepcopy(sample)
    for table, minutes in ((before, 5), (after, 50)):
        table["roles"]["exec"]["allow"][0]["requires_approval"] = {"by": ["exec"], "seconds": minutes}
    (cell, *_) = compare(before, after).cells
    assert cell.direction == "gain" and cell.before.condition != cell.after.condition


@pytest.mark.parametrize(
    ("path", "value", "what", "direction"),
    [
        (("metabase", "collections", "Product"), "write", "collection", "gain"),
        (("metabase", "collections", "Sales"), None, "collection", "loss"),
        (("metabase", "group"), "Others", "group", "gain"),
        (("metabase", "attributes", "team"), "department", "attribute", "loss"),
        (("session",), {"idle_seconds": 60, "absolute_seconds": None}, "session", "loss"),
    ],
)
def test_grants_beside_the_rules(
    sample: dict[str, Any], path: tuple[str, ...], value: Any, what: str, direction: str
) -> None:
    """Metabase's rights and sessions, in the direction that the change has; back again in the other."""
    after = copy.deepcopy(sample)
    *above, last = path
    node = after["roles"]["engineer"]
    for key in above:
        node = node[key]
    if value is None:
        del node[last]
    else:
        node[last] = value
    (grant,) = compare(sample, after).grants
    assert (grant.what, grant.direction) == (what, direction)
    (back,) = compare(after, sample).grants
    assert back.direction == ("loss" if direction == "gain" and what != "group" else "gain")


def test_an_issuer_is_trust(sample: dict[str, Any]) -> None:
    """A new one, or another address, is a gain even before a role names it."""
    after = copy.deepcopy(sample)
    after["issuers"]["ci"] = {"url": "https://ci.example", "client_id": None, "audience": "bi"}
    (grant,) = compare(sample, after).grants
    assert (grant.what, grant.subject, grant.direction) == ("issuer", "ci", "gain")
    assert grant.after == "url https://ci.example, audience bi"


def test_equal_policies(sample: dict[str, Any]) -> None:
    """Nothing changes, and that is proven too."""
    changes = compare(sample, copy.deepcopy(sample))
    assert changes.is_empty and not changes.has_gains and changes.proof.verdict == "unsat"
