"""Around every call: the request log, errors in Cloudflare's envelope, the API token."""

from __future__ import annotations

import hmac
import json
import sys
import time
import traceback
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .envelope import ApiError, failure, now

OPEN = "/_local/health"


class Authenticate:
    """Every call but the health check carries the token, compared in constant time."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, or refuses as Cloudflare does: 10000 without a token, 9109 for a wrong one."""
        if scope["type"] != "http" or scope["path"] == OPEN:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal([value for name, value in scope["headers"] if name == b"authorization"])
        await (self._app if refusal is None else refusal)(scope, receive, send)

    def _refusal(self, given: list[bytes]) -> Response | None:
        if len(given) != 1 or not given[0].startswith(b"Bearer "):
            return failure(ApiError(401, 10000, "Authentication error"))
        if not hmac.compare_digest(given[0].removeprefix(b"Bearer "), self._token):
            return failure(ApiError(403, 9109, "Invalid access token"))
        return None


class Log:
    """One line a call: method, path, status, milliseconds; never a body, a query or a token."""

    def __init__(self, app: ASGIApp, *, path: Path) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Writes the line when the answer is known; a fault of this program answers 500, loudly."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            if status:
                raise
            await failure(ApiError(500, 10002, "internal error; see the API's standard error"))(scope, receive, note)
        finally:
            if not scope["path"].startswith("/_local/"):
                self._write(scope, status, time.perf_counter() - started)

    def _write(self, scope: Scope, status: int, seconds: float) -> None:
        line = {
            "time": now(),
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
