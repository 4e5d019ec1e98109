"""Workers VPC services: an address behind a tunnel that a Worker may be bound to.

Source: https://developers.cloudflare.com/workers-vpc/configuration/vpc-services/
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from starlette.requests import Request
from starlette.responses import Response

from .endpoints import PAGING, Json, endpoint, json_body, listed
from .envelope import ApiError, Strict, dump, now, ok, parse, uuid_id
from .tunnels import live_tunnels
from .world import World, found, world_of

Port = Annotated[int, Field(ge=1, le=65535)]
KIND = "connectivity_service"


class ResolverNetwork(Strict):
    """`host.resolver_network`: the name is resolved behind the tunnel."""

    tunnel_id: str
    resolver_ips: list[str] | None = None


class Network(Strict):
    """`host.network`"""

    tunnel_id: str


class Host(Strict):
    """`host`: a name resolved through the tunnel, or addresses behind it."""

    hostname: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    network: Network | None = None
    resolver_network: ResolverNetwork | None = None

    @field_validator("ipv4", "ipv6")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            ipaddress.ip_address(value)
        return value

    @model_validator(mode="after")
    def _is_one_form(self) -> Host:
        by_name = bool(self.hostname) and self.resolver_network is not None
        by_address = bool(self.ipv4 or self.ipv6) and self.network is not None
        mixed = (by_name and (self.ipv4 or self.ipv6 or self.network)) or (
            by_address and (self.hostname or self.resolver_network)
        )
        if mixed or not (by_name or by_address):
            raise ValueError("give hostname with resolver_network, or ipv4/ipv6 with network")
        return self

    @property
    def tunnel_id(self) -> str:
        """The tunnel that the host is behind."""
        network = self.resolver_network or self.network
        return network.tunnel_id if network else ""


class TlsSettings(Strict):
    """`tls_settings`"""

    cert_verification_mode: Literal["verify_full", "verify_ca", "disabled"]


class Service(Strict):
    """Body of a service; ports left out are 80 and 443."""

    name: str = Field(min_length=1)
    type: Literal["http", "tcp"]
    host: Host
    http_port: Port | None = None
    https_port: Port | None = None
    tcp_port: Port | None = None
    app_protocol: Literal["postgresql", "mysql"] | None = None
    tls_settings: TlsSettings | None = None

    @model_validator(mode="after")
    def _has_its_ports(self) -> Service:
        if self.type == "http" and (self.tcp_port or self.app_protocol):
            raise ValueError("tcp_port and app_protocol belong to the type tcp")
        if self.type == "tcp" and (self.http_port or self.https_port or not self.tcp_port):
            raise ValueError("the type tcp needs tcp_port, and has neither http_port nor https_port")
        return self


def _service(world: World, body: Service, service_id: str, created_at: str) -> Json:
    if body.host.tunnel_id not in {tunnel["id"] for tunnel in live_tunnels(world)}:
        raise ApiError(400, 5101, f"host: there is no tunnel '{body.host.tunnel_id}'")
    if any(s["name"] == body.name and s["service_id"] != service_id for s in world.store.list(KIND)):
        raise ApiError(409, 5101, f"a service named '{body.name}' already exists")
    return {
        "service_id": service_id,
        **dump(body),
        "tunnel_id": body.host.tunnel_id,
        "created_at": created_at,
        "updated_at": now(),
    }


def shown(service: Json) -> Json:
    """The service as it is answered."""
    return {k: v for k, v in service.items() if k != "tunnel_id"}


def _found(request: Request) -> Json:
    return found(world_of(request), KIND, request.path_params["service"], "Service not found", 5104)


async def create(request: Request) -> Response:
    """POST …/connectivity/directory/services"""
    world, body = world_of(request), parse(Service, await json_body(request), 5000)
    service = _service(world, body, uuid_id(), now())
    world.store.put(KIND, service["service_id"], service)
    return ok(shown(service))


async def index(request: Request) -> Response:
    """GET …/connectivity/directory/services"""
    return listed(request, [shown(service) for service in world_of(request).store.list(KIND)], "type")


async def read(request: Request) -> Response:
    """GET …/services/{id}"""
    return ok(shown(_found(request)))


async def replace(request: Request) -> Response:
    """PUT …/services/{id}"""
    world, body = world_of(request), parse(Service, await json_body(request), 5000)
    old = _found(request)
    service = _service(world, body, old["service_id"], old["created_at"])
    world.store.put(KIND, service["service_id"], service)
    return ok(shown(service))


async def delete(request: Request) -> Response:
    """DELETE …/services/{id}"""
    service = _found(request)
    world_of(request).store.delete(KIND, service["service_id"])
    return ok({})


BASE = "/accounts/{account}/connectivity/directory/services"
ROUTES = [
    endpoint("POST", BASE, create),
    endpoint("GET", BASE, index, *PAGING, "type"),
    endpoint("GET", BASE + "/{service}", read),
    endpoint("PUT", BASE + "/{service}", replace),
    endpoint("DELETE", BASE + "/{service}", delete),
]
