"""DNS records (https://developers.cloudflare.com/api/resources/dns/subresources/records/)."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from .endpoints import PAGING, Json, endpoint, json_body, listed
from .envelope import ApiError, Strict, dump, hex_id, now, ok, parse
from .world import World, found, world_of

KIND = "dns_record"
ADDRESSES = ("A", "AAAA")


class Settings(Strict):
    """`settings`"""

    flatten_cname: bool | None = None
    ipv4_only: bool | None = None
    ipv6_only: bool | None = None


class Record(Strict):
    """Body of a DNS record; types that mbgate's stack can't need are not known. A `ttl` of 1 is automatic."""

    name: str = Field(min_length=1, max_length=255)
    type: Literal["A", "AAAA", "CNAME", "TXT"]
    content: str = Field(min_length=1)
    ttl: int | float = Field(le=86400)
    proxied: bool = False
    comment: str | None = Field(None, max_length=100)
    tags: list[str] = []
    settings: Settings | None = None

    @model_validator(mode="after")
    def _is_of_its_type(self) -> Record:
        if self.ttl != 1 and self.ttl < 60:
            raise ValueError("ttl must be 1 (automatic) or 60 to 86400 seconds")
        if self.type in ADDRESSES:
            version = ipaddress.ip_address(self.content).version
            if version != (4 if self.type == "A" else 6):
                raise ValueError(f"content is no address for a {self.type} record")
        if self.proxied and self.type == "TXT":
            raise ValueError("a TXT record can't be proxied")
        return self


class RecordChange(Strict):
    """Body of a PATCH: what is left out stays."""

    name: str | None = None
    type: str | None = None
    content: str | None = None
    ttl: int | float | None = None
    proxied: bool | None = None
    comment: str | None = None
    tags: list[str] | None = None
    settings: Settings | None = None


def _record(world: World, body: Record, record_id: str, created_on: str) -> Json:
    name = _full_name(world, body.name)
    _check_conflicts(world, body, name, record_id)
    return {
        "id": record_id,
        "name": name,
        "type": body.type,
        "content": body.content,
        "proxiable": body.type != "TXT",
        "proxied": body.proxied,
        "ttl": body.ttl,
        "settings": dump(body.settings) if body.settings else {},
        "meta": {},
        "comment": body.comment,
        "tags": body.tags,
        "created_on": created_on,
        "modified_on": now(),
    }


def _full_name(world: World, given: str) -> str:
    name = world.zone_name if given == "@" else given.rstrip(".").lower()
    return name if world.owns(name) else f"{name}.{world.zone_name}"


def _check_conflicts(world: World, body: Record, name: str, record_id: str) -> None:
    others = [r for r in world.store.list(KIND) if r["name"] == name and r["id"] != record_id]
    if any(r["type"] == body.type and r["content"] == body.content for r in others):
        raise ApiError(400, 81058, "An identical record already exists.")
    types = {r["type"] for r in others}
    # A custom domain of a Worker keeps a proxied address record of its own.
    if any(domain["hostname"] == name for domain in world.store.list("domain")):
        types.add("AAAA")
    if body.type == "CNAME" and types & {"A", "AAAA", "CNAME"}:
        raise ApiError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
    if body.type in ADDRESSES and "CNAME" in types:
        raise ApiError(400, 81054, "A CNAME record with that host already exists.")


def _found(request: Request) -> Json:
    return found(world_of(request), KIND, request.path_params["record"], "Record does not exist.", 81044)


async def create(request: Request) -> Response:
    """POST …/dns_records"""
    world, body = world_of(request), parse(Record, await json_body(request), 9005)
    record = _record(world, body, hex_id(), now())
    world.store.put(KIND, record["id"], record)
    return ok(record)


async def index(request: Request) -> Response:
    """GET …/dns_records; `name` and `name.exact` filter alike"""
    records = world_of(request).store.list(KIND)
    exact = request.query_params.get("name.exact")
    return listed(request, [r for r in records if exact in (None, r["name"])], "name", "type", "content")


async def read(request: Request) -> Response:
    """GET …/dns_records/{id}"""
    return ok(_found(request))


async def replace(request: Request) -> Response:
    """PUT …/dns_records/{id}"""
    body = parse(Record, await json_body(request), 9005)
    return _stored(world_of(request), body, _found(request))


async def edit(request: Request) -> Response:
    """PATCH …/dns_records/{id}"""
    change = dump(parse(RecordChange, await json_body(request), 9005))
    old = _found(request)
    fields = {field: old[field] for field in Record.model_fields}
    return _stored(world_of(request), parse(Record, {**fields, **change}, 9005), old)


def _stored(world: World, body: Record, old: Json) -> Response:
    if body.type != old["type"]:
        raise ApiError(400, 9005, f"type: a {old['type']} record can't become a {body.type} record")
    record = _record(world, body, old["id"], old["created_on"])
    world.store.put(KIND, record["id"], record)
    return ok(record)


async def delete(request: Request) -> Response:
    """DELETE …/dns_records/{id}"""
    record = _found(request)
    world_of(request).store.delete(KIND, record["id"])
    return ok({"id": record["id"]})


BASE = "/zones/{zone}/dns_records"
ROUTES = [
    endpoint("POST", BASE, create),
    endpoint("GET", BASE, index, *PAGING, "name", "name.exact", "type", "content"),
    endpoint("GET", BASE + "/{record}", read),
    endpoint("PUT", BASE + "/{record}", replace),
    endpoint("PATCH", BASE + "/{record}", edit),
    endpoint("DELETE", BASE + "/{record}", delete),
]
