"""The application: authentication, the account check, routing, the request log."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from . import access, dns, kv, scripts, state, tunnels, workers
from .envelope import ApiError, failure, now, ok
from .world import World, world_of

Next = Callable[[Request], Awaitable[Response]]


async def account(request: Request) -> Response:
    """GET /accounts/{account}"""
    return ok({"id": world_of(request).account_id, "name": "local", "type": "standard", "settings": {}})


async def zone(request: Request) -> Response:
    """GET /zones/{zone}"""
    world = world_of(request)
    if request.path_params["zone"] != world.zone_id:
        raise ApiError(404, 7003, "Could not route to that zone, perhaps your object identifier is invalid?")
    return ok(world.zone)


async def zones(request: Request) -> Response:
    """GET /zones"""
    world, name = world_of(request), request.query_params.get("name")
    return ok([world.zone] if name in (None, world.zone_name) else [])


async def verify(_: Request) -> Response:
    """GET /user/tokens/verify"""
    return ok({"id": "ed17574386854bf78a67040be0a770b0", "status": "active"})


OWN = [
    Route("/accounts/{account}", account, methods=["GET"]),
    Route("/zones", zones, methods=["GET"]),
    Route("/zones/{zone}", zone, methods=["GET"]),
    Route("/user/tokens/verify", verify, methods=["GET"]),
]


class Authenticate(BaseHTTPMiddleware):
    """Every call but the health check carries the token; account paths name the one account."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Refuses as Cloudflare does: 9109 for a wrong token, 10000 for a missing one, 7003 for another account."""
        if request.url.path == "/_local/health":
            return await call_next(request)
        world: World = request.app.state.world
        given = request.headers.get("authorization", "")
        if not given.startswith("Bearer "):
            return failure(ApiError(401, 10000, "Authentication error"))
        if not hmac.compare_digest(given.removeprefix("Bearer ").encode(), world.token.encode()):
            return failure(ApiError(403, 9109, "Invalid access token"))
        parts = request.url.path.split("/")
        if "accounts" in parts and parts[-1] != "accounts":
            named = parts[parts.index("accounts") + 1]
            if named != world.account_id:
                return failure(
                    ApiError(
                        404, 7003, f"Could not route to /accounts/{named}, perhaps your object identifier is invalid?"
                    )
                )
        return await call_next(request)


class Log(BaseHTTPMiddleware):
    """One line a call: method, path, status, milliseconds; never a body or a token."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Writes the line when the answer is known."""
        started = time.perf_counter()
        response = await call_next(request)
        line = {
            "time": now(),
            "method": request.method,
            "path": request.url.path,
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
        }
        if not request.url.path.startswith("/_local/"):
            with Path(request.app.state.log).open("a") as log:
                log.write(json.dumps(line) + "\n")
        return response


async def _on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for that class
    return failure(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for that class
    if error.status_code == 405:
        return failure(ApiError(405, 10405, f"Method {request.method} not allowed for {request.url.path}"))
    message = f"Could not route to {request.url.path}, perhaps your object identifier is invalid?"
    return failure(ApiError(404 if error.status_code == 404 else error.status_code, 7003, message))


def make_app(world: World, log: Path) -> Starlette:
    """The ASGI application over one world."""
    routes: list[BaseRoute] = [
        Mount(
            "/client/v4",
            routes=[*OWN, *kv.ROUTES, *workers.ROUTES, *scripts.ROUTES, *tunnels.ROUTES, *dns.ROUTES, *access.ROUTES],
        ),
        Route("/_local/health", state.health),
        *state.ROUTES,
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Log), Middleware(Authenticate)],
        exception_handlers={ApiError: _on_api_error, HTTPException: _on_http_error},
    )
    app.state.world, app.state.log = world, log
    state.signing_keys(world)
    return app
