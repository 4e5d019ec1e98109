"""A proxy between the provider and the local API that writes down what it sees, in the form of the wire recording."""

from __future__ import annotations

import email.parser
import email.policy
import http.client
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Recorder:
    """Forwards to `upstream` (a loopback port); `requests` holds each request in order."""

    def __init__(self, upstream: int) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                kind = self.headers.get("content-type") or ""
                recorder.requests.append(describe(self.command, self.path, kind, body))
                connection = http.client.HTTPConnection("127.0.0.1", upstream, timeout=60)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                recorder.answers.append((self.command, self.path, answer.status, content))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                if answer.status not in (204, 304):
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                """The requests are the log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/client/v4"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def describe(method: str, path: str, kind: str, body: bytes) -> dict[str, Any]:
    """One request as a line of the recording."""
    short = kind.partition(";")[0]
    content: Any = None
    if short == "multipart/form-data":
        content = _parts(kind, body)
    elif body:
        content = json.loads(body)
    return {"method": method, "path": path, "content_type": short, "body": content}


def _parts(kind: str, body: bytes) -> list[list[Any]]:
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + body
    )
    parts = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        kind = part.get_content_type() if "content-type" in part else None
        parts.append([name, part.get_filename(), kind, part.get_payload(decode=True).decode()])
    return parts


def substitute(request: Mapping[str, Any], replacements: Mapping[str, str]) -> dict[str, Any]:
    """The request with each found text replaced, as the recording replaced ids with placeholders."""
    text = json.dumps(request)
    for found, placeholder in sorted(replacements.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(found, placeholder)
    replaced: dict[str, Any] = json.loads(text)
    return replaced
