"""Starts, finds and ends the local world's parts; only what it started is ever ended, by id and start time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.errors import LocalCloudError

from .world import ACCOUNT_ID, ZONE_ID, World, port_is_taken, write_private

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
METABASE = "metabase"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process: its command, the port it listens on (None: none) and the URL that answers when it is ready."""

    name: str
    command: tuple[str, ...]
    port: int | None = None
    ready_url: str | None = None


def parts(world: World, *, with_metabase: bool) -> list[Part]:
    """The parts that must run before a deployment, in order; Metabase only where it is no container."""
    node, folder = node_program(world.root), world.folder
    api = f"http://127.0.0.1:{world.port + 1}"
    found = [
        Part(
            name="cloudflare-api",
            command=(
                *(
                    sys.executable,
                    "-m",
                    "localcloud.api",
                    "--state",
                    str(folder),
                    "--port",
                    str(world.port + 1),
                ),
                *("--token-file", str(world.token_file), "--account", ACCOUNT_ID, "--zone-id", ZONE_ID),
                *("--zone-name", "localhost", "--team-url", world.team_url),
            ),
            port=world.port + 1,
            ready_url=f"{api}/_local/health",
        ),
        Part(
            name="oidc-provider",
            command=(
                *(node, "localcloud/oidc/main.mjs", "--port", str(world.port + 2), "--state", str(folder)),
                *("--accounts", str(folder / "accounts.json"), "--clients", str(folder / "clients.json")),
            ),
            port=world.port + 2,
            ready_url=f"{world.issuer}/.well-known/openid-configuration",
        ),
        Part(
            name=METABASE,
            command=(
                *(sys.executable, "-m", "localcloud.metabase", "--state", str(folder / "metabase")),
                *("--port", str(world.port + 3)),
            ),
            port=world.port + 3,
            ready_url=f"{world.origin}/api/health",
        ),
        Part(
            name="edge",
            command=(
                *(node, "localcloud/edge/main.mjs", "--state", str(folder), "--port", str(world.port)),
                *("--access-port", str(world.port + 5), "--tunnel-port", str(world.port + 4)),
                *("--api", api, "--token-file", str(world.token_file), "--tunnel-socket", str(world.edge_socket)),
            ),
            port=world.port,
            ready_url=f"{world.team_url}/cdn-cgi/access/certs",
        ),
    ]
    return [part for part in found if with_metabase or part.name != METABASE]


def connector(world: World) -> Part:
    """The tunnel's connector; it dials out, and starts once a deployment has made the tunnel."""
    return Part(
        name="connector",
        command=(
            *(node_program(world.root), "localcloud/connector/main.mjs", "--edge", world.tunnel_edge),
            *("--token-file", str(world.folder / "tunnel-token")),
            *("--resolve", f"metabase.internal=127.0.0.1:{world.port + 3}"),
            *("--log", str(world.logs / "connector.ndjson")),
        ),
    )


def node_program(root: Path) -> str:
    """The virtual environment's Node.js."""
    path = Path(sys.executable).parent / "node"
    if not path.exists():
        raise LocalCloudError(f"`{path}` is missing", code="node-missing", help=f"run `make setup` in `{root}`")
    return str(path)


def running_pid(world: World, name: str) -> int | None:
    """The process id of a part that runs, or None. A recycled id is told apart by its start time."""
    record = _pid_file(world, name)
    if not record.exists():
        return None
    saved = json.loads(record.read_text())
    return int(saved["pid"]) if _started_at(saved["pid"]) == saved["started"] else None


def start(world: World, part: Part) -> bool:
    """Starts the part unless it runs and waits until it is ready; True where it was started now."""
    if running_pid(world, part.name) is not None:
        _wait_ready(world, part, None)
        return False
    if part.port is not None and port_is_taken(part.port):
        raise LocalCloudError(
            f"port {part.port}, which `{part.name}` needs, is taken by another process",
            code="port-taken",
            help="end that process, or choose other ports: MBGATE_PORT=9480 make demo",
        )
    with (world.logs / f"{part.name}.log").open("ab") as log:
        process = subprocess.Popen(
            part.command,
            cwd=world.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    write_private(_pid_file(world, part.name), json.dumps({"pid": process.pid, "started": _started_at(process.pid)}))
    _wait_ready(world, part, process)
    return True


def stop(world: World, name: str) -> bool:
    """Ends the part that was started here, politely first; True where one ran."""
    pid = running_pid(world, name)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while running_pid(world, name) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        if running_pid(world, name) is not None:
            os.kill(pid, signal.SIGKILL)
    _pid_file(world, name).unlink(missing_ok=True)
    return pid is not None


def _wait_ready(world: World, part: Part, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while part.ready_url is not None:
        if process is not None and process.poll() is not None:
            raise LocalCloudError(
                f"`{part.name}` ended at once: {_last_line(world, part.name)}",
                code="part-ended",
                help=f"its log is `{world.logs / (part.name + '.log')}`",
            )
        if _answers(part.ready_url):
            return
        if time.monotonic() > deadline:
            raise LocalCloudError(
                f"`{part.name}` did not answer within {READY_SECONDS:.0f} s",
                code="part-not-ready",
                help=f"its log is `{world.logs / (part.name + '.log')}`; `make demo-down` stops what runs",
            )
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _last_line(world: World, name: str) -> str:
    lines = (world.logs / f"{name}.log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _pid_file(world: World, name: str) -> Path:
    return world.folder / "run" / f"{name}.pid.json"


def is_running(pid: int, name: str) -> bool:
    """True where a process of that id and program name lives: neither gone, nor a zombie, nor a recycled id."""
    try:
        program = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return False
    return program == name and _started_at(pid) is not None


def _started_at(pid: int) -> str | None:
    """The start time of a living process in clock ticks (`man 5 proc`, field 22); None where it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else fields[19]
