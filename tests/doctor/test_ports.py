"""The local world's ports and parts."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import LocalCloudError
from tests.doctor.asking import fails, only, passes
from tests.doctor.fakes import Project


@pytest.fixture
def listener(project: Project) -> Iterator[socket.socket]:
    """Something that listens on the port of the local API, in a range that is free otherwise."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        project.environ["MBGATE_PORT"] = str(taken.getsockname()[1] - 1)
        yield taken


def test_free_ports(project: Project) -> None:
    project.environ["MBGATE_PORT"] = "39480"
    passes(project, "local.ports", "local")
    assert only(project, "local.ports").status == "skipped"


def test_a_strangers_port(project: Project, listener: socket.socket) -> None:
    found = fails(project, "local.ports", "port-taken", stack="local")
    assert f"{listener.getsockname()[1]} (cloudflare-api)" in found.message


def world(project: Project, **pids: int) -> None:
    """A world in which these parts run as the given processes."""
    folder = Path(project.environ["MBGATE_STATE"])
    (folder / "run").mkdir(parents=True)
    port = int(project.environ.get("MBGATE_PORT", "39480"))
    (folder / "world.json").write_text(json.dumps({"port": port}))
    for name, pid in pids.items():
        started = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
        record = {"pid": pid, "started": started}
        (folder / "run" / f"{name.replace('_', '-')}.pid.json").write_text(json.dumps(record))


def test_our_own_port(project: Project, listener: socket.socket) -> None:
    world(project, cloudflare_api=os.getpid())
    passes(project, "local.ports", "local")


def test_parts(project: Project) -> None:
    assert "no local world yet" in passes(project, "local.parts", "local")
    world(project)
    assert "stopped" in passes(project, "local.parts", "local")
    (Path(project.environ["MBGATE_STATE"]) / "run").rename(Path(project.environ["MBGATE_STATE"]) / "old")
    world(project, edge=os.getpid())
    found = fails(project, "local.parts", "part-stopped", "warning", "local")
    assert "cloudflare-api" in found.message and "edge," not in found.message


def test_a_port_that_is_none(project: Project) -> None:
    project.environ["MBGATE_PORT"] = "nonsense"
    with pytest.raises(LocalCloudError, match="port-invalid"):
        project.open("local")


def test_a_torn_world(project: Project) -> None:
    world(project)
    (Path(project.environ["MBGATE_STATE"]) / "world.json").write_text('{"po')
    with pytest.raises(LocalCloudError, match="world-unreadable"):
        project.open("local")
