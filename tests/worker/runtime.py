"""The real bundles, gateway and broker, in plain workerd, with the fakes around them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from tests.worker.deployment import HOST, PROTO, ROOT, Deployment, workerd_config
from tests.worker.fakes import World


def _program() -> Path:
    found = sorted((ROOT / "node_modules" / "@cloudflare").glob("workerd-*/bin/workerd"))
    assert found, "workerd is missing: run `make setup`"
    return found[0]


@dataclass
class Answer:
    """One answer: `headers` are lower-cased and joined, `cookies` are the Set-Cookie lines."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def cookie(self, name: str) -> str | None:
        """The value that a cookie was set to, if it was."""
        found = [line.split(";")[0][len(name) + 1 :] for line in self.cookies if line.startswith(f"{name}=")]
        return found[-1] if found else None


class Runtime:
    """A running workerd. `lines` holds what the Workers logged."""

    def __init__(self, deployment: Deployment, world: World) -> None:
        self.deployment, self.world = deployment, world
        self.folder = Path(tempfile.mkdtemp(prefix="mbgate-worker-"))
        (self.folder / "config.capnp").write_text(workerd_config(deployment, world))
        listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in ("gateway", "broker", "cron")}
        self.ports = {name: one.getsockname()[1] for name, one in listeners.items()}
        command = [str(_program()), "serve", "--experimental", str(self.folder / "config.capnp")]
        for name, one in listeners.items():
            command += ["--socket-fd", f"{name}={one.fileno()}"]
        if shutil.which("setpriv"):
            command[:0] = ["setpriv", "--pdeathsig", "KILL"]
        self.lines: list[str] = []
        self.is_warm = False
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[one.fileno() for one in listeners.values()],
            env={"PATH": os.environ["PATH"]},
        )
        for one in listeners.values():
            one.close()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def close(self) -> None:
        """Ends workerd and removes its files."""
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)

    def logged(self) -> list[dict[str, Any]]:
        """What the Workers wrote with console.log and console.error, as JSON."""
        found = []
        for line in list(self.lines):
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            message = entry.get("message", "")
            if message.startswith("{"):
                found.append(json.loads(message))
        return found

    def events(self, count: int) -> list[dict[str, Any]]:
        """Exactly `count` access events; waits for them, and a moment longer for one too many."""
        deadline = time.monotonic() + 5
        of_access = lambda: [one for one in self.logged() if one["type"] == "mbgate.access"]  # noqa: E731
        while len(of_access()) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(of_access()) == count, self.lines[-5:]
        return of_access()

    def points(self, count: int) -> list[dict[str, Any]]:
        """Exactly `count` data points, in any order; waits for them, and a moment longer for one too many."""
        deadline = time.monotonic() + 5
        while len(self.world.points) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(self.world.points) == count
        return list(self.world.points)

    def ask(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        body: bytes | str | None = None,
        *,
        host: str = HOST,
        scheme: str = "https",
        port: str = "gateway",
    ) -> Answer:
        """Sends a request with the target exactly as given."""
        connection = HTTPConnection("127.0.0.1", self.ports[port], timeout=20)
        try:
            response = self.start(connection, method, target, headers, body, host=host, scheme=scheme)
            data = response.read()
        finally:
            connection.close()
        pairs = [(name.lower(), value) for name, value in response.getheaders()]
        joined = {name: ", ".join(v for n, v in pairs if n == name) for name, _ in pairs}
        return Answer(response.status, joined, [v for n, v in pairs if n == "set-cookie"], data)

    def start(
        self,
        connection: HTTPConnection,
        method: str,
        target: str,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        body: bytes | str | None = None,
        *,
        host: str = HOST,
        scheme: str = "https",
    ) -> HTTPResponse:
        """Sends a request and answers once its head has come."""
        data = body.encode() if isinstance(body, str) else body
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        connection.putheader(PROTO, scheme)
        for name, value in headers.items() if isinstance(headers, dict) else headers or []:
            connection.putheader(name, value)
        if data is not None:
            connection.putheader("Content-Length", str(len(data)))
        # An answer may come, and the connection close, before a body that is too large has been sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(data)
        return connection.getresponse()

    def raw(self, request: bytes) -> int:
        """Sends bytes and answers the status; 0 where the connection is closed without one."""
        with socket.create_connection(("127.0.0.1", self.ports["gateway"]), timeout=10) as connection:
            connection.sendall(request)
            head = connection.recv(4096)
        return int(head.split(b" ")[1]) if head else 0

    def cron(self) -> dict[str, Any]:
        """Runs the cron trigger."""
        answer = self.ask("GET", "/", host="cron", port="cron")
        assert answer.status == 200, answer.body
        return dict(answer.json)

    def warm(self) -> None:
        """One request, so that start-up and the first look at the key store are behind us."""
        if self.is_warm:
            return
        self.is_warm = True
        self.world.reset()
        self.ask("GET", "/_gateway/jwks.json")
        deadline = time.monotonic() + 5
        while self.world.store.reads == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.forget()

    def forget(self) -> None:
        """Drops everything that was logged and seen."""
        time.sleep(0.03)
        self.lines.clear()
        self.world.forget()
