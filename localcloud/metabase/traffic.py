"""Around every request: the log that tests count, what a booting Metabase answers, the headers that it always sends."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import answer
from .instance import VERSION, Instance

NO_CACHE = b"max-age=0, no-cache, must-revalidate, proxy-revalidate"
INITIALIZING = "Metabase is still initializing. Please sit tight..."


class Log:
    """Appends lines to a private file."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file: int | None = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def write(self, line: dict[str, Any]) -> None:
        """One line, at once; none after the end."""
        with self._lock:
            if self._file is None:
                return
            os.write(self._file, (json.dumps(line, ensure_ascii=False) + "\n").encode())

    def close(self) -> None:
        """Ends the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file = None


class Traffic:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, instance: Instance, log: Log) -> None:
        self._app, self._instance, self._log = app, instance, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; its line is in the log before the end of its answer leaves, or when it broke off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        line, path = _line(scope), scope["path"]
        scope.setdefault("state", {})["user_id"] = None
        # The documented operations end in `/` or not; the server knows both.
        if path.startswith("/api/") and path.endswith("/"):
            scope["path"] = path.rstrip("/")

        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                line["status"] = message["status"]
                _add_headers(message, path)
            elif not message.get("more_body", False):
                line["complete"] = True
                self._write(line, scope)
            await send(message)

        try:
            await (self._booting(scope) or self._app)(scope, receive, record)
        finally:
            if not line["complete"]:
                self._write(line, scope)

    def _write(self, line: dict[str, Any], scope: Scope) -> None:
        self._log.write({**line, "user_id": scope["state"]["user_id"]})

    def _booting(self, scope: Scope) -> ASGIApp | None:
        progress = self._instance.progress()
        if progress >= 1 or not scope["path"].startswith("/api/"):
            return None
        if scope["path"] == "/api/health":
            return answer({"status": "initializing", "progress": round(progress, 2)}, 503)
        return answer(INITIALIZING, 503)


def _line(scope: Scope) -> dict[str, Any]:
    names = [name.decode("latin-1") for name, _ in scope["headers"]]
    ids = [value.decode("latin-1") for name, value in scope["headers"] if name == b"mbgate-request-id"]
    line = {"time": time.time(), "method": scope["method"], "path": scope["path"], "status": None, "complete": False}
    return {**line, "headers": names, "request_id": ids[0] if ids else None}


def _add_headers(message: Message, path: str) -> None:
    have = {name.lower() for name, _ in message["headers"]}
    extra = [(b"x-metabase-version", VERSION["tag"].encode()), (b"x-content-type-options", b"nosniff")]
    if b"cache-control" not in have:
        extra.append((b"cache-control", NO_CACHE))
    if not path.startswith("/app/"):
        extra += [(b"x-frame-options", b"DENY"), (b"x-permitted-cross-domain-policies", b"none")]
    message["headers"] = [*message["headers"], *extra]
