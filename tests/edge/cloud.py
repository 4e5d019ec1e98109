"""A stand-in for the local API: the state document by long polling, and KV."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "test-token-0123456789-abcdefghijklmnopqrstuvwxyz"


class Quiet(ThreadingHTTPServer):
    """Clients that hang up are no news here."""

    def handle_error(self, *_: Any) -> None:
        """Says nothing."""


class Cloud:
    """Serves what `publish` was last given. `kv`: values by key; `entries`: metadata and expiry by key."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        self.revision = 0
        self.changed = threading.Condition()
        self.kv: dict[str, bytes] = {}
        self.entries: dict[str, dict[str, Any]] = {}
        self.closed = False
        self.server = Quiet(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def publish(self, document: dict[str, Any]) -> int:
        """The next revision; answers its number."""
        with self.changed:
            self.revision += 1
            self.document = {**document, "revision": self.revision}
            self.changed.notify_all()
            return self.revision

    def edit(self, change: Callable[[dict[str, Any]], None]) -> int:
        """Publishes a changed copy of the present document."""
        document = json.loads(json.dumps(self.document))
        change(document)
        return self.publish(document)

    def close(self) -> None:
        """Ends the polls and the server."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        self.server.shutdown()


def _handler(cloud: Cloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def _send(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            if status != 304:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _result(self, result: Any, **info: Any) -> None:
            self._send(200, json.dumps({"success": True, "result": result, "result_info": info}).encode())

        def _state(self, after: int) -> None:
            with cloud.changed:
                cloud.changed.wait_for(lambda: cloud.revision > after or cloud.closed, timeout=5)
                if cloud.revision > after:
                    self._send(200, json.dumps(cloud.document).encode())
                else:
                    self._send(304)

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            key = unquote(url.path.rsplit("/", 1)[1])
            if self.headers["authorization"] != f"Bearer {TOKEN}":
                self._send(401)
            elif url.path == "/_local/state":
                self._state(int(query["after"]))
            elif url.path.startswith("/_local/kv/ns1/"):
                self._data(key, body)
            elif url.path.endswith("/ns1/keys"):
                keys = sorted(k for k in cloud.kv if k.startswith(query.get("prefix", "")))
                self._result([{"name": k, **cloud.entries.get(k, {})} for k in keys], cursor="")
            elif "/ns1/metadata/" in url.path:
                self._result(cloud.entries.get(key, {}).get("metadata"))
            elif "/ns1/values/" in url.path:
                head = b"content-type: " + self.headers["content-type"].encode() + b"\r\n\r\n"
                parts = {
                    part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
                    for part in BytesParser().parsebytes(head + body).get_payload()
                }
                cloud.kv[key] = parts["value"]
                cloud.entries[key] = {"metadata": json.loads(parts["metadata"]), **query}
                self._result({})
            else:
                self._send(404)

        def _data(self, key: str, body: bytes) -> None:
            if self.command == "PUT":
                cloud.kv[key] = body
            if self.command == "DELETE":
                cloud.kv.pop(key, None)
            if self.command == "GET" and key not in cloud.kv:
                self._send(404)
            else:
                self._send(200, cloud.kv[key] if self.command == "GET" else b"")

        do_GET = do_PUT = do_DELETE = _any

    return Handler
