"""The local Cloudflare API for tests: in this process, or as the real one on a free port."""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from localcloud.api.app import make_app
from localcloud.api.store import Store
from localcloud.api.world import World

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "0123456789abcdef0123456789abcdef"
ZONE = "fedcba9876543210fedcba9876543210"
TOKEN = "local-token-of-at-least-forty-characters-0"
MODULE = {
    "name": "i.mjs",
    "content_type": "application/javascript+module",
    "content_base64": base64.b64encode(b"export default {}").decode(),
}


@dataclass(kw_only=True)
class Api:
    """The API in this process, over a state folder that outlives it."""

    folder: Path
    client: TestClient = field(init=False)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Starts it over what the folder holds."""
        self.store = Store(self.folder / "cloud.sqlite")
        world = World(
            store=self.store,
            account_id=ACCOUNT,
            zone_id=ZONE,
            zone_name="example.com",
            team_url="http://127.0.0.1:8485",
            token=TOKEN,
        )
        app = make_app(world, self.folder / "log.ndjson")
        self.client = TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}, raise_server_exceptions=False)

    def restart(self) -> None:
        """Ends it and starts it again."""
        self.store.close()
        self.open()

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """A call below `/client/v4`; `A` at the start of the path is the account, `Z` the zone."""
        full = {"A": f"/accounts/{ACCOUNT}", "Z": f"/zones/{ZONE}"}.get(path[0], path[0]) + path[1:]
        if body is not None:
            options["json"] = body
        response: httpx.Response = self.client.request(method, "/client/v4" + full, **options)
        return response

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The result of a call that must succeed."""
        response = self.call(method, path, body, **options)
        answer = response.json()
        assert answer["success"] is True, answer
        assert answer["errors"] == []
        return answer["result"]

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, int, str]:
        """Status, code and message of a call that must fail, in Cloudflare's form."""
        response = self.call(method, path, body, **options)
        answer = response.json()
        assert answer["success"] is False, answer
        assert answer["result"] is None
        assert response.headers["x-should-retry"] == "false"
        return response.status_code, answer["errors"][0]["code"], answer["errors"][0]["message"]

    def state(self) -> Any:
        """The document that the edge reads."""
        response = self.client.get("/_local/state")
        assert response.status_code == 200
        return response.json()

    def worker(self, name: str, bindings: list[dict[str, Any]] | None = None) -> Any:
        """A Worker with one version at 100 %."""
        worker = self.ok("POST", "A/workers/workers", {"name": name})
        version = self.version(worker["id"], bindings or [])
        shares = [{"percentage": 100, "version_id": version["id"]}]
        self.ok("POST", f"A/workers/scripts/{name}/deployments", {"strategy": "percentage", "versions": shares})
        return worker

    def version(self, worker_id: str, bindings: list[dict[str, Any]], **more: Any) -> Any:
        """A version of one module."""
        body = {"main_module": "i.mjs", "modules": [MODULE], "bindings": bindings, **more}
        return self.ok("POST", f"A/workers/workers/{worker_id}/versions", body)

    def tunnel(self, name: str = "t") -> Any:
        """A remotely configured tunnel."""
        return self.ok("POST", "A/cfd_tunnel", {"name": name, "config_src": "cloudflare"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """The real process."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    port: int

    @property
    def base_url(self) -> str:
        """What clients take as the API's address."""
        return f"{self.url}/client/v4"


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int) -> subprocess.Popen[str]:
    """`python -m localcloud.api` as the local world starts it."""
    token_file = folder / "token"
    token_file.write_text(TOKEN + "\n")
    arguments = {
        "--state": folder,
        "--port": port,
        "--token-file": token_file,
        "--account": ACCOUNT,
        "--zone-id": ZONE,
        "--zone-name": "example.com",
        "--team-url": "http://127.0.0.1:8485",
    }
    command = [sys.executable, "-m", "localcloud.api", *(str(part) for pair in arguments.items() for part in pair)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until_healthy(process: subprocess.Popen[str], url: str) -> None:
    """Returns when it answers; fails with its words if it ends."""
    for _ in range(200):
        if process.poll() is not None:
            raise AssertionError(process.communicate())
        try:
            if httpx.get(f"{url}/_local/health", trust_env=False).json() == {"status": "ok"}:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the API does not answer")
