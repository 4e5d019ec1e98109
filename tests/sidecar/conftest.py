"""The real sidecar, bundled as it is deployed, in front of a small origin that tells what reached it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest

from infra.metabase.secrets import generate, public_jwks
from infra.render.bundle import sidecar_code

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(sys.executable).parent / "node"
ISSUER = "https://bi.example.com"


class Origin(BaseHTTPRequestHandler):
    """Answers with what it was sent; `/slow` streams, `/gone` waits to be hung up on."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, list[tuple[str, str]], bytes]]
    hung_up: threading.Event

    def log_message(self, *_: object) -> None:
        """Nothing on the test's screen."""

    def _answer(self) -> None:
        body = self._body()
        type(self).seen.append((self.command, self.path, self.headers.items(), body))
        self.send_response(202)
        self.send_header("X-Metabase-Version", "v0.58.1")
        self.send_header("Content-Type", "text/plain")
        if self.path in ("/slow", "/gone"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._stream(20 if self.path == "/slow" else 10_000)
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _stream(self, parts: int) -> None:
        try:
            for _ in range(parts):
                self.wfile.write(b"4\r\nrow\n\r\n")
                self.wfile.flush()
                time.sleep(0.02)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            type(self).hung_up.set()
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_STOLEN = _answer


@dataclass
class Sidecar:
    """A running sidecar, its keys and its origin."""

    port: int
    key: dict[str, Any]
    keys_file: Path
    origin: type[Origin]
    lines: list[str] = field(default_factory=list)

    def proof(self, key: dict[str, Any] | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An assertion as the gateway makes it, with some claims (None: without it) or another key."""
        now, signer = int(time.time()), key or self.key
        told = {"iss": ISSUER, "aud": "metabase", "sub": "person", "iat": now, "exp": now + 60, **claims}
        private = jwt.PyJWK(signer, "ES256").key
        kept = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(kept, private, "ES256", headers={"kid": signer["kid"], **(header or {})})

    def ask(self, method: str, target: str, *headers: tuple[str, str], body: bytes | None = None) -> Any:
        """One request with exactly these headers → status, headers, body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sidecar as it is deployed: one file."""
    file = tmp_path_factory.mktemp("sidecar") / "main.mjs"
    file.write_text(sidecar_code(ROOT))
    return file


@pytest.fixture
def sidecar(code: Path, tmp_path: Path) -> Iterator[Sidecar]:
    """One sidecar with one key, in front of an origin of its own."""
    origin = type("Recorded", (Origin,), {"seen": [], "hung_up": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), origin)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    key, keys_file = generate("es256"), tmp_path / "jwks.json"
    keys_file.write_text(public_jwks(key, ""))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MBGATE_")},
        "MBGATE_UPSTREAM": f"http://127.0.0.1:{server.server_address[1]}",
        "MBGATE_KEYS_FILE": str(keys_file),
        "MBGATE_ISSUER": ISSUER,
        "MBGATE_AUDIENCE": "metabase",
        "MBGATE_PORT": "0",
        "MBGATE_HOST": "127.0.0.1",
    }
    process = subprocess.Popen([NODE, code], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = json.loads(process.stdout.readline())["port"]
    running = Sidecar(port=port, key=json.loads(key), keys_file=keys_file, origin=origin)
    follow = threading.Thread(target=lambda: running.lines.extend(process.stdout or ()), daemon=True)
    follow.start()
    yield running
    process.terminate()
    assert process.wait(10) == 0
    server.shutdown()


@pytest.fixture
def rotate(sidecar: Sidecar) -> Callable[..., None]:
    """Writes the keys anew, as a deployment does, and waits until the sidecar may look."""

    def write(*private: str) -> None:
        sidecar.keys_file.write_text(public_jwks(*private))
        # Docker's uploads have no time of their own, and two keys are as long as two others.
        os.utime(sidecar.keys_file, (0, 0))
        time.sleep(1.1)

    return write
