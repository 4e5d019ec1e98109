"""Folders, disk, backend, stack and passphrase."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from infra.environments.doctor import storage
from infra.environments.doctor.subject import backend_url, selected_stack
from tests.doctor.asking import fails, only, passes
from tests.doctor.fakes import Project, program
from tests.doctor.test_tools import tools_of


@pytest.mark.parametrize("name", ["cache", "disk", "backend", "stack"])
def test_nothing_is_wrong(project: Project, name: str) -> None:
    passes(project, f"state.{name}")
    passes(project, f"state.{name}", "local")


@pytest.mark.parametrize(("name", "variable"), [("cache", "MBGATE_CACHE"), ("world", "MBGATE_STATE")])
def test_a_folder_that_can_not_be_written(project: Project, tmp_path: Path, name: str, variable: str) -> None:
    passes(project, f"state.{name}", "local")
    (tmp_path / "file").write_text("")
    project.environ[variable] = str(tmp_path / "file" / "below")
    found = fails(project, f"state.{name}", "folder-not-writable", stack="local")
    assert "is no folder" in found.message and variable in str(found.help)


def test_a_look_leaves_nothing_behind(project: Project, tmp_path: Path) -> None:
    passes(project, "state.cache")
    passes(project, "state.world", "local")
    assert not (tmp_path / "cache").exists() and not (tmp_path / "world").exists()


@pytest.mark.parametrize(
    ("free", "status", "code"),
    [(10**8, "error", "disk-full"), (10**9, "warning", "disk-low"), (10**11, "ok", None)],
)
def test_disk(project: Project, monkeypatch: pytest.MonkeyPatch, free: int, status: str, code: str | None) -> None:
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(free, 0, free))
    found = only(project, "state.disk")
    assert (found.status, found.code) == (status, code)


def test_a_cli_that_must_be_compiled_needs_more_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (tools_of(project) / "pulumi").unlink()
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 4 * 10**9))
    assert "compiling" in str(fails(project, "state.disk", "disk-low", "warning").help)


def test_a_backend_folder_that_is_missing(project: Project) -> None:
    project.environ["PULUMI_BACKEND_URL"] = "file:///nowhere/at/all"
    assert "mkdir" in str(fails(project, "state.backend", "backend-missing").help)
    assert only(project, "state.stack").code == "not-checked"


def test_a_backend_below_home(project: Project) -> None:
    project.environ["PULUMI_BACKEND_URL"] = "file://~"
    assert project.environ["HOME"] in passes(project, "state.backend")


def test_nobody_is_logged_in(project: Project) -> None:
    del project.environ["PULUMI_BACKEND_URL"]
    assert passes(project, "state.backend") == "Pulumi Cloud, as me"
    program(tools_of(project), "pulumi", "[ $1 = version ] && echo v3.259.0 || { echo error: no login >&2; exit 3; }")
    assert "no login" in fails(project, "state.backend", "backend-refused").message


def test_a_backend_that_hangs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    real = storage.ask
    monkeypatch.setattr(storage, "ask", lambda *a, **k: real(*a, **{**k, "seconds": 0.2}))
    project.environ["PULUMI_BACKEND_URL"] = "s3://key:hidden-credential@bucket"
    program(tools_of(project), "pulumi", "[ $1 = version ] && echo v3.259.0 || exec sleep 9")
    found = fails(project, "state.backend", "backend-unreachable")
    assert "no answer within" in found.message and "hidden-credential" not in found.message


def test_stack_of_the_backend(project: Project) -> None:
    assert passes(project, "state.stack") == "exists"
    program(tools_of(project), "pulumi", "[ $1 = version ] && echo v3.259.0 || echo '[]'")
    assert "pulumi stack init dev" in passes(project, "state.stack")
    program(tools_of(project), "pulumi", "[ $1 = version ] && echo v3.259.0 || echo nonsense")
    fails(project, "state.stack", "backend-refused")


def test_passphrase(project: Project, tmp_path: Path) -> None:
    assert only(project, "state.passphrase").status == "skipped"
    project.salt = True
    fails(project, "state.passphrase", "passphrase-missing")
    project.environ["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(tmp_path / "none")
    assert "no such file" in fails(project, "state.passphrase", "passphrase-missing").message
    (tmp_path / "none").write_text("x")
    passes(project, "state.passphrase")
    project.environ["PULUMI_CONFIG_PASSPHRASE"] = ""
    passes(project, "state.passphrase")


def test_the_selected_stack(project: Project) -> None:
    """As the CLI keeps it: by the project's name and the SHA-1 of its file's path."""
    assert selected_stack(project.root, project.environ) is None
    digest = hashlib.sha1(str(project.root / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    folder = Path(project.environ["HOME"]) / ".pulumi" / "workspaces"
    folder.mkdir(parents=True)
    file = folder / f"mbgate-{digest}-workspace.json"
    file.write_text(json.dumps({"stacks": {project.environ["PULUMI_BACKEND_URL"]: "organization/mbgate/stage"}}))
    assert selected_stack(project.root, project.environ) == "stage"
    file.write_text('{"stack": "old"}')
    assert selected_stack(project.root, project.environ) == "old"
    file.write_text("torn")
    assert selected_stack(project.root, project.environ) is None
    assert selected_stack(project.root, {**project.environ, "PULUMI_STACK": "me/mbgate/x"}) == "x"
    assert project.open(None).stack == "local"


def test_the_backend_in_use(project: Project) -> None:
    env = {key: value for key, value in project.environ.items() if key != "PULUMI_BACKEND_URL"}
    assert backend_url(project.root, env) is None
    folder = Path(env["HOME"]) / ".pulumi"
    folder.mkdir()
    (folder / "credentials.json").write_text('{"current": "https://api.pulumi.com"}')
    assert backend_url(project.root, env) == "https://api.pulumi.com"
    (project.root / "Pulumi.yaml").write_text("name: mbgate\nbackend: {url: 's3://state'}\n")
    assert backend_url(project.root, env) == "s3://state"
