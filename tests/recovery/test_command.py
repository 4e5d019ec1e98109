"""`mbgate recover`: bad input ends in words, never in a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MBGATE = Path(sys.executable).parent / "mbgate"
Run = Callable[..., subprocess.CompletedProcess[str]]
CONFIG = {"accountId": "a" * 32, "zoneId": "b" * 32, "baseUrl": "http://127.0.0.1:1/client/v4"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in a project of its own, whose engine answers what the test wrote."""
    (tmp_path / "Pulumi.yaml").write_text("name: mbgate\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    fake = tmp_path / "bin" / "pulumi"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\n"
        'case "$1 $2" in\n'
        "  version*) echo v3.259.0 ;;\n"
        f"  'stack '*|'config '*) cat '{tmp_path}/answers/'\"$2\" 2>/dev/null ||"
        " { echo \"error: no stack named 'dev' found\" >&2; exit 255; } ;;\n"
        "esac\n"
    )
    fake.chmod(0o755)
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "ls").write_text('[{"name": "prod"}]')
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("PULUMI", "CLOUDFLARE"))},
        "PATH": f"{fake.parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "MBGATE_STATE": str(tmp_path / "world"),
        "COLUMNS": "200",
    }

    def call(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [MBGATE, "recover", *args],
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return call


def answer(folder: Path, **texts: object) -> None:
    """What the engine answers from now on."""
    for name, value in texts.items():
        (folder / "answers" / name).write_text(json.dumps(value))


def failed(folder: Path) -> None:
    """A stack whose last update failed."""
    update = {"startTime": "2026-01-01T00:00:00.000Z", "endTime": "2026-01-01T00:01:00.000Z", "result": "failed"}
    answer(folder, export={"version": 3, "deployment": {}}, history=[update])
    (folder / "answers" / "--json").write_text(json.dumps({"mbgate:cloudflare": {"objectValue": CONFIG}}))


def test_a_stack_without_settings_here(run: Run) -> None:
    done = run("--stack", "nonsense")
    assert done.returncode == 1 and "Pulumi.nonsense.yaml" in done.stderr and "[stack-unknown]" in done.stderr


def test_a_stack_that_the_backend_does_not_know(run: Run) -> None:
    done = run("--stack", "dev")
    assert done.returncode == 1 and "knows no stack `dev` [stack-unknown]" in done.stderr
    assert "it has: prod" in done.stderr


def test_no_local_world(run: Run) -> None:
    done = run()
    assert done.returncode == 1 and "no local world" in done.stderr


def test_outside_a_project(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").unlink()
    assert "[project-missing]" in run().stderr


def test_no_token(run: Run, tmp_path: Path) -> None:
    failed(tmp_path)
    done = run("--stack", "dev")
    assert done.returncode == 1 and "CLOUDFLARE_API_TOKEN is not set [token-missing]" in done.stderr


def test_no_cloud(run: Run, tmp_path: Path) -> None:
    failed(tmp_path)
    done = run("--stack", "dev", CLOUDFLARE_API_TOKEN="secret-" * 7)
    assert done.returncode == 1 and "[cloud-unreachable]" in done.stderr
    assert "secret-" not in done.stdout + done.stderr


def test_no_settings_of_the_account(run: Run, tmp_path: Path) -> None:
    failed(tmp_path)
    (tmp_path / "answers" / "--json").write_text("{}")
    assert "mbgate:cloudflare.accountId" in run("--stack", "dev", CLOUDFLARE_API_TOKEN="t" * 40).stderr


def test_a_healthy_stack_as_json(run: Run, tmp_path: Path) -> None:
    answer(tmp_path, export={"version": 3, "deployment": {}}, history=[])
    done = run("--stack", "dev", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_changed"] is False


def test_help_has_an_example() -> None:
    done = subprocess.run(
        [MBGATE, "recover", "--help"], capture_output=True, text=True, env={**os.environ, "COLUMNS": "120"}
    )
    assert "Example: mbgate recover" in done.stdout
