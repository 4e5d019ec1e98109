"""Starts the real processes of the local cloud's edge on free ports."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.edge import documents
from tests.edge.cloud import TOKEN, Cloud
from tests.edge.documents import ACCOUNT, TUNNEL
from tests.edge.origin import Origin

ROOT = Path(__file__).resolve().parents[2]
LOCAL = Path(sys.executable).parent / "node"
NODE = str(LOCAL) if LOCAL.exists() else str(shutil.which("node"))
SECONDS = 15.0


def eventually(predicate: Callable[[], Any], what: str = "it", seconds: float = SECONDS) -> Any:
    """The first truthy answer; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (found := predicate()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lines(path: Path) -> list[dict[str, Any]]:
    """The entries of an NDJSON log; none where it does not exist yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def answers(url: str) -> bool:
    """Whether the address answers 200."""
    try:
        return httpx.get(url, trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def tunnel_token(secret: str) -> str:
    """A connector's token."""
    parts = {"a": ACCOUNT, "t": TUNNEL, "s": base64.b64encode(secret.encode()).decode()}
    return base64.b64encode(json.dumps(parts).encode()).decode()


@dataclass
class World:
    """Folder, ports and processes of one edge with its surroundings."""

    folder: Path
    cloud: Cloud
    origin: Origin
    port: int = field(default_factory=free_port)
    access_port: int = field(default_factory=free_port)
    tunnel_port: int = field(default_factory=free_port)
    oidc_port: int = field(default_factory=free_port)
    token: str = field(default_factory=lambda: tunnel_token(secrets.token_hex(16)))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The edge, under the gateway's hostname."""
        return f"http://localhost:{self.port}"

    @property
    def team(self) -> str:
        """The Access team domain."""
        return f"http://127.0.0.1:{self.access_port}"

    @property
    def issuer(self) -> str:
        """The OIDC provider."""
        return f"http://127.0.0.1:{self.oidc_port}"

    def log(self, name: str) -> list[dict[str, Any]]:
        """Entries of `logs/NAME.ndjson`."""
        return lines(self.folder / "logs" / f"{name}.ndjson")

    def spawn(self, program: str, *args: str) -> subprocess.Popen[bytes]:
        """Starts one of the Node programs."""
        with (self.folder / f"{program}.log").open("ab") as log:
            command = [NODE, f"localcloud/{program}/main.mjs", *args]
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def edge_args(self) -> list[str]:
        """The edge's command line."""
        (self.folder / "api-token").write_text(TOKEN + "\n")
        return [
            *("--state", str(self.folder), "--port", str(self.port), "--access-port", str(self.access_port)),
            *("--tunnel-port", str(self.tunnel_port), "--api", self.cloud.url),
            *("--token-file", str(self.folder / "api-token")),
        ]

    def start_edge(self) -> subprocess.Popen[bytes]:
        """Starts the edge and waits until it has read the state."""
        process = self.spawn("edge", *self.edge_args())
        certs = f"{self.team}/cdn-cgi/access/certs"
        eventually(lambda: answers(certs) or process.poll() is not None, "the edge's start")
        assert process.poll() is None, (self.folder / "edge.log").read_text()
        return process

    def start_connector(self, token: str | None = None) -> subprocess.Popen[bytes]:
        """Starts a connector and waits until both of its connections stand."""
        (self.folder / "tunnel-token").write_text((token or self.token) + "\n")
        log = self.folder / "connector.ndjson"
        before = len(lines(log))
        process = self.spawn(
            *("connector", "--edge", f"127.0.0.1:{self.tunnel_port}", "--log", str(log)),
            *("--token-file", str(self.folder / "tunnel-token")),
            *("--resolve", f"origin.internal=127.0.0.1:{self.origin.port}"),
        )
        done = ("connected", "the edge refused the token")
        eventually(lambda: len([e for e in lines(log)[before:] if e["message"] in done]) >= 2, "the connector's start")
        return process

    def start_oidc(self, accounts: list[dict[str, Any]], clients: list[dict[str, Any]]) -> subprocess.Popen[bytes]:
        """Starts the OIDC provider and waits until it answers."""
        (self.folder / "accounts.json").write_text(json.dumps(accounts))
        (self.folder / "clients.json").write_text(json.dumps(clients))
        process = self.spawn(
            *("oidc", "--port", str(self.oidc_port), "--state", str(self.folder)),
            *("--accounts", str(self.folder / "accounts.json"), "--clients", str(self.folder / "clients.json")),
        )
        eventually(lambda: answers(f"{self.issuer}/.well-known/openid-configuration"), "the provider's start")
        return process

    def publish(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Publishes a changed state and waits until the edge has taken it, or refused it."""
        revision = self.cloud.edit(change)
        messages = ("running", "the new state can't run; the former one goes on")
        eventually(
            lambda: [e for e in self.log("edge") if e.get("revision") == revision and e["message"] in messages],
            f"revision {revision}",
        )

    def get(self, path: str, host: str = "localhost", **kwargs: Any) -> httpx.Response:
        """A request to the edge under a hostname."""
        headers = {"Host": f"{host}:{self.port}", **kwargs.pop("headers", {})}
        # Without `verify`, httpx reads every CA certificate anew for each request.
        return httpx.request(
            kwargs.pop("method", "GET"),
            f"{self.url}{path}",
            headers=headers,
            trust_env=False,
            verify=False,  # noqa: S501 - plain http
            timeout=15,
            **kwargs,
        )

    def raw(self, target: str, *more: str, host: str = "localhost") -> tuple[int, str]:
        """One GET, written byte for byte; answers status and body."""
        head = [f"GET {target} HTTP/1.1", f"Host: {host}:{self.port}", "Connection: close", *more, "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall("\r\n".join(head).encode("latin-1"))
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
        text = data.decode("latin-1")
        assert text, f"no answer to {target!r}"
        return int(text.split(" ")[1]), text.partition("\r\n\r\n")[2]

    def stop(self) -> None:
        """Ends every process that was started here, and its surroundings."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=15)
        self.cloud.close()
        self.origin.close()


def whole(world: World) -> dict[str, Any]:
    """The probe under `localhost`, two slow texts, and the origin behind a tunnel."""
    document = documents.empty()
    document["workers"] = [documents.helper(), documents.probe(), documents.text_worker("other", "other")]
    document["domains"] = [documents.domain("localhost", "probe"), documents.domain("other.localhost", "other")]
    document["routes"] = [
        {"pattern": "*.routed.localhost/api/*", "script": "other"},
        {"pattern": "*.routed.localhost/api/off*", "script": None},
    ]
    document["tunnels"] = [{"id": TUNNEL, "name": "tunnel", "token": world.token, "config": None}]
    document["connectivity_services"] = [
        {
            "service_id": "svc1",
            "name": "origin",
            "type": "http",
            "http_port": 3000,
            "host": {"hostname": "origin.internal", "resolver_network": {"tunnel_id": TUNNEL}},
        }
    ]
    return document
