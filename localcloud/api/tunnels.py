"""Tunnels, their remote configuration and token, Workers VPC services."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelope import ApiError, Strict, dump, now, ok, parse, uuid_id
from .world import World, found, json_body, world_of


class Tunnel(Strict):
    """Body of a tunnel."""

    name: str = Field(min_length=1)
    config_src: Literal["cloudflare", "local"] = "local"
    tunnel_secret: str | None = None


class OriginAccess(Strict):
    """`originRequest.access`: cloudflared verifies the Access token itself."""

    required: bool = False
    teamName: str
    audTag: list[str]


class OriginRequest(Strict):
    """`originRequest`, the part that mbgate's stack uses."""

    access: OriginAccess | None = None
    httpHostHeader: str | None = None
    noTLSVerify: bool | None = None
    connectTimeout: int | None = None


class Ingress(Strict):
    """`ingress[]`"""

    service: str
    hostname: str | None = None
    path: str | None = None
    originRequest: OriginRequest | None = None


class TunnelConfig(Strict):
    """`config`"""

    ingress: list[Ingress] = []
    originRequest: OriginRequest | None = None


class Configuration(Strict):
    """Body of a configuration."""

    config: TunnelConfig


def _shown(tunnel: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in tunnel.items() if k != "secret"}


def token_of(world: World, tunnel: dict[str, Any]) -> str:
    """The connector's token: base64 of account, tunnel and secret."""
    parts = {"a": world.account_id, "t": tunnel["id"], "s": tunnel["secret"]}
    return base64.b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


