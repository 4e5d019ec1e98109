"""The gateway's surroundings as tests need them: an origin, an OpenID provider, a key-value store and an audit sink.

One HTTP server on loopback plays all four. Everything it receives is kept as it came, so that a test can say what the
Worker sent and what it did not.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.worker.fake_metabase import Metabase
from tests.worker.messages import Reply, Seen


class Provider:
    """An OpenID provider's token endpoint and keys. `codes`: what each code is redeemed for."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.jwks: Any = {"keys": []}
        self.down = False

    def handle(self, seen: Seen) -> Reply:
        """The answer to one request."""
        if self.down:
            return Reply(503, b"down")
        if seen.target == "/jwks":
            body = self.jwks if isinstance(self.jwks, bytes) else json.dumps(self.jwks).encode()
            return Reply(200, body, {"content-type": "application/json"})
        code = parse_qs(seen.body.decode()).get("code", [""])[0]
        if code not in self.codes:
            return Reply(400, b'{"error":"invalid_grant"}', {"content-type": "application/json"})
        tokens = {"id_token": self.codes.pop(code), "access_token": "secret-access-token", "token_type": "Bearer"}
        return Reply(200, json.dumps(tokens).encode(), {"content-type": "application/json"})


class Store:
    """workerd's side of a KV namespace: GET and PUT by key."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.reads = 0

    def handle(self, seen: Seen) -> Reply:
        """The answer to one request."""
        key = unquote(urlsplit(seen.target).path[1:])
        if seen.method == "PUT":
            self.values[key] = seen.body
            return Reply(204)
        self.reads += 1
        return Reply(200, self.values[key]) if key in self.values else Reply(404)


class World:
    """All fakes behind one port; `x-fake` says which one a request is for (set by workerd's configuration)."""

    def __init__(self) -> None:
        self.metabase, self.provider, self.store = Metabase(), Provider(), Store()
        self.seen: list[tuple[str, Seen]] = []
        self.points: list[dict[str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where workerd finds the fakes."""
        return int(self.server.server_address[1])

    def reset(self) -> None:
        """New fakes, nothing seen."""
        self.metabase, self.provider, self.store = Metabase(), Provider(), Store()
        self.forget()

    def forget(self) -> None:
        """Drops what was seen so far."""
        self.seen.clear()
        self.points.clear()

    def of(self, fake: str) -> list[Seen]:
        """What one fake received."""
        return [seen for name, seen in list(self.seen) if name == fake]

    def handle(self, fake: str, seen: Seen) -> Reply:
        """Routes to the fake."""
        self.seen.append((fake, seen))
        if fake == "sink":
            self.points.append(json.loads(seen.body))
            return Reply(204)
        targets = {"origin": self.metabase, "outside": self.provider, "kv": self.store}
        return targets[fake].handle(seen)


def _handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            headers = list(self.headers.items())
            fake = self.headers["x-fake"]
            kept = [(name, value) for name, value in headers if name.lower() != "x-fake"]
            seen = Seen(self.headers.get("host", ""), self.command, self.path, kept, self._body())
            reply = world.handle(fake, seen)
            try:
                self._wait(reply.wait)
                self._send(reply)
            except (BrokenPipeError, ConnectionResetError):
                if reply.on_broken:
                    reply.on_broken()
                self.close_connection = True

        def _wait(self, seconds: float) -> None:
            ready, _, _ = select.select([self.connection], [], [], seconds) if seconds else ([], [], [])
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError

        def _body(self) -> bytes:
            if "chunked" in (self.headers.get("transfer-encoding") or ""):
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("content-length") or 0))

        def _send(self, reply: Reply) -> None:
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.parts is None:
                if reply.status not in (204, 304):
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                return
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for part in [*reply.parts, b""]:
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
                time.sleep(reply.pause)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = serve

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    return Handler
