"""DNS records (https://developers.cloudflare.com/api/resources/dns/)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelope import ApiError, Strict, dump, hex_id, now, ok, parse
from .world import World, found, json_body, world_of


class Record(Strict):
    """Body of a DNS record."""

    name: str
    type: Literal["A", "AAAA", "CNAME", "TXT"]
    content: str
    ttl: float = Field(ge=1)
    proxied: bool = False
    comment: str | None = None
    tags: list[str] = []


def _record(world: World, body: Record, record_id: str, created_on: str) -> dict[str, Any]:
    if body.name != world.zone_name and not body.name.endswith("." + world.zone_name):
        raise ApiError(400, 9000, f"DNS name '{body.name}' is not part of zone '{world.zone_name}'")
    for other in world.store.list("dns_record"):
        if other["id"] == record_id or other["name"] != body.name:
            continue
        if other["type"] == body.type and other["content"] == body.content:
            raise ApiError(400, 81058, "An identical record already exists.")
        if "CNAME" in (other["type"], body.type):
            raise ApiError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
    return {
        "id": record_id,
        "proxiable": body.type != "TXT",
        "settings": {},
        "meta": {},
        "comment": body.comment,
        "tags": body.tags,
        "created_on": created_on,
        "modified_on": now(),
        **dump(body),
        "ttl": int(body.ttl),
    }


async def create_record(request: Request) -> Response:
    """POST …/dns_records"""
    world = _zone(request)
    record = _record(world, parse(Record, await json_body(request), 9005), hex_id(), now())
    world.store.put("dns_record", record["id"], record)
    return ok(record)


def _zone(request: Request) -> World:
    world = world_of(request)
    if request.path_params["zone"] != world.zone_id:
        raise ApiError(
            404,
            7003,
            f"Could not route to /zones/{request.path_params['zone']}, perhaps your object identifier is invalid?",
        )
    return world


async def list_records(request: Request) -> Response:
    """GET …/dns_records"""
    return ok(_zone(request).store.list("dns_record"))


async def get_record(request: Request) -> Response:
    """GET …/dns_records/{id}"""
    return ok(found(_zone(request), "dns_record", request.path_params["record"], "Record", 81044))


async def update_record(request: Request) -> Response:
    """PUT …/dns_records/{id}"""
    world, body = _zone(request), parse(Record, await json_body(request), 9005)
    old = found(world, "dns_record", request.path_params["record"], "Record", 81044)
    record = _record(world, body, old["id"], old["created_on"])
    world.store.put("dns_record", record["id"], record)
    return ok(record)


async def delete_record(request: Request) -> Response:
    """DELETE …/dns_records/{id}"""
    world = _zone(request)
    found(world, "dns_record", request.path_params["record"], "Record", 81044)
    world.store.delete("dns_record", request.path_params["record"])
    return ok({"id": request.path_params["record"]})


RECORDS = "/zones/{zone}/dns_records"
ROUTES = [
    Route(RECORDS, create_record, methods=["POST"]),
    Route(RECORDS, list_records, methods=["GET"]),
    Route(RECORDS + "/{record}", get_record, methods=["GET"]),
    Route(RECORDS + "/{record}", update_record, methods=["PUT"]),
    Route(RECORDS + "/{record}", delete_record, methods=["DELETE"]),
]
