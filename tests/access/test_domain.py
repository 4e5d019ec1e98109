"""The Worker's evaluator decides as Python's over the whole finite domain, and the walk over it misses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import pytest

from infra.access.decide import Reason, decide, matching_roles
from infra.access.routes import match_route
from tests.access.domain import KINDS, Ask, Asker, askers, asks, kinds_of_role, own_table, rich_table
from tests.access.tally import Tally, reasons_of
from tests.access.test_corpus_js import Worker

LeftOut = Callable[[Asker, Ask], bool]
TABLES = {"own": own_table, "rich": rich_table}


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Worker]:
    process = Worker()
    yield process
    process.close()


def pairs_of(table: dict[str, Any]) -> list[tuple[Asker, Ask]]:
    every, few = asks(table), asks(table, thorough=False)
    return [(asker, ask) for asker in askers(table) for ask in (every if asker.thorough else few)]


@dataclass(frozen=True, kw_only=True)
class Walked:
    """A walk, and what the Worker's evaluator said to it."""

    table: dict[str, Any]
    pairs: list[tuple[Asker, Ask]]
    decisions: list[dict[str, Any]]

    def tally(self, left_out: LeftOut = lambda asker, ask: False) -> Tally:
        """What was met, but for what is left out."""
        tally = Tally(self.table)
        for (asker, ask), decision in zip(self.pairs, self.decisions, strict=True):
            if not left_out(asker, ask):
                tally.add(asker, ask, decision)
        return tally


@pytest.fixture(scope="module")
def walks(evaluator: Worker) -> dict[str, Walked]:
    """Both tables, walked by the Worker's evaluator."""
    found = {}
    for name, make in TABLES.items():
        table = make()
        pairs = pairs_of(table)
        cases = [{"principal": asker.principal, "request": ask.request} for asker, ask in pairs]
        found[name] = Walked(table=table, pairs=pairs, decisions=evaluator.judge({"table": table, "cases": cases}))
    return found


@pytest.mark.parametrize("name", TABLES)
def test_both_decide_alike(walks: dict[str, Walked], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every field, whoever asks for whatever."""
    table, wrong = walks[name].table, []
    # Routes are searched one by one, and everybody asks for the same: each path is looked up once.
    found = cache(lambda method, segments: match_route(table["routes"], method, segments))
    monkeypatch.setattr(
        "infra.access.decide.match_route", lambda _, method, segments: found(method, tuple(segments)), raising=False
    )
    for (asker, ask), decision in zip(walks[name].pairs, walks[name].decisions, strict=True):
        expected = decide(table, asker.principal, ask.request)
        if decision != expected:
            wrong.append((asker, ask.request, expected, decision))
    assert (len(wrong), wrong[:5]) == (0, [])


@pytest.mark.parametrize("name", TABLES)
def test_the_walk_is_whole(walks: dict[str, Walked], name: str) -> None:
    """Every role meets every route, and every action on every class of resources."""
    assert walks[name].tally().missing() == []


def test_every_reason_occurs(walks: dict[str, Walked]) -> None:
    """One that is new needs a cell: a line in `rich/roles.yaml`, or a function in the domain."""
    assert reasons_of(walked.tally() for walked in walks.values()) == set(get_args(Reason))


@pytest.mark.parametrize("name", TABLES)
def test_each_request_meets_the_route_that_it_is_for(name: str) -> None:
    """Whatever stands in its path."""
    table = TABLES[name]()
    asker = next(one for one in askers(table) if len(matching_roles(table, one.principal)) == 1)
    for ask in asks(table):
        route = decide(table, asker.principal, ask.request)["route"]
        assert route == (ask.route["id"] if ask.route else None)


LEFT_OUT: dict[str, tuple[LeftOut, str]] = {
    "role": (lambda asker, ask: asker.name.startswith("pipeline "), "pipeline"),
    "listed": (
        lambda asker, ask: ask.path == "/api/dashboard/NoNumberDashboard0001",
        "dashboard/NoNumberDashboard0001",
    ),
    "settled": (lambda asker, ask: ask.path == "/api/card/QuestionTwo0000000002", "question/2 by entity id"),
    "unsettled": (lambda asker, ask: ask.path == f"/api/dashboard/{0:021d}", "dashboard/unsettled"),
    "malformed": (lambda asker, ask: "title" in ask.path or "eee" in ask.path, "question/malformed"),
    "native": (lambda asker, ask: ask.query == {"native": True, "database": "3"}, "query:native"),
    "unreadable": (lambda asker, ask: ask.has_query and ask.query is None, "unreadable"),
    "head": (lambda asker, ask: ask.method == "HEAD" and ask.path == "/", "page-home"),
    "route": (lambda asker, ask: ask.path == "/api/search", "search-list"),
}
"""What a walk could forget, and what is then said to be missing."""


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_is_left_out_is_seen(walks: dict[str, Walked], what: str) -> None:
    """A walk without a role, a class, a condition, a method or a route is told from a whole one."""
    left_out, named = LEFT_OUT[what]
    missing = walks["rich"].tally(left_out).missing()
    assert any(named in entry for entry in missing), missing


def test_everybody_is_who_they_should_be() -> None:
    """Each role is met by its own kind, with every condition; both kinds also come with no role and with several."""
    table = rich_table()
    found = {(one.kind, tuple(matching_roles(table, one.principal))) for one in askers(table)}
    for name, role in table["roles"].items():
        own = kinds_of_role(role)
        assert {kind for kind, roles in found if roles == (name,)} == set(own)
        assert {one.kind for one in askers(table) if one.thorough and one.name == f"{name} 0 listed"} == set(own)
    assert {(kind, ()) for kind in KINDS} < found
    assert {("person", ("holes", "lists")), ("machine", ("pipeline", "robot"))} < found
    assert {"lists lacks department", "pipeline lists department", "holes 1 plain"} < {
        one.name for one in askers(table)
    }
    assert len({(one.name, one.kind) for one in askers(table)}) == len(askers(table))
