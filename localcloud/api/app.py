"""The application: the account's own endpoints, routing, errors."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from . import access, connectivity, dns, domains, kv, schedules, scripts, state, tunnels, versions, workers
from .endpoints import PAGING, PREFIX, endpoint, listed
from .envelope import ApiError, failure, ok, unroutable
from .middleware import Authenticate, Log
from .world import World, world_of


async def account(request: Request) -> Response:
    """GET /accounts/{account}"""
    return ok(world_of(request).account)


async def accounts(request: Request) -> Response:
    """GET /accounts"""
    return listed(request, [world_of(request).account], "name", per_page=20)


async def zone(request: Request) -> Response:
    """GET /zones/{zone}"""
    return ok(world_of(request).zone)


async def zones(request: Request) -> Response:
    """GET /zones"""
    return listed(request, [world_of(request).zone], "name", "status", per_page=20)


async def verify(_: Request) -> Response:
    """GET /user/tokens/verify"""
    message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return ok({"id": "ed17574386854bf78a67040be0a770b0", "status": "active"}, messages=[message])


OWN = [
    endpoint("GET", "/accounts", accounts, *PAGING, "name"),
    endpoint("GET", "/accounts/{account}", account),
    endpoint("GET", "/zones", zones, *PAGING, "name", "status"),
    endpoint("GET", "/zones/{zone}", zone),
    endpoint("GET", "/user/tokens/verify", verify),
    endpoint("GET", "/accounts/{account}/tokens/verify", verify),
]
FAMILIES = (kv, workers, versions, scripts, schedules, domains, tunnels, connectivity, dns, access)


async def _on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for that class
    return failure(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for that class
    path = request.url.path.removeprefix(PREFIX)
    if error.status_code == 405:
        return failure(ApiError(405, 7001, f"Method {request.method} not available for that URI"))
    if error.status_code == 404:
        return failure(unroutable(path))
    return failure(ApiError(error.status_code, 10001, str(error.detail)))


def make_app(world: World, log: Path) -> Starlette:
    """The ASGI application over one world; `log` takes a line a call."""
    state.signing_keys(world)
    app = Starlette(
        routes=[*OWN, *(route for family in FAMILIES for route in family.ROUTES), *state.ROUTES],
        middleware=[Middleware(Log, path=log), Middleware(Authenticate, token=world.token)],
        exception_handlers={ApiError: _on_api_error, HTTPException: _on_http_error},
    )
    # Cloudflare redirects nothing, and a redirect would hide a client's wrong path.
    app.router.redirect_slashes = False
    app.state.world, app.state.closing = world, False
    return app
