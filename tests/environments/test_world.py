"""The local world's folder, ports and processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.environments import processes
from infra.environments.processes import Part
from infra.environments.world import World, open_world, prepare
from infra.errors import LocalCloudError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = open_world(ROOT, {"MBGATE_STATE": str(tmp_path / "world"), "MBGATE_PORT": "19480"})
    prepare(made)
    return made


def test_secrets_are_kept_and_private(world: World) -> None:
    before = {name: (world.folder / name).read_text() for name in ("api-token", "passphrase", "accounts.json")}
    prepare(world)
    assert {name: (world.folder / name).read_text() for name in before} == before
    assert all((world.folder / name).stat().st_mode & 0o077 == 0 for name in before)
    assert {a["role"] for a in world.accounts()} == {"analyst", "engineer", "exec", None}


def test_a_world_keeps_its_ports(world: World) -> None:
    again = open_world(ROOT, {"MBGATE_STATE": str(world.folder), "MBGATE_PORT": "20480"})
    assert again.port == 19480
    assert again.gateway_url == "http://localhost:19480"


@pytest.mark.parametrize("port", ["80", "x", "99999", "-1"])
def test_a_bad_port_is_one_message(port: str, tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="MBGATE_PORT"):
        open_world(ROOT, {"MBGATE_STATE": str(tmp_path), "MBGATE_PORT": port})


def sleeper(name: str = "sleeper") -> Part:
    return Part(name=name, command=(sys.executable, "-c", "import time; time.sleep(60)"))


def test_a_part_starts_once_and_ends(world: World) -> None:
    assert processes.start(world, sleeper()) is True
    assert processes.start(world, sleeper()) is False
    pid = processes.running_pid(world, "sleeper")
    assert pid is not None
    assert processes.stop(world, "sleeper") is True
    assert processes.running_pid(world, "sleeper") is None
    assert processes.stop(world, "sleeper") is False


def test_a_process_of_another_is_never_ended(world: World) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = world.folder / "run" / "edge.pid.json"
        record.write_text(json.dumps({"pid": stranger.pid, "started": "1"}))
        assert processes.stop(world, "edge") is False
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_named_with_its_part(world: World) -> None:
    script = "import socket,time; s=socket.create_server(('127.0.0.1', 19481)); print('up', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        with pytest.raises(LocalCloudError, match="port 19481, which `cloudflare-api` needs, is taken"):
            processes.start(world, processes.parts(world, with_metabase=True)[0])
    finally:
        holder.kill()
        holder.wait()


def test_a_part_that_ends_at_once_is_told_with_its_last_words(world: World) -> None:
    script = "import sys; print('the database is broken'); sys.exit(3)"
    part = Part(name="broken", command=(sys.executable, "-c", script), ready_url="http://127.0.0.1:9/")
    with pytest.raises(LocalCloudError, match="ended at once: the database is broken"):
        processes.start(world, part)


def test_a_part_that_ignores_the_polite_end_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.5)
    script = (
        "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    processes.start(world, Part(name="deaf", command=(sys.executable, "-c", script)))
    log = world.logs / "deaf.log"
    for _ in range(100):
        if "deaf" in log.read_text():
            break
        time.sleep(0.05)
    pid = processes.running_pid(world, "deaf")
    assert pid is not None
    assert processes.stop(world, "deaf") is True
    with pytest.raises((ProcessLookupError, ChildProcessError)):
        os.waitpid(pid, 0)
        os.kill(pid, signal.SIGTERM)


def test_a_zombie_and_a_recycled_id_do_not_run() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print('x')"], stdout=subprocess.DEVNULL)
    name = Path(f"/proc/{child.pid}/comm").read_text().strip()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert processes.is_running(child.pid, name) is False
    child.wait()
    assert processes.is_running(child.pid, name) is False
    assert processes.is_running(os.getpid(), "pulumi") is False
    assert processes.is_running(os.getpid(), Path("/proc/self/comm").read_text().strip()) is True
