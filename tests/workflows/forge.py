"""A forge on loopback, in the parts that the policy review uses.

Its REST API keeps what it is sent, records calls, pages its lists by two, and fails where a test says so.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

PAGE = 2


@dataclass
class Forge:
    """`answers`: path to what GET answers. `comments`: the paths of lists that POST adds to."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    fails: list[tuple[str, str, int]] = field(default_factory=list)
    author: dict[str, Any] = field(default_factory=dict)
    author_key: str = "user"
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        """Every call that isn't a GET."""
        return [call for call in self.calls if call[0] != "GET"]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and body."""
        for verb, pattern, status in self.fails:
            if verb == method and re.search(pattern, path):
                return status, {"message": "the forge fails\n::set-output name=x::y"}
        if method == "POST" and path.endswith(("/comments", "/notes")):
            entry = {"id": 1000 + len(self.calls), self.author_key: self.author, "body": body["body"]}
            self.answers[path].append(entry)
            return 201, entry
        if method in ("PATCH", "PUT"):
            identity = int(path.rsplit("/", 1)[1])
            lists = [value for value in self.answers.values() if isinstance(value, list)]
            for entry in (entry for entries in lists for entry in entries if entry.get("id") == identity):
                entry["body"] = body["body"]
                return 200, entry
            return 404, {"message": "Not Found"}
        if method == "POST" and path.endswith("/rerun"):
            return 201, {}
        return (200, self.answers[path]) if path in self.answers else (404, {"message": f"no {path}"})


class _Handler(BaseHTTPRequestHandler):
    forge: Forge

    def _serve(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.forge.calls.append((self.command, url.path, body))
        self.forge.headers.append(dict(self.headers))
        status, found = self.forge.answer(self.command, url.path, body)
        query = parse_qs(url.query)
        link = ""
        if status == 200 and isinstance(found, list):
            page = int(query.get("page", ["1"])[0])
            if len(found) > page * PAGE:
                following = urlencode({**{k: v[0] for k, v in query.items()}, "page": page + 1})
                link = f'<{self.forge.url}{url.path}?{following}>; rel="next", <{self.forge.url}/x>; rel="last"'
            found = found[(page - 1) * PAGE : page * PAGE]
        data = json.dumps(found).encode()
        self.send_response(status)
        if link:
            self.send_header("Link", link)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def running() -> Iterator[Forge]:
    """A forge that answers until the block ends."""
    forge = Forge()
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    forge.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
