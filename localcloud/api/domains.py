"""Which hostnames and paths reach a Worker: custom domains and routes.

Source: https://developers.cloudflare.com/workers/configuration/routing/
"""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .endpoints import Json, endpoint, json_body
from .envelope import ApiError, Strict, hex_id, ok, parse
from .workers import by_name
from .world import World, found, world_of

HOSTNAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PATTERN = re.compile(r"(https?://)?(\*\.?)?(?P<host>[^/*\s:]+)(/[^*\s?]*\*?)?")
FILTERS = ("hostname", "service", "environment", "zone_id", "zone_name")


class Domain(Strict):
    """Body of a custom domain."""

    hostname: str
    service: str
    zone_id: str | None = None
    zone_name: str | None = None
    environment: str | None = None


async def put_domain(request: Request) -> Response:
    """PUT …/workers/domains: attaches a hostname; the same hostname and Worker again change nothing"""
    world, body = world_of(request), parse(Domain, await json_body(request))
    hostname = body.hostname.lower()
    _check_domain(world, body, hostname)
    existing = next((d for d in world.store.list("domain") if d["hostname"] == hostname), None)
    if existing and existing["service"] != body.service:
        raise ApiError(409, 100116, f"Hostname '{hostname}' is already attached to the Worker {existing['service']}.")
    domain = existing or {
        "id": hex_id(),
        "hostname": hostname,
        "service": body.service,
        "environment": body.environment or "production",
        "zone_id": world.zone_id,
        "zone_name": world.zone_name,
        "cert_id": hex_id(),
    }
    if existing is None:
        world.store.put("domain", domain["id"], domain)
    return ok(domain)


def _check_domain(world: World, body: Domain, hostname: str) -> None:
    if body.zone_id not in (None, world.zone_id) or body.zone_name not in (None, world.zone_name):
        raise ApiError(403, 10001, "the zone does not belong to this account")
    if not HOSTNAME.fullmatch(hostname) or not world.owns(hostname):
        raise ApiError(400, 10001, f"hostname '{hostname}' is not part of zone '{world.zone_name}'")
    if by_name(world, body.service) is None:
        raise ApiError(404, 10007, f"This Worker does not exist on your account: '{body.service}'")
    records = [r for r in world.store.list("dns_record") if r["name"] == hostname]
    if any(r["type"] in ("A", "AAAA", "CNAME") for r in records):
        raise ApiError(
            409,
            100117,
            f"Hostname '{hostname}' already has externally managed DNS records (A, CNAME, etc). "
            "Delete them first or try a different hostname.",
        )


async def list_domains(request: Request) -> Response:
    """GET …/workers/domains"""
    wanted = dict(request.query_params)
    domains = world_of(request).store.list("domain")
    return ok([d for d in domains if all(d[field] == value for field, value in wanted.items())])


async def get_domain(request: Request) -> Response:
    """GET …/workers/domains/{id}"""
    return ok(found(world_of(request), "domain", request.path_params["domain"], "domain not found", 100114))


async def delete_domain(request: Request) -> Response:
    """DELETE …/workers/domains/{id}"""
    world = world_of(request)
    domain = found(world, "domain", request.path_params["domain"], "domain not found", 100114)
    world.store.delete("domain", domain["id"])
    return ok(None)


class RouteBody(Strict):
    """Body of a route; without a script it keeps requests from any Worker."""

    pattern: str
    script: str | None = None


def _route(world: World, body: RouteBody, route_id: str) -> Json:
    match = PATTERN.fullmatch(body.pattern)
    if not match or not world.owns(match["host"].lower()):
        raise ApiError(400, 10022, f"invalid route pattern '{body.pattern}' for zone '{world.zone_name}'")
    if any(r["pattern"] == body.pattern and r["id"] != route_id for r in world.store.list("route")):
        raise ApiError(409, 10020, "A route with the same pattern already exists.")
    if body.script is not None and by_name(world, body.script) is None:
        raise ApiError(404, 10019, f"The specified script '{body.script}' does not exist")
    route: dict[str, Any] = {"id": route_id, "pattern": body.pattern}
    return route if body.script is None else {**route, "script": body.script}


def _found_route(request: Request) -> Json:
    return found(world_of(request), "route", request.path_params["route"], "Route not found", 10009)


async def create_route(request: Request) -> Response:
    """POST …/workers/routes"""
    world, body = world_of(request), parse(RouteBody, await json_body(request))
    route = _route(world, body, hex_id())
    world.store.put("route", route["id"], route)
    return ok(route)


async def list_routes(request: Request) -> Response:
    """GET …/workers/routes"""
    return ok(world_of(request).store.list("route"))


async def get_route(request: Request) -> Response:
    """GET …/workers/routes/{id}"""
    return ok(_found_route(request))


async def update_route(request: Request) -> Response:
    """PUT …/workers/routes/{id}"""
    world, body = world_of(request), parse(RouteBody, await json_body(request))
    route = _route(world, body, _found_route(request)["id"])
    world.store.put("route", route["id"], route)
    return ok(route)


async def delete_route(request: Request) -> Response:
    """DELETE …/workers/routes/{id}"""
    route = _found_route(request)
    world_of(request).store.delete("route", route["id"])
    return ok({"id": route["id"]})


DOMAINS, PATHS = "/accounts/{account}/workers/domains", "/zones/{zone}/workers/routes"
ROUTES = [
    endpoint("PUT", DOMAINS, put_domain),
    endpoint("GET", DOMAINS, list_domains, *FILTERS),
    endpoint("GET", DOMAINS + "/{domain}", get_domain),
    endpoint("DELETE", DOMAINS + "/{domain}", delete_domain),
    endpoint("POST", PATHS, create_route),
    endpoint("GET", PATHS, list_routes),
    endpoint("GET", PATHS + "/{route}", get_route),
    endpoint("PUT", PATHS + "/{route}", update_route),
    endpoint("DELETE", PATHS + "/{route}", delete_route),
]
