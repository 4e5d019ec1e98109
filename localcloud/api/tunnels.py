"""Tunnels, their remote configuration and token.

Source: https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import Literal

from pydantic import Field, field_validator
from starlette.requests import Request
from starlette.responses import Response

from .endpoints import PAGING, Json, endpoint, flag, json_body, listed
from .envelope import ApiError, Strict, now, ok, parse, uuid_id
from .ingress import Configuration, check_ingress
from .world import World, found, world_of

SECRET_BYTES = 32


class Tunnel(Strict):
    """Body of a tunnel."""

    name: str = Field(min_length=1)
    config_src: Literal["cloudflare", "local"] = "local"
    tunnel_secret: str | None = None

    @field_validator("tunnel_secret")
    @classmethod
    def _long_enough(cls, value: str | None) -> str | None:
        return _checked_secret(value)


class TunnelChange(Strict):
    """Body of a change."""

    name: str | None = Field(None, min_length=1)
    tunnel_secret: str | None = None

    @field_validator("tunnel_secret")
    @classmethod
    def _long_enough(cls, value: str | None) -> str | None:
        return _checked_secret(value)


def _checked_secret(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        secret = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"must hold at least {SECRET_BYTES} bytes")
    return value


def _shown(tunnel: Json) -> Json:
    return {k: v for k, v in tunnel.items() if k != "secret"}


def live_tunnels(world: World) -> list[Json]:
    """The tunnels that have not been deleted."""
    return [tunnel for tunnel in world.store.list("tunnel") if tunnel["deleted_at"] is None]


def live_tunnel(world: World, tunnel_id: str) -> Json:
    """The tunnel. Raises ApiError 404 where it does not exist or has been deleted."""
    tunnel = found(world, "tunnel", tunnel_id, "Tunnel not found", 1003)
    if tunnel["deleted_at"] is not None:
        raise ApiError(404, 1003, "Tunnel not found: it has been deleted")
    return tunnel


def token_of(world: World, tunnel: Json) -> str:
    """The connector's token: base64 of account, tunnel and secret."""
    parts = {"a": world.account_id, "t": tunnel["id"], "s": tunnel["secret"]}
    return base64.b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


def _check_name(world: World, name: str, own_id: str | None = None) -> None:
    if any(t["name"] == name and t["id"] != own_id for t in live_tunnels(world)):
        raise ApiError(409, 1013, "You already have a tunnel with this name.")


async def create(request: Request) -> Response:
    """POST …/cfd_tunnel"""
    world, body = world_of(request), parse(Tunnel, await json_body(request), 1002)
    _check_name(world, body.name)
    tunnel: Json = {
        "id": uuid_id(),
        "account_tag": world.account_id,
        "name": body.name,
        "config_src": body.config_src,
        "remote_config": body.config_src == "cloudflare",
        "created_at": now(),
        "deleted_at": None,
        "connections": [],
        "conns_active_at": None,
        "conns_inactive_at": None,
        "status": "inactive",
        "tun_type": "cfd_tunnel",
        "metadata": {},
        "secret": body.tunnel_secret or base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
    }
    world.store.put("tunnel", tunnel["id"], tunnel)
    return ok(_shown(tunnel))


async def index(request: Request) -> Response:
    """GET …/cfd_tunnel: deleted ones too, unless `is_deleted` says which"""
    tunnels = world_of(request).store.list("tunnel")
    if "is_deleted" in request.query_params:
        deleted = flag(request, "is_deleted")
        tunnels = [t for t in tunnels if (t["deleted_at"] is not None) == deleted]
    wanted = request.query_params.get("uuid")
    tunnels = [t for t in tunnels if wanted in (None, t["id"])]
    return listed(request, [_shown(t) for t in tunnels], "name", "status")


async def read(request: Request) -> Response:
    """GET …/cfd_tunnel/{id}: a deleted tunnel is answered too, with the time of its end"""
    return ok(_shown(found(world_of(request), "tunnel", request.path_params["tunnel"], "Tunnel not found", 1003)))


