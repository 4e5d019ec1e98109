"""The connector's other ways: a Unix socket to the edge, cloudflared's command line, and its readiness."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.edge.world import NODE, ROOT, World, answers, eventually, free_port


def cloudflared(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One that ends by itself."""
    command = [NODE, "localcloud/connector/cloudflared.mjs", "--no-autoupdate", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TUNNEL_")}
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=20)


def start_edge(world: World, path: Path) -> subprocess.Popen[bytes]:
    """An edge with a Unix socket for connectors."""
    process = world.spawn("edge", *world.edge_args(), "--tunnel-socket", str(path))
    eventually(lambda: answers(f"{world.team}/cdn-cgi/access/certs") or process.poll() is not None, "the edge's start")
    return process


def test_a_connector_dials_a_unix_socket(fresh_world: Callable[[], World]) -> None:
    world = fresh_world()
    path = world.folder / "tunnel.sock"
    start_edge(world, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    (world.folder / "tunnel-token").write_text(world.token)
    world.spawn(
        *("connector", "--edge", f"unix:{path}", "--token-file", str(world.folder / "tunnel-token")),
        *("--resolve", f"origin.internal=127.0.0.1:{world.origin.port}"),
    )
    eventually(lambda: world.get("/vpc/x").status_code == 200, "the way through")
    assert '"message":"connected"' in (world.folder / "connector.log").read_text()


def test_a_stale_socket_is_replaced_and_a_live_one_kept(fresh_world: Callable[[], World]) -> None:
    world, second = fresh_world(), fresh_world()
    path = world.folder / "tunnel.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    edge = start_edge(world, path)
    assert edge.poll() is None
    other = start_edge(second, path)
    assert other.wait(timeout=10) == 1
    assert "is taken" in (second.folder / "edge.log").read_text()
    edge.send_signal(signal.SIGTERM)
    assert edge.wait(timeout=10) == 0
    assert not path.exists()


def test_what_is_no_socket_is_left_alone(fresh_world: Callable[[], World]) -> None:
    world = fresh_world()
    path = world.folder / "file"
    path.write_text("mine")
    assert start_edge(world, path).wait(timeout=10) == 1
    assert path.read_text() == "mine"


@pytest.mark.parametrize("form", ["environment", "file", "option"])
def test_the_command_line_of_cloudflared(fresh_world: Callable[[], World], form: str) -> None:
    world = fresh_world()
    world.start_edge()
    token_file = world.folder / "token"
    token_file.write_text(world.token + "\n")
    more = ["--token-file", str(token_file)] if form == "option" else []
    given = {"environment": {"TUNNEL_TOKEN": world.token}, "file": {"TUNNEL_TOKEN_FILE": str(token_file)}}
    port = free_port()
    environment = {"TUNNEL_EDGE": f"127.0.0.1:{world.tunnel_port}", "TUNNEL_METRICS": f"127.0.0.1:{port}"}
    with (world.folder / "cloudflared.log").open("wb") as log:
        process = subprocess.Popen(
            [NODE, "localcloud/connector/cloudflared.mjs", "--no-autoupdate", "tunnel", "run", *more],
            **{"cwd": ROOT, "env": {**os.environ, **environment, **given.get(form, {})}, "stdout": log, "stderr": log},
        )
    world.processes.append(process)
    ask = ["tunnel", "--metrics", f"127.0.0.1:{port}", "ready"]
    eventually(lambda: cloudflared(*ask).returncode == 0, "readiness")
    url = f"http://127.0.0.1:{port}/ready"
    body = eventually(
        lambda: (found := httpx.get(url, trust_env=False).json())["readyConnections"] == 2 and found, "both connections"
    )
    assert body["status"] == 200
    world.processes[0].terminate()
    eventually(lambda: httpx.get(url, trust_env=False).status_code == 503, "the end of readiness")
    done = cloudflared(*ask)
    assert done.returncode == 1
    assert '"readyConnections":0' in done.stderr
    assert world.token not in (world.folder / "cloudflared.log").read_text()


def test_version() -> None:
    assert cloudflared("version").stdout.startswith("cloudflared version ")


EDGE = {"TUNNEL_EDGE": "127.0.0.1:1"}


@pytest.mark.parametrize(
    ("arguments", "environment", "words", "status"),
    [
        (["tunnel", "run", "--url", "http://x"], {}, "--url", 2),
        (["tunnel", "login"], {}, "`tunnel login` is no command here", 2),
        (["constructor"], {}, "is no command here", 2),
        (["tunnel", "run"], {}, "TUNNEL_EDGE is missing", 1),
        (["tunnel", "run"], {"TUNNEL_EDGE": "nowhere"}, "must be HOST:PORT", 1),
        (["tunnel", "run"], EDGE, "no token", 1),
        (["tunnel", "run"], {**EDGE, "TUNNEL_TOKEN": "x"}, "Provided Tunnel token is not valid", 1),
        (["tunnel", "run", "--token-file", "/nowhere"], EDGE, "/nowhere: ENOENT", 1),
        (["tunnel", "ready"], {}, "--metrics has to be provided", 1),
        (["tunnel", "--metrics", "127.0.0.1:1", "ready"], {}, "ECONNREFUSED", 1),
    ],
)
def test_bad_arguments_are_one_line(arguments: list[str], environment: dict[str, str], words: str, status: int) -> None:
    done = cloudflared(*arguments, **environment)
    assert done.returncode == status
    assert words in done.stderr
    assert done.stderr.startswith("cloudflared: ")
    assert done.stderr.count("\n") == 1
