"""How the programs start and end: ports, signals, leftovers, private files, cron expressions."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.edge.cloud import TOKEN
from tests.edge.world import NODE, ROOT, World, eventually


def workerds(world: World) -> list[int]:
    """Process ids of the workerds of this world."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] if command else "Z"
        except OSError:
            continue
        if f"{world.folder}/run/w".encode() in command and state != "Z":
            found.append(int(entry.name))
    return found


@pytest.fixture
def running(fresh_world: Callable[[], World]) -> World:
    """A world of its own, with an edge."""
    made = fresh_world()
    made.start_edge()
    return made


def test_sigterm_ends_the_edge_and_its_workerd(running: World) -> None:
    assert workerds(running)
    edge = running.processes[0]
    edge.terminate()
    assert edge.wait(timeout=10) == 0
    assert workerds(running) == []
    assert [p for p in (running.folder / "run").iterdir() if p.name.endswith(".capnp")] == []


def test_a_killed_edge_leaves_no_workerd(running: World) -> None:
    os.kill(running.processes[0].pid, signal.SIGKILL)
    running.processes[0].wait()
    eventually(lambda: workerds(running) == [], "the end of workerd")
    running.start_edge()
    assert running.get("/", host="other.localhost").text == "other"


def test_a_leftover_workerd_is_ended_at_the_next_start_and_nothing_else(running: World) -> None:
    edge = running.processes[0]
    edge.terminate()
    edge.wait()
    program = "require.resolve('@cloudflare/workerd-linux-64/bin/workerd')"
    path = subprocess.check_output([NODE, "-p", program], cwd=ROOT, text=True).strip()
    config = running.folder / "run" / "w7.capnp"
    text = (
        'using Workerd = import "/workerd/workerd.capnp"; const c :Workerd.Config = (services = [(name = "d", '
        f'disk = "/")], sockets = [(name = "s", address = "unix:{running.folder}/run/w7-0.sock", http = (), '
        'service = "d")]);'
    )
    config.write_text(text)
    leftover = subprocess.Popen([path, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bystander = subprocess.Popen(["sleep", "60", str(config)][:2], stdout=subprocess.DEVNULL)
    try:
        eventually((running.folder / "run" / "w7-0.sock").exists, "the leftover's start")
        running.start_edge()
        assert leftover.wait(timeout=5) == -signal.SIGKILL
        assert bystander.poll() is None
        assert not config.exists()
    finally:
        bystander.kill()
        bystander.wait()
        if leftover.poll() is None:
            leftover.kill()


def test_a_workerd_that_dies_is_started_anew(running: World) -> None:
    [pid] = workerds(running)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: workerds(running) not in ([], [pid]), "the new workerd")
    eventually(lambda: running.get("/", host="other.localhost").status_code == 200, "an answer")


def test_a_second_edge_refuses_to_start_and_harms_nothing(running: World) -> None:
    args = [NODE, "localcloud/edge/main.mjs", *running.edge_args()]
    second = subprocess.run(args, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert second.returncode == 1
    assert (
        second.stderr == f"edge: port {running.port} of 127.0.0.1 is taken; end what listens there or choose another\n"
    )
    assert running.get("/", host="other.localhost").text == "other"
    assert running.get("/kv").status_code == 200


@pytest.mark.parametrize("program", ["edge", "connector", "oidc"])
def test_missing_arguments_are_one_line(program: str) -> None:
    done = subprocess.run(
        [NODE, f"localcloud/{program}/main.mjs"], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "Unsupported runtime" not in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{program}: missing --")


def test_files_are_private_and_no_secret_is_shown(running: World) -> None:
    running.get("/bindings")
    for path in running.folder.rglob("*.ndjson"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert TOKEN not in path.read_text()
        assert "secret" not in path.read_text()
    for path in (running.folder / "run").iterdir():
        assert stat.S_IMODE((running.folder / "run").stat().st_mode) & 0o077 == 0, path
    for pid in (*workerds(running), running.processes[0].pid):
        assert TOKEN.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()


MOMENTS = {"sunday": "2026-11-22T00:15:00Z", "monday": "2026-11-23T09:30:00Z", "new year": "2027-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("* * * * *", {"sunday", "monday", "new year"}),
        ("*/15 * * * *", {"sunday", "monday", "new year"}),
        ("*/20 * * * *", {"new year"}),
        ("30 9 * * *", {"monday"}),
        ("0-20/15 0 * * *", {"sunday", "new year"}),
        ("* * * * 1", {"sunday"}),
        ("* * * * sun", {"sunday"}),
        ("* * * * MON-fri", {"monday", "new year"}),
        ("* * 1 jan *", {"new year"}),
        ("* * 1 * 2", {"monday", "new year"}),
        ("5,30 9,10 23 11 *", {"monday"}),
    ],
)
def test_cron_expressions_are_read_in_utc(expression: str, due: set[str]) -> None:
    assert judged([expression])[0] == due


@pytest.mark.parametrize(
    "expression", ["* * * *", "60 * * * *", "* * * * 8", "*/0 * * * *", "x * * * *", "5-1 * * * *", "*-5 * * * *"]
)
def test_a_cron_expression_that_can_not_be_read_is_an_error(expression: str) -> None:
    [found] = judged([expression])
    assert isinstance(found, str)
    assert expression in found


def judged(expressions: list[str]) -> list[set[str] | str]:
    """For each expression the moments at which it is due, or the error."""
    script = (
        'import { isDue } from "./localcloud/edge/cron.mjs";'
        f"const moments = {json.dumps(MOMENTS)};"
        f"const found = {json.dumps(expressions)}.map((e) => {{ try {{ return Object.keys(moments)"
        ".filter((m) => isDue(e, new Date(moments[m]))); } catch (error) { return error.message; } });"
        "console.log(JSON.stringify(found));"
    )
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [set(one) if isinstance(one, list) else one for one in json.loads(done.stdout)]