async def update(request: Request) -> Response:
    """PATCH …/cfd_tunnel/{id}"""
    world, body = world_of(request), parse(TunnelChange, await json_body(request), 1002)
    tunnel = live_tunnel(world, request.path_params["tunnel"])
    changed = {**tunnel, "name": body.name or tunnel["name"], "secret": body.tunnel_secret or tunnel["secret"]}
    _check_name(world, changed["name"], tunnel["id"])
    world.store.put("tunnel", tunnel["id"], changed)
    return ok(_shown(changed))


async def delete(request: Request) -> Response:
    """DELETE …/cfd_tunnel/{id}; refused while a VPC service goes through it"""
    world = world_of(request)
    tunnel = live_tunnel(world, request.path_params["tunnel"])
    users = [s["name"] for s in world.store.list("connectivity_service") if s["tunnel_id"] == tunnel["id"]]
    if users:
        raise ApiError(400, 1022, f"Cannot delete tunnel because these services use it: {', '.join(users)}")
    deleted = {**tunnel, "deleted_at": now()}
    with world.store.change():
        world.store.put("tunnel", tunnel["id"], deleted)
        world.store.delete("tunnel_config", tunnel["id"])
    return ok(_shown(deleted))


async def put_configuration(request: Request) -> Response:
    """PUT …/configurations; the last rule, and only the last, catches all"""
    world, body = world_of(request), parse(Configuration, await json_body(request), 1056, "Bad Configuration: ")
    tunnel = live_tunnel(world, request.path_params["tunnel"])
    if not tunnel["remote_config"]:
        raise ApiError(400, 1055, "The tunnel is configured locally; create it with config_src cloudflare")
    check_ingress(body.config.ingress)
    earlier = world.store.get("tunnel_config", tunnel["id"])
    config = {
        "account_id": world.account_id,
        "tunnel_id": tunnel["id"],
        "version": (earlier["version"] if earlier else 0) + 1,
        "config": {**body.wire(), "warp-routing": {"enabled": False}},
        "source": "cloudflare",
        "created_at": now(),
    }
    world.store.put("tunnel_config", tunnel["id"], config)
    return ok(config)


async def get_configuration(request: Request) -> Response:
    """GET …/configurations; version 0 without a `config` before the first PUT"""
    world = world_of(request)
    tunnel = live_tunnel(world, request.path_params["tunnel"])
    empty = {
        "account_id": world.account_id,
        "tunnel_id": tunnel["id"],
        "version": 0,
        "config": None,
        "source": tunnel["config_src"],
        "created_at": tunnel["created_at"],
    }
    return ok(world.store.get("tunnel_config", tunnel["id"]) or empty)


async def get_token(request: Request) -> Response:
    """GET …/token: the bare string"""
    world = world_of(request)
    return ok(token_of(world, live_tunnel(world, request.path_params["tunnel"])))


async def get_connections(request: Request) -> Response:
    """GET …/connections"""
    return ok(live_tunnel(world_of(request), request.path_params["tunnel"])["connections"])


BASE = "/accounts/{account}/cfd_tunnel"
ROUTES = [
    endpoint("POST", BASE, create),
    endpoint("GET", BASE, index, *PAGING, "name", "status", "uuid", "is_deleted"),
    endpoint("GET", BASE + "/{tunnel}", read),
    endpoint("PATCH", BASE + "/{tunnel}", update),
    endpoint("DELETE", BASE + "/{tunnel}", delete),
    endpoint("PUT", BASE + "/{tunnel}/configurations", put_configuration),
    endpoint("GET", BASE + "/{tunnel}/configurations", get_configuration),
    endpoint("GET", BASE + "/{tunnel}/token", get_token),
    endpoint("GET", BASE + "/{tunnel}/connections", get_connections),
]
