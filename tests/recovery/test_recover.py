"""The order of a recovery, with an engine and a cloud that answer from memory."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from infra.environments.recovery import parts, recover
from infra.environments.recovery.model import Found
from infra.errors import DeployError
from tests.recovery.fakes import FakeEngine, found, minute, pending, resource, stamp
from tests.recovery.test_locks import DEAD, put

NAME = "mbgate-dev-gateway"
SUCCESS = {"startTime": stamp(minute(0)), "endTime": stamp(minute(2)), "result": "succeeded"}
FAILURE = {"startTime": stamp(minute(8)), "endTime": stamp(minute(9)), "result": "failed"}


class Outside:
    """The cloud in memory."""

    def __init__(self, *things: Found) -> None:
        self.things, self.asked, self.on_delete = list(things), 0, lambda thing: None

    def look(self, wanted: Any, _: Any) -> tuple[list[Found], list[str]]:
        self.asked += 1
        return [thing for thing in self.things if (thing.token, thing.name) in wanted], []

    def delete(self, thing: Found) -> None:
        self.on_delete(thing)
        self.things.remove(thing)


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    tunnel = resource(parts.TUNNEL, "mbgate-dev-tunnel", "t1", made=1)
    return FakeEngine(root=tmp_path, resources=[tunnel], history=[SUCCESS])


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    cloud = Outside()
    monkeypatch.setattr("infra.environments.recovery.sides.Sides", lambda *_: cloud)
    return cloud


def run(engine: FakeEngine, **options: Any) -> Any:
    return recover(engine, report=lambda _: None, **options)  # type: ignore[arg-type]


def test_a_healthy_stack_is_read_and_the_cloud_is_not_asked(engine: FakeEngine, outside: Outside) -> None:
    result = run(engine)
    assert not result.is_changed and not outside.asked
    assert sorted(engine.ran) == ["stack export", "stack history"]


def test_deep_asks_the_cloud_and_names_strangers(engine: FakeEngine, outside: Outside) -> None:
    outside.things = [found(parts.WORKER, NAME, "w1", 1)]
    result = run(engine, deep=True)
    assert result.unclaimed and not result.deleted and len(outside.things) == 1
    assert run(engine, deep=True, assume_yes=True).deleted and not outside.things


def test_a_pending_creation_s_object_goes_and_the_state_is_cleaned(engine: FakeEngine, outside: Outside) -> None:
    engine.operations = [pending(parts.WORKER, NAME)]
    outside.things = [found(parts.WORKER, NAME, "w1", 5), found(parts.WORKER, "mbgate-dev-2-gateway", "w2", 5)]
    result = run(engine)
    assert [thing.id for thing in outside.things] == ["w2"]
    assert result.is_settled and not engine.operations
    copy = Path(result.state_copy)
    assert copy.stat().st_mode & 0o777 == 0o600 and json.loads(copy.read_text())["deployment"]["pending_operations"]
    assert json.dumps(result.as_dict())
    assert not run(engine).is_changed


def test_an_unclaimed_object_in_the_way_keeps_the_pending_operation(engine: FakeEngine, outside: Outside) -> None:
    engine.operations = [pending(parts.WORKER, NAME)]
    outside.things = [found(parts.WORKER, NAME, "w1", -100)]
    result = run(engine)
    assert not result.is_settled and engine.operations and result.state_copy is None
    assert run(engine, assume_yes=True).is_settled and not engine.operations and not outside.things


def test_what_was_being_changed_is_looked_up_before_the_state_is_cleaned(engine: FakeEngine, outside: Outside) -> None:
    engine.operations = [pending(parts.TUNNEL, "mbgate-dev-tunnel", "deleting", "t1")]
    engine.operations[0]["resource"]["urn"] = engine.resources[0]["urn"]
    assert run(engine).refreshed
    assert engine.ran.index("refresh --yes") < engine.ran.index("stack import")


def test_after_a_failed_update_lost_objects_go_without_an_import(engine: FakeEngine, outside: Outside) -> None:
    engine.history = [FAILURE, SUCCESS]
    outside.things = [found(parts.POLICY, f"{NAME}-people", "p1", 8.5), found(parts.APPLICATION, NAME, "a1", 8.6)]
    order: list[str] = []
    outside.on_delete = lambda thing: order.append(thing.id)
    result = run(engine)
    assert order == ["a1", "p1"]
    assert len(result.refreshed) == 1 and "stack import" not in engine.ran


def test_a_dead_engine_s_lock_stays_until_the_cloud_is_clean(engine: FakeEngine, outside: Outside) -> None:
    lock = put(engine.backend, DEAD)
    outside.things = [found(parts.WORKER, NAME, "w1", 5)]

    def die(_: Found) -> None:
        assert lock.exists()
        raise KeyboardInterrupt

    outside.on_delete = die
    with pytest.raises(KeyboardInterrupt):
        run(engine)
    outside.on_delete = lambda thing: None
    result = run(engine)
    assert result.deleted and result.locks and not lock.exists() and not outside.things


def test_under_another_host_s_lock_nothing_is_touched(engine: FakeEngine, outside: Outside) -> None:
    put(engine.backend, DEAD, hostname=f"not-{socket.gethostname()}")
    engine.operations = [pending(parts.WORKER, NAME)]
    with pytest.raises(DeployError, match="stack-locked"):
        run(engine)
    assert engine.ran == [] and not outside.asked


def test_a_backend_whose_locks_can_t_be_seen_needs_a_word(engine: FakeEngine, outside: Outside) -> None:
    engine.environment["PULUMI_BACKEND_URL"] = "s3://bucket"
    engine.operations = [pending(parts.WORKER, NAME)]
    outside.things = [found(parts.WORKER, NAME, "w1", 5)]
    with pytest.raises(DeployError, match="stack-perhaps-locked"):
        run(engine)
    assert outside.things and engine.operations
    assert run(engine, assume_yes=True).deleted


def test_an_object_that_is_gone_is_looked_up_so_that_the_state_forgets_it(engine: FakeEngine, outside: Outside) -> None:
    engine.operations = [pending(parts.WORKER, NAME)]
    assert run(engine).refreshed == (engine.resources[0]["urn"].split("::", 2)[-1],)


def test_an_object_that_is_there_is_not_looked_up(engine: FakeEngine, outside: Outside) -> None:
    engine.operations = [pending(parts.WORKER, NAME)]
    outside.things = [found(parts.TUNNEL, "mbgate-dev-tunnel", "t1", 1)]
    result = run(engine)
    assert not result.refreshed and not result.deleted and len(outside.things) == 1
