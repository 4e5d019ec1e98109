"""The gateway decides as Python does, over the whole finite domain: everybody's every request, through the real bundle.

That is each role by each route and action, each class of resources and each condition, for the project's own policies
and for richer ones. Each request is decided by `decide()` too, and compared with what the gateway wrote to its audit
trail, what it answered, and what the origin saw. Paths that the tests' client can't send (with blanks, controls, bytes
beyond ASCII) are in `tests/corpus`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest

from infra.access.decide import Decision, Reason, decide
from infra.access.table import digest
from tests.access.domain import own_table, rich_table
from tests.access.tally import Tally, reasons_of
from tests.worker.deployment import Deployment
from tests.worker.fakes import World
from tests.worker.runtime import Runtime
from tests.worker.walk import Outcome, Step, steps_of, walk

pytestmark = pytest.mark.slow

TABLES = {"own": own_table, "rich": rich_table}
NOT_AT_THE_EDGE: dict[str, str] = {}
"""Reasons of `decide()` that no request can get from the gateway, and why. There are none."""
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where the gateway tells less than `decide()`, on purpose."""

    why: str
    applies: Callable[[Step, Decision], bool]
    status: int
    event: dict[str, Any] = field(default_factory=dict)
    """What the event holds instead."""


DIFFERENCES = (
    Difference(
        why="a path with two readings is refused before anybody is asked who they are",
        applies=lambda _, decision: decision["reason"] == "path-malformed",
        status=400,
        event={"principal_kind": None, "issuer": None},
    ),
    Difference(
        why="`/_gateway/` is the gateway's own: neither person nor catalogue is asked for a path that isn't there",
        applies=lambda step, _: step.ask.path.startswith("/_gateway/"),
        status=404,
        event={"principal_kind": None, "issuer": None, "role": None, "reason": "route-unknown"},
    ),
)


@dataclass(frozen=True, kw_only=True)
class Walked:
    """A table, and all that became of a walk over it."""

    table: dict[str, Any]
    outcomes: list[Outcome]
    decisions: list[Decision]
    """Python's, in the order of the outcomes."""

    def pairs(self) -> Iterator[tuple[Outcome, Decision]]:
        """Each outcome with Python's decision."""
        yield from zip(self.outcomes, self.decisions, strict=True)

    def tally(self) -> Tally:
        """What was met, by the gateway's own word."""
        tally = Tally(self.table)
        for outcome in self.outcomes:
            tally.add(outcome.step.asker, outcome.step.ask, _told(outcome.event))
        return tally


@pytest.fixture(scope="module")
def walks(world: World) -> dict[str, Walked]:
    """Both tables, each walked once."""
    return {name: _walked(make(), world) for name, make in TABLES.items()}


def _walked(table: dict[str, Any], world: World) -> Walked:
    world.reset()
    groups = {name: [number] for number, name in enumerate(table["roles"], start=5)}
    runtime = Runtime(Deployment(table=table, groups=groups), world)
    try:
        runtime.warm()
        outcomes = walk(runtime, list(steps_of(runtime, table)))
    finally:
        runtime.close()
    decisions = [decide(table, one.step.principal, one.step.ask.request) for one in outcomes]
    return Walked(table=table, outcomes=outcomes, decisions=decisions)


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """An audit event's decision, in the form of `decide()`."""
    resource = {"kind": event["resource_kind"], "id": event["resource_id"]} if event["resource_kind"] else None
    return {**{name: event[name] for name in Decision.__annotations__ if name != "resource"}, "resource": resource}


def _difference(step: Step, decision: Decision) -> Difference | None:
    return next((one for one in DIFFERENCES if one.applies(step, decision)), None)


def _expected(table_digest: str, step: Step, decision: Decision) -> dict[str, Any]:
    principal = {"principal_kind": step.principal["kind"], "issuer": step.principal["issuer"]}
    request = {"method": step.ask.method, "path": step.ask.path, "policy_digest": table_digest}
    found = _difference(step, decision)
    return {**decision, **principal, **request, **(found.event if found else {})}


def _status(step: Step, decision: Decision) -> int:
    found = _difference(step, decision)
    return found.status if found else 200 if decision["effect"] == "allow" else 403


def _reproduce(step: Step) -> str:
    return f"{step.asker.name} ({step.principal}): {step.ask.request}, {step.body!r}"


@pytest.mark.parametrize("name", TABLES)
def test_every_decision_is_pythons(walks: dict[str, Walked], name: str) -> None:
    """Effect, reason, role, rule, route, actions and resource of each event are those of `decide()`."""
    walked = walks[name]
    of_table = digest(walked.table)
    wrong = []
    for outcome, decision in walked.pairs():
        expected = _expected(of_table, outcome.step, decision)
        got = {**outcome.event, **_told(outcome.event)}
        if any(got[field] != value for field, value in expected.items()):
            wrong.append((_reproduce(outcome.step), expected, got))
    assert (len(wrong), wrong[:SHOWN]) == (0, [])


@pytest.mark.parametrize("name", TABLES)
def test_the_answer_follows_from_the_decision(walks: dict[str, Walked], name: str) -> None:
    """The origin sees a request, once and unchanged, if it is allowed and only then; a refusal tells its reason."""
    wrong = []
    for outcome, decision in walks[name].pairs():
        step = outcome.step
        status = _status(step, decision)
        saw = [(one.method, one.target, one.body) for one in outcome.origin]
        sent = [(step.ask.method, step.ask.path, step.body or b"")] if decision["effect"] == "allow" else []
        is_told = outcome.problem is not None
        told = (outcome.problem["reason"], outcome.problem["rule"]) if outcome.problem else None
        wanted = (outcome.event["reason"], decision["rule"]) if is_told else None
        silent = decision["effect"] == "allow" or step.ask.method == "HEAD"
        if (outcome.status, outcome.event["status"], saw, told, is_told) != (status, status, sent, wanted, not silent):
            wrong.append((_reproduce(step), status, sent, wanted, outcome))
    assert (len(wrong), wrong[:SHOWN]) == (0, [])


@pytest.mark.parametrize("name", TABLES)
def test_the_walk_was_whole(walks: dict[str, Walked], name: str) -> None:
    """Every role met every route, and every action on every class of resources, as the gateway itself told."""
    tally = walks[name].tally()
    assert tally.missing() == []
    kinds = {kind for kind, _ in tally.reasons}
    assert kinds >= {"person", "machine"}


def test_every_reason_occurred(walks: dict[str, Walked]) -> None:
    """One that is new needs a cell: a line in `tests/access/rich/roles.yaml`, or a function in the domain."""
    met = reasons_of(walked.tally() for walked in walks.values())
    assert met == set(get_args(Reason)) - set(NOT_AT_THE_EDGE)


def test_every_difference_is_met(walks: dict[str, Walked]) -> None:
    """None excuses what doesn't happen any more; each changes the status, which is compared."""
    pairs = [pair for walked in walks.values() for pair in walked.pairs()]
    for one in DIFFERENCES:
        assert any(one.applies(outcome.step, decision) for outcome, decision in pairs), one.why