async def create(request: Request) -> Response:
    """POST …/cfd_tunnel"""
    world, body = world_of(request), parse(Tunnel, await json_body(request))
    if any(t["name"] == body.name for t in world.store.list("tunnel")):
        raise ApiError(409, 1013, "You already have a tunnel with this name")
    tunnel = {
        "id": uuid_id(),
        "account_tag": world.account_id,
        "name": body.name,
        "config_src": body.config_src,
        "remote_config": body.config_src == "cloudflare",
        "created_at": now(),
        "deleted_at": None,
        "connections": [],
        "conns_active_at": None,
        "conns_inactive_at": now(),
        "status": "inactive",
        "tun_type": "cfd_tunnel",
        "metadata": {},
        "secret": body.tunnel_secret or base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    world.store.put("tunnel", tunnel["id"], tunnel)
    return ok(_shown(tunnel))


async def index(request: Request) -> Response:
    """GET …/cfd_tunnel"""
    name = request.query_params.get("name")
    return ok([_shown(t) for t in world_of(request).store.list("tunnel") if name in (None, t["name"])])


async def read(request: Request) -> Response:
    """GET …/cfd_tunnel/{id}"""
    return ok(_shown(found(world_of(request), "tunnel", request.path_params["tunnel"], "Tunnel", 1003)))


class TunnelChange(Strict):
    """Body of a change."""

    name: str | None = None
    tunnel_secret: str | None = None


async def update(request: Request) -> Response:
    """PATCH …/cfd_tunnel/{id}"""
    world, body = world_of(request), parse(TunnelChange, await json_body(request))
    tunnel = found(world, "tunnel", request.path_params["tunnel"], "Tunnel", 1003)
    changed = {**tunnel, "name": body.name or tunnel["name"], "secret": body.tunnel_secret or tunnel["secret"]}
    world.store.put("tunnel", tunnel["id"], changed)
    return ok(_shown(changed))


async def delete(request: Request) -> Response:
    """DELETE …/cfd_tunnel/{id}; refused while a VPC service uses it."""
    world = world_of(request)
    tunnel = found(world, "tunnel", request.path_params["tunnel"], "Tunnel", 1003)
    users = [s["name"] for s in world.store.list("connectivity_service") if tunnel["id"] in json.dumps(s["host"])]
    if users:
        raise ApiError(400, 1022, f"Cannot delete tunnel because services use it: {', '.join(users)}")
    with world.store.change():
        world.store.delete("tunnel", tunnel["id"])
        world.store.delete("tunnel_config", tunnel["id"])
    return ok({**_shown(tunnel), "deleted_at": now()})


async def put_configuration(request: Request) -> Response:
    """PUT …/configurations; the last rule must catch all"""
    world, body = world_of(request), parse(Configuration, await json_body(request), 1056)
    tunnel = found(world, "tunnel", request.path_params["tunnel"], "Tunnel", 1003)
    if not tunnel["remote_config"]:
        raise ApiError(400, 1055, "The tunnel is configured locally")
    rules = body.config.ingress
    if not rules or rules[-1].hostname or any(not r.hostname for r in rules[:-1]):
        raise ApiError(400, 1056, "Bad Configuration: The last ingress rule must match all URLs, and only the last")
    earlier = world.store.get("tunnel_config", tunnel["id"])
    config = {
        "account_id": world.account_id,
        "tunnel_id": tunnel["id"],
        "version": (earlier["version"] if earlier else 0) + 1,
        "config": {**dump(body)["config"], "warp-routing": {"enabled": False}},
        "source": "cloudflare",
        "created_at": now(),
    }
    world.store.put("tunnel_config", tunnel["id"], config)
    return ok(config)


async def get_configuration(request: Request) -> Response:
    """GET …/configurations"""
    world = world_of(request)
    tunnel = found(world, "tunnel", request.path_params["tunnel"], "Tunnel", 1003)
    empty = {"account_id": world.account_id, "tunnel_id": tunnel["id"], "version": 0, "config": None}
    return ok(world.store.get("tunnel_config", tunnel["id"]) or {**empty, "source": "cloudflare", "created_at": now()})


async def get_token(request: Request) -> Response:
    """GET …/token: the bare string"""
    world = world_of(request)
    return ok(token_of(world, found(world, "tunnel", request.path_params["tunnel"], "Tunnel", 1003)))


class ResolverNetwork(Strict):
    """`host.resolver_network`"""

    tunnel_id: str
    resolver_ips: list[str] | None = None


class Network(Strict):
    """`host.network`"""

    tunnel_id: str


class Host(Strict):
    """`host`: a name resolved through the tunnel, or an address behind it."""

    hostname: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    network: Network | None = None
    resolver_network: ResolverNetwork | None = None


class Service(Strict):
    """Body of a Workers VPC service."""

    name: str
    type: Literal["http", "tcp"]
    host: Host
    http_port: int | None = None
    https_port: int | None = None
    tcp_port: int | None = None


def _service(world: World, body: Service, service_id: str, created_at: str) -> dict[str, Any]:
    network = body.host.resolver_network or body.host.network
    if network is None or world.store.get("tunnel", network.tunnel_id) is None:
        raise ApiError(400, 5000, "host: a network with an existing tunnel_id is needed")
    if bool(body.host.hostname) == bool(body.host.ipv4 or body.host.ipv6):
        raise ApiError(400, 5000, "host: either a hostname or an address is needed")
    if any(s["name"] == body.name and s["service_id"] != service_id for s in world.store.list("connectivity_service")):
        raise ApiError(409, 5101, f"a service named '{body.name}' already exists")
    return {"service_id": service_id, **dump(body), "created_at": created_at, "updated_at": now()}


async def create_service(request: Request) -> Response:
    """POST …/connectivity/directory/services"""
    world, body = world_of(request), parse(Service, await json_body(request), 5000)
    service = _service(world, body, uuid_id(), now())
    world.store.put("connectivity_service", service["service_id"], service)
    return ok(service)


async def list_services(request: Request) -> Response:
    """GET …/connectivity/directory/services"""
    return ok(world_of(request).store.list("connectivity_service"))


async def get_service(request: Request) -> Response:
    """GET …/services/{id}"""
    return ok(found(world_of(request), "connectivity_service", request.path_params["service"], "Service", 5104))


async def update_service(request: Request) -> Response:
    """PUT …/services/{id}"""
    world, body = world_of(request), parse(Service, await json_body(request), 5000)
    old = found(world, "connectivity_service", request.path_params["service"], "Service", 5104)
    service = _service(world, body, old["service_id"], old["created_at"])
    world.store.put("connectivity_service", service["service_id"], service)
    return ok(service)


async def delete_service(request: Request) -> Response:
    """DELETE …/services/{id}"""
    world = world_of(request)
    found(world, "connectivity_service", request.path_params["service"], "Service", 5104)
    world.store.delete("connectivity_service", request.path_params["service"])
    return ok({})


TUNNELS, SERVICES = "/accounts/{account}/cfd_tunnel", "/accounts/{account}/connectivity/directory/services"
ROUTES = [
    Route(TUNNELS, create, methods=["POST"]),
    Route(TUNNELS, index, methods=["GET"]),
    Route(TUNNELS + "/{tunnel}", read, methods=["GET"]),
    Route(TUNNELS + "/{tunnel}", update, methods=["PATCH"]),
    Route(TUNNELS + "/{tunnel}", delete, methods=["DELETE"]),
    Route(TUNNELS + "/{tunnel}/configurations", put_configuration, methods=["PUT"]),
    Route(TUNNELS + "/{tunnel}/configurations", get_configuration, methods=["GET"]),
    Route(TUNNELS + "/{tunnel}/token", get_token, methods=["GET"]),
    Route(SERVICES, create_service, methods=["POST"]),
    Route(SERVICES, list_services, methods=["GET"]),
    Route(SERVICES + "/{service}", get_service, methods=["GET"]),
    Route(SERVICES + "/{service}", update_service, methods=["PUT"]),
    Route(SERVICES + "/{service}", delete_service, methods=["DELETE"]),
]
