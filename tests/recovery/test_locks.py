"""A lock is removed only where its holder is proven dead."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.environments.recovery import locks
from infra.errors import DeployError

USER = pwd.getpwuid(os.getuid()).pw_name
DEAD = 2**22 + 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "locks" / "organization" / "mbgate" / "dev").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[int]:
    """A living process named `pulumi`."""
    program = tmp_path / "pulumi"
    shutil.copy2(shutil.which("sleep") or "/bin/sleep", program)
    process = subprocess.Popen([program, "60"])
    yield process.pid
    process.kill()
    process.wait()


def put(folder: Path, pid: int, stack: str = "dev", **other: Any) -> Path:
    """A lock as the engine writes it."""
    file = folder / "locks" / "organization" / "mbgate" / stack / "0b0e.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    holder = {"pid": pid, "username": USER, "hostname": socket.gethostname(), "timestamp": stamp(datetime.now(UTC))}
    file.write_text(json.dumps({**holder, **other}))
    file.with_name(file.name + ".attrs").write_text("{}")
    return file


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def test_a_lock_of_a_process_that_is_gone_is_dead_and_goes(folder: Path) -> None:
    file = put(folder, DEAD)
    (dead,) = locks.dead_locks(folder, "dev")
    assert dead.is_engines and dead.pid == DEAD
    locks.remove(dead)
    assert not list(file.parent.iterdir())


def test_a_lock_of_a_living_engine_is_an_error_that_names_it(folder: Path, engine: int) -> None:
    time.sleep(0.05)
    file = put(folder, engine)
    with pytest.raises(DeployError, match=rf"stack-locked(.|\n)*end process {engine}") as caught:
        locks.dead_locks(folder, "dev")
    assert f"{USER}@{socket.gethostname()}, process {engine}, since 20" in str(caught.value)
    assert file.exists()


def test_a_recycled_id_is_told_apart_by_its_start(folder: Path, engine: int) -> None:
    put(folder, engine, timestamp=stamp(datetime.now(UTC) - timedelta(hours=1)))
    assert [lock.pid for lock in locks.dead_locks(folder, "dev")] == [engine]


def test_a_recycled_id_of_another_program_is_told_apart(folder: Path) -> None:
    put(folder, os.getpid())
    assert [lock.pid for lock in locks.dead_locks(folder, "dev")] == [os.getpid()]


@pytest.mark.parametrize("other", [{"hostname": "ci-runner-7"}, {"username": "somebody-else"}])
def test_a_lock_from_elsewhere_is_never_removed(folder: Path, other: dict[str, str]) -> None:
    file = put(folder, DEAD, **other)
    with pytest.raises(DeployError) as caught:
        locks.dead_locks(folder, "dev")
    assert next(iter(other.values())) in caught.value.message
    assert "pulumi cancel --stack dev" in str(caught.value)
    assert file.exists()


def test_another_stacks_lock_is_none_of_ours(folder: Path) -> None:
    put(folder, DEAD, stack="prod", hostname="elsewhere")
    assert locks.dead_locks(folder, "dev") == []


@pytest.mark.parametrize("text", ["", '{"pid": 1', "[]", "{}", '{"pid": "x"}', "\x00\x00"])
def test_a_torn_lock_is_dead_once_it_is_old(folder: Path, text: str) -> None:
    file = put(folder, DEAD)
    file.write_text(text)
    os.utime(file, (time.time() - 60,) * 2)
    (dead,) = locks.dead_locks(folder, "dev")
    assert dead.is_torn and "torn lock file" in str(dead)


def test_a_lock_still_in_writing_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(folder, DEAD, hostname="elsewhere")
    whole = file.read_text()
    file.write_text(whole[:10])
    monkeypatch.setattr(time, "sleep", lambda _: file.write_text(whole))
    with pytest.raises(DeployError, match="elsewhere"):
        locks.dead_locks(folder, "dev")


def test_only_one_holds(folder: Path) -> None:
    with locks.hold(folder, "mbgate", "dev"):
        with pytest.raises(DeployError, match="stack-locked"), locks.hold(folder, "mbgate", "dev"):
            pytest.fail("two held the stack")
        with pytest.raises(DeployError, match=f"process {os.getpid()}"):
            locks.dead_locks(folder, "dev")
        (mine,) = locks.read_locks(folder, "dev")
        assert not mine.is_engines
    assert locks.read_locks(folder, "dev") == []


def test_what_a_dead_recovery_held_is_dead(folder: Path) -> None:
    put(folder, DEAD, program="mbgate")
    with locks.hold(folder, "mbgate", "dev"):
        pass
    (dead,) = locks.dead_locks(folder, "dev")
    assert not dead.is_engines
