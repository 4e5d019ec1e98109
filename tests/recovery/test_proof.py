"""What is deleted: only what the state does not know, and only with proof."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.environments.recovery import parts
from infra.environments.recovery.model import Found, Update
from infra.environments.recovery.proof import Evidence, decide
from tests.recovery.fakes import found, minute, pending, resource, state, update

NAME = "mbgate-dev-gateway"
DEPLOYED = resource(parts.TUNNEL, "mbgate-dev-tunnel", "t1", made=1)


def evidence(
    *resources: dict[str, Any], begun: tuple[dict[str, Any], ...] = (), history: tuple[Update, ...] = (), **other: Any
) -> Evidence:
    interrupted = {"is_interrupted": bool(begun), **other}
    return Evidence(state=state(*resources, begun=begun), history=history, **interrupted)


def action(known: Evidence, thing: Found, *, assume_yes: bool = False) -> str:
    verdicts = decide(known, [thing], assume_yes=assume_yes)
    return verdicts[0].action if verdicts else "known"


def test_an_interrupted_creation_after_the_last_success_is_ours() -> None:
    known = evidence(DEPLOYED, begun=(pending(parts.WORKER, NAME),), history=(update(0, 2),))
    assert action(known, found(parts.WORKER, NAME, "w1", 10)) == "delete"


def test_an_object_older_than_the_interrupted_update_is_somebody_elses() -> None:
    known = evidence(DEPLOYED, begun=(pending(parts.WORKER, NAME),), history=(update(0, 20),))
    assert action(known, found(parts.WORKER, NAME, "w1", 10)) == "unclaimed"


def test_in_the_very_first_update_the_stack_s_birth_is_the_bound() -> None:
    known = evidence(DEPLOYED, begun=(pending(parts.WORKER, NAME),))
    assert action(known, found(parts.WORKER, NAME, "w1", 2)) == "delete"
    assert action(known, found(parts.WORKER, NAME, "w0", -60)) == "unclaimed"


def test_the_lock_of_a_first_update_killed_before_any_state_is_a_bound_too() -> None:
    known = evidence(is_interrupted=True, seen=minute(5), begun=(pending(parts.WORKER, NAME),))
    assert action(known, found(parts.WORKER, NAME, "w1", 6)) == "delete"
    assert action(known, found(parts.WORKER, NAME, "w1", 4)) == "unclaimed"


def test_what_a_failed_update_lost_is_ours_and_what_came_after_it_is_not() -> None:
    known = evidence(DEPLOYED, history=(update(10, 12, succeeded=False), update(0, 2)))
    assert action(known, found(parts.WORKER, NAME, "w1", 11)) == "delete"
    assert action(known, found(parts.WORKER, NAME, "w1", 13)) == "unclaimed"
    assert action(known, found(parts.WORKER, NAME, "w1", 5)) == "unclaimed"


def test_an_object_forgotten_by_hand_stays() -> None:
    known = evidence(DEPLOYED, history=(update(0, 2),))
    assert action(known, found(parts.WORKER, NAME, "w1", 1)) == "unclaimed"


@pytest.mark.parametrize(
    ("begun", "is_empty", "expected"),
    [
        ((), True, "unclaimed"),
        ((pending(parts.KV, "mbgate-dev-keys"),), True, "delete"),
        ((pending(parts.KV, "mbgate-dev-keys"),), False, "unclaimed"),
        ((pending(parts.KV, "mbgate-dev-keys", object_id="k1"),), False, "delete"),
    ],
)
def test_a_namespace_has_no_time_so_that_other_proof_is_needed(begun: Any, is_empty: bool, expected: str) -> None:
    known = evidence(DEPLOYED, begun=begun, history=(update(0, 2),))
    thing = found(parts.KV, "mbgate-dev-keys", "k1", None, is_empty=is_empty)
    assert action(known, thing) == expected
    assert action(known, thing, assume_yes=True) == "delete"


def test_a_blank_backend_deletes_nothing() -> None:
    known = evidence(is_interrupted=True, seen=minute(0))
    assert action(known, found(parts.WORKER, NAME, "w1", 1)) == "unclaimed"


def test_a_volume_is_never_deleted() -> None:
    known = evidence(DEPLOYED, begun=(pending(parts.VOLUME, "v", object_id="v"),), history=(update(0, 2),))
    assert action(known, found(parts.VOLUME, "v", "v", 3), assume_yes=True) == "keep"


NAMES = st.sampled_from(["a", "b"])
TOKENS = st.sampled_from([parts.WORKER, parts.KV, parts.TUNNEL, parts.CONTAINER, parts.VOLUME])
IDS = st.sampled_from([str(number) for number in range(6)])
MINUTES = st.integers(-30, 60)
OBJECTS = st.builds(
    lambda token, name, i, made, empty: found(token, name, i, None if token == parts.KV else made, is_empty=empty),
    *(TOKENS, NAMES, IDS, MINUTES, st.booleans()),
)
STORIES = st.builds(
    lambda resources, begun, history: evidence(
        *(resource(token, name, i, made) for token, name, i, made in resources),
        begun=tuple(pending(token, name, operation) for token, name, operation in begun),
        history=tuple(update(start, start + length, succeeded=good) for start, length, good in history),
    ),
    st.lists(st.tuples(TOKENS, NAMES, IDS, MINUTES), max_size=4),
    st.lists(st.tuples(TOKENS, NAMES, st.sampled_from(["creating", "updating", "deleting", "reading"])), max_size=3),
    st.lists(st.tuples(MINUTES, st.integers(0, 5), st.booleans()), max_size=3),
)


@given(STORIES, st.lists(OBJECTS, max_size=6), st.booleans())
def test_an_object_of_the_state_is_never_deleted(known: Evidence, things: list[Found], yes: bool) -> None:
    for verdict in decide(known, things, assume_yes=yes):
        assert (verdict.found.token, verdict.found.id) not in known.state.ids


@given(STORIES, st.lists(OBJECTS, max_size=6))
def test_nothing_is_deleted_without_proof(known: Evidence, things: list[Found]) -> None:
    begun = {(p.token, parts.name_of(p.token, p.inputs)) for p in known.state.pending if p.operation == "creating"}
    ends = [u.end for u in known.history if u.succeeded and u.end]
    for verdict in decide(known, things, assume_yes=False):
        thing = verdict.found
        if verdict.action != "delete":
            continue
        assert thing.token != parts.VOLUME and not known.is_blank
        if thing.created is None:
            assert (thing.token, thing.name) in begun and thing.is_empty
            continue
        failed = any(u.start <= thing.created <= u.end for u in known.history if not u.succeeded and u.end)
        near = any(abs((m - thing.created).total_seconds()) <= 5 for u in known.history for m in (u.start, u.end) if m)
        assert failed or near or (known.is_interrupted and all(thing.created > end for end in ends))


@given(STORIES, st.lists(OBJECTS, max_size=6), st.booleans())
def test_every_stranger_has_a_verdict(known: Evidence, things: list[Found], yes: bool) -> None:
    strangers = [thing for thing in things if (thing.token, thing.id) not in known.state.ids]
    verdicts = decide(known, things, assume_yes=yes)
    assert [verdict.found for verdict in verdicts] == strangers
    assert not yes or all(verdict.action != "unclaimed" for verdict in verdicts)
