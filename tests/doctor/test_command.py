"""`mbgate doctor` as a person and a program run it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.environments.doctor import CHECKS
from tests.doctor.fakes import TOKEN, Fake, Project, program
from tests.doctor.test_tools import tools_of

MBGATE = Path(sys.executable).parent / "mbgate"


def run(project: Project, *args: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command in the project; it never ends in a traceback, and shows no secret."""
    project.write()
    command = [str(MBGATE), "doctor", *args]
    done = subprocess.run(
        command, cwd=folder or project.root, env=project.environ, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done


def test_nothing_is_wrong(project: Project) -> None:
    done = run(project, "--stack", "dev")
    assert done.returncode == 0, done.stdout
    assert "Nothing is wrong" in done.stdout and "pulumi up --stack dev" in done.stdout


def test_everything_is_told_at_once(project: Project, server: Fake) -> None:
    """Five faults in five families, one run."""
    project.change("identity", clientId="CLIENT_ID")
    project.change("metabase", memoryMb=10**6)
    del project.config["mbgate:oidcClientSecret"]
    server.refuse(f"zones/{project.config['mbgate:cloudflare']['zoneId']}/dns_records")
    (tools_of(project) / "pulumi-language-python").unlink()
    done = run(project, "--stack", "dev")
    assert done.returncode == 1
    for code in (
        "setting-placeholder",
        "docker-memory",
        "secret-missing",
        "permission-missing",
        "language-host-missing",
    ):
        assert f"[{code}]" in done.stdout
    assert "5 errors: stack dev is not ready" in done.stdout


def test_json(project: Project) -> None:
    done = run(project, "--stack", "dev", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["ok"] is True and set(report) == {"ok", "checks"}
    assert {check.name for check in CHECKS} <= {found["name"] for found in report["checks"]}
    for found in report["checks"]:
        assert list(found) == ["name", "status", "message", "help", "code"]
        assert (found["code"] is None) == (found["status"] == "ok")
        assert (found["help"] is not None) == (found["status"] in ("warning", "error"))


def test_json_of_what_is_wrong(project: Project) -> None:
    done = run(project, "--stack", "other", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report["ok"] is False
    assert "stack-file-missing" in {found["code"] for found in report["checks"]}


def test_outside_of_a_project(project: Project, tmp_path: Path) -> None:
    done = run(project, folder=tmp_path)
    assert done.returncode == 1 and "[project-missing]" in done.stderr
    done = run(project, "--json", folder=tmp_path)
    assert done.returncode == 1 and json.loads(done.stdout)["checks"][0]["code"] == "project-missing"


def test_without_a_stack_it_looks_at_the_local_one(project: Project) -> None:
    """On a new machine: what `make demo` needs."""
    project.environ["MBGATE_PORT"] = "39480"
    done = run(project)
    assert done.returncode == 0, done.stdout
    assert "Next: make demo" in done.stdout


def test_it_fits_80_columns(project: Project) -> None:
    """On a terminal no line is wider, but for words that can't be broken."""
    project.change("identity", clientId="CLIENT_ID")
    project.change("sidecar", digest=None)
    project.write()
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [str(MBGATE), "doctor", "--stack", "dev"],
        cwd=project.root,
        env={**project.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"},
        stdout=child,
        stderr=subprocess.DEVNULL,
    )
    os.close(child)
    text = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(parent)
    process.wait()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).replace("\r", "").split("\n")
    assert any("[setting-placeholder]" in line for line in lines)
    wide = [line for line in lines if len(line) > 80 and " " in line.strip().split("-> ")[-1]]
    assert not wide


def test_help_has_an_example() -> None:
    env = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run([str(MBGATE), "doctor", "--help"], capture_output=True, text=True, env=env)
    assert "Example: mbgate doctor" in done.stdout


@pytest.mark.slow
def test_a_world_that_hangs_takes_a_few_seconds(project: Project, server: Fake) -> None:
    """Cloudflare, provider, engine and CLI all accept and never answer; each is told, and nothing waits for another."""
    server.hangs = True
    program(tools_of(project), "pulumi", "exec sleep 60")
    started = time.monotonic()
    done = run(project, "--stack", "dev", "--json")
    assert time.monotonic() - started < 11
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    for name in ("cloudflare.token-status", "identity.discovery", "docker.engine", "tools.pulumi"):
        assert found[name]["status"] == "error", found[name]
    assert found["policies.load"]["status"] == "ok"
