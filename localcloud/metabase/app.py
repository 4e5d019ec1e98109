"""The application: API routes, the page for every other address, the request log."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from . import answers, content, people, system
from .auth import ADMINISTRATORS, ALL_USERS, Refused, Throttle, user_of
from .context import VERSION, Context, refusal
from .sample import make_sample_database
from .store import Store

WEB = Path(__file__).parent / "web"
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]


def _assets() -> dict[str, tuple[bytes, str]]:
    found = {}
    for name, kind in (("app.js", "text/javascript"), ("app.css", "text/css")):
        data = (WEB / name).read_bytes()
        stem, ending = name.split(".")
        found[f"/app/dist/{stem}.{hashlib.sha256(data).hexdigest()[:16]}.{ending}"] = (data, kind)
    return found


ASSETS = _assets()


async def asset(request: Request) -> Response:
    """GET /app/dist/*: hashed names, immutable"""
    found = ASSETS.get(request.url.path)
    if found is None:
        return PlainTextResponse("Not found.", status_code=404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found[0], media_type=found[1], headers=headers)


async def page(request: Request) -> Response:
    """Every unknown GET is the application's page, with a nonce of its own"""
    if request.url.path.startswith("/api/") or request.method != "GET":
        return unknown(request)
    nonce = secrets.token_urlsafe(16)
    script, style = (next(name for name in ASSETS if name.endswith(ending)) for ending in (".js", ".css"))
    text = (WEB / "index.html").read_text()
    text = text.replace("{{nonce}}", nonce).replace("{{script}}", script).replace("{{style}}", style)
    sources = "style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'"
    csp = f"default-src 'none'; script-src 'nonce-{nonce}'; {sources}"
    return HTMLResponse(text, headers={"Content-Security-Policy": csp})


def unknown(request: Request) -> Response:
    """What Metabase says of an operation that it doesn't have, and a line for whoever reads the log"""
    with (request.app.state.folder / "unknown.ndjson").open("a") as log:
        log.write(json.dumps({"method": request.method, "path": request.url.path}) + "\n")
    return PlainTextResponse("API endpoint does not exist.", status_code=404)


class Log(BaseHTTPMiddleware):
    """One line a request: method, path, status, user, the names of its headers; while initializing, 503."""

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answers, then writes the line."""
        left = request.app.state.ready_at - time.monotonic()
        if left > 0 and request.url.path.startswith("/api/"):
            response = self._initializing(request, left)
        else:
            response = await call_next(request)
        response.headers["x-metabase-version"] = VERSION
        user = user_of(request.app.state.context.store, request)
        line = {
            "time": time.time(),
            "method": request.method,
            "path": request.url.path,
            "status": response.status_code,
            "user": user["id"] if user else None,
            "headers": [name.decode() for name, _ in request.headers.raw],
            "request_id": request.headers.get("mbgate-request-id"),
        }
        with (request.app.state.folder / "requests.ndjson").open("a") as log:
            log.write(json.dumps(line) + "\n")
        return response

    def _initializing(self, request: Request, left: float) -> Response:
        if request.url.path == "/api/health":
            progress = max(0.0, 1 - left / request.app.state.boot_seconds)
            return JSONResponse({"status": "initializing", "progress": round(progress, 2)}, status_code=503)
        return PlainTextResponse("Metabase is still initializing. Please sit tight...", status_code=503)


async def _on_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for that class
    return refusal(error)


def make_app(folder: Path, *, setup_token: str | None = None, boot_seconds: float = 0) -> Starlette:
    """One instance with its state in `folder`."""
    store = Store(folder)
    if store.row("SELECT 1 AS x FROM grp") is None:
        with store.change():
            for number, name in ((ALL_USERS, "All Users"), (ADMINISTRATORS, "Administrators")):
                store.run("INSERT INTO grp VALUES (?, ?)", number, name)
    if store.setting("setup-token") is None:
        store.set_setting("setup-token", setup_token or system.new_setup_token())
    sample = folder / "sample.sqlite"
    make_sample_database(sample)
    routes = [
        *system.ROUTES,
        *people.ROUTES,
        *content.ROUTES,
        *answers.ROUTES,
        Route("/app/dist/{name}", asset),
        Route("/{path:path}", page, methods=METHODS),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Log)], exception_handlers={Refused: _on_refused})
    token = str(store.setting("setup-token"))
    app.state.context = Context(store=store, throttle=Throttle(), sample=sample, setup_token=token)
    app.state.folder, app.state.boot_seconds = folder, max(boot_seconds, 0.001)
    app.state.ready_at = time.monotonic() + boot_seconds
    return app
