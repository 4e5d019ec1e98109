"""The private origin: records requests byte for byte, streams, and notices who hangs up."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.edge.cloud import Quiet


class Origin:
    """`seen`: request lines and headers in order; `gone`: set once a client has left `/endless`."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.gone = threading.Event()
        self.server = Quiet(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Ends the server."""
        self.server.shutdown()


def _handler(origin: Origin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def _any(self) -> None:
            target = self.raw_requestline.decode("latin-1").split(" ")[1]
            headers = [[name.lower(), value] for name, value in self.headers.items()]
            record = {"method": self.command, "target": target, "headers": headers}
            origin.seen.append(record)
            if target.startswith("/endless"):
                self._stream_until_gone()
            elif target.startswith("/echo-stream"):
                self._echo_stream()
            else:
                self._answer(record)

        def _answer(self, record: dict[str, Any]) -> None:
            body = json.dumps({**record, "body": self._read().decode()}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
            self.send_header("Connection", "X-Hop")
            self.send_header("X-Hop", "1")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _chunks(self) -> Any:
            while size := int(self.rfile.readline().strip() or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def _read(self) -> bytes:
            if "chunked" in self.headers.get("transfer-encoding", ""):
                return b"".join(self._chunks())
            return self.rfile.read(int(self.headers.get("content-length") or 0))

        def _begin(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()

        def _send_chunk(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def _echo_stream(self) -> None:
            self._begin()
            for chunk in self._chunks():
                self._send_chunk(chunk)
            self.wfile.write(b"0\r\n\r\n")

        def _stream_until_gone(self) -> None:
            self._begin()
            try:
                while True:
                    self._send_chunk(b"tick\n")
                    time.sleep(0.02)
            except OSError:
                origin.gone.set()
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (TimeoutError, OSError):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _any

    return Handler
