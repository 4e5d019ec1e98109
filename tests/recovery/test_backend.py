"""Where the state is, and torn files of a killed engine."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from infra.environments.recovery.backend import locate, repair_files, torn_states
from infra.errors import DeployError
from tests.recovery.fakes import FakeEngine

WHOLE = '{"version": 3, "checkpoint": {"stack": "dev", "latest": {"note": "%s"}}}'


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(root=tmp_path)


def put(path: Path, text: str, age: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    moment = path.stat().st_mtime - age
    os.utime(path, (moment, moment))


def test_a_backend_of_files_is_found(engine: FakeEngine) -> None:
    assert locate(engine).folder == engine.root / ".pulumi"
    engine.environment["PULUMI_BACKEND_URL"] += "?no_tmp_dir=true"
    assert locate(engine).folder == engine.root / ".pulumi"
    engine.environment["PULUMI_BACKEND_URL"] = "file://./here"
    assert locate(engine).folder == engine.root / "here" / ".pulumi"
    engine.environment["PULUMI_BACKEND_URL"] = "s3://bucket"
    assert locate(engine).folder is None and not locate(engine).is_service


def test_the_project_or_the_login_name_the_backend(engine: FakeEngine, tmp_path: Path) -> None:
    del engine.environment["PULUMI_BACKEND_URL"]
    engine.environment["PULUMI_HOME"] = str(tmp_path / "home")
    assert locate(engine).is_service
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "credentials.json").write_text('{"current": "file:///somewhere"}')
    assert locate(engine).folder == Path("/somewhere/.pulumi")
    (engine.root / "Pulumi.yaml").write_text("name: mbgate\nbackend: {url: 'file:///project'}\n")
    assert locate(engine).folder == Path("/project/.pulumi")


def test_whole_files_are_left_alone(engine: FakeEngine) -> None:
    (engine.checkpoint.parent / "dev.json.attrs").write_text('{"user.content_type": ""}')
    assert repair_files(engine) == ()


@pytest.mark.parametrize("text", ["", '{"user.cont'])
def test_torn_attributes_go(engine: FakeEngine, text: str) -> None:
    file = engine.checkpoint.parent / "dev.json.attrs"
    file.write_text(text)
    assert repair_files(engine) == ("removed 1 torn attribute file of the state's backend",)
    assert not file.exists()


@pytest.mark.parametrize("torn", ["", '{"version": 3, "checkpoint": {"la', "{}", "null"])
def test_a_torn_state_comes_back_from_its_newest_readable_copy(engine: FakeEngine, torn: str) -> None:
    put(engine.checkpoint, torn, 0)
    put(engine.checkpoint.with_name("dev.json.bak"), torn, 1)
    put(engine.backend / "backups" / "mbgate" / "dev" / "dev.1.json", WHOLE % "old", 30)
    put(engine.backend / "history" / "mbgate" / "dev" / "dev-2.checkpoint.json", WHOLE % "newest", 20)
    (line,) = repair_files(engine)
    assert "dev-2.checkpoint.json" in line
    assert engine.checkpoint.read_text() == WHOLE % "newest"
    assert engine.checkpoint.stat().st_mode & 0o777 == 0o600
    (kept,) = torn_states(locate(engine), "dev")
    assert kept.read_text() == torn
    assert repair_files(engine) == ()


def test_the_copy_one_write_back_is_taken(engine: FakeEngine) -> None:
    put(engine.checkpoint, "", 0)
    put(engine.checkpoint.with_name("dev.json.bak"), WHOLE % "bak", 1)
    put(engine.backend / "backups" / "mbgate" / "dev" / "dev.1.json", WHOLE % "old", 30)
    repair_files(engine)
    assert engine.checkpoint.read_text() == WHOLE % "bak"


def test_a_compressed_state_too(engine: FakeEngine) -> None:
    engine.checkpoint.unlink()
    file = engine.checkpoint.with_name("dev.json.gz")
    file.write_bytes(gzip.compress(b"{")[:9])
    file.with_name("dev.json.gz.bak").write_bytes(gzip.compress((WHOLE % "bak").encode()))
    repair_files(engine)
    assert gzip.decompress(file.read_bytes()).decode() == WHOLE % "bak"


def test_without_a_readable_copy_nothing_is_changed(engine: FakeEngine) -> None:
    put(engine.checkpoint, "torn", 0)
    put(engine.checkpoint.with_name("dev.json.bak"), "torn too", 0)
    attributes = engine.checkpoint.with_name("dev.json.attrs")
    attributes.write_text("")
    with pytest.raises(DeployError, match="state-torn"):
        repair_files(engine)
    assert engine.checkpoint.read_text() == "torn" and attributes.exists()


def test_a_removed_stack_does_not_come_back(engine: FakeEngine) -> None:
    engine.checkpoint.unlink()
    put(engine.checkpoint.with_name("dev.json.bak"), WHOLE % "bak", 1)
    assert repair_files(engine) == ()
    assert not engine.checkpoint.exists()
