"""Workers KV: namespaces and values (https://developers.cloudflare.com/api/resources/kv/)."""

from __future__ import annotations

import json
import time
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from .endpoints import PAGING, Json, endpoint, json_body, listed, load_json
from .envelope import ApiError, Strict, hex_id, ok, parse
from .multipart import is_multipart, read_parts
from .store import KvEntry
from .world import World, found, world_of

KIND = "kv_namespace"
MAX_VALUE = 25 * 1024 * 1024
MAX_METADATA = 1024
MAX_KEYS = 1000


class Namespace(Strict):
    """Body of create and rename."""

    title: str = Field(min_length=1, max_length=512)


def _namespace(request: Request) -> dict[str, Any]:
    message = "namespace not found"
    return found(world_of(request), KIND, request.path_params["ns"], message, 10013)


def _check_title(world: World, title: str, own_id: str | None = None) -> None:
    if any(n["title"] == title and n["id"] != own_id for n in world.store.list(KIND)):
        raise ApiError(400, 10014, "a namespace with this account ID and title already exists")


async def create(request: Request) -> Response:
    """POST …/namespaces"""
    world, body = world_of(request), parse(Namespace, await json_body(request))
    _check_title(world, body.title)
    namespace: Json = {"id": hex_id(), "title": body.title, "supports_url_encoding": True}
    world.store.put(KIND, namespace["id"], namespace)
    return ok(namespace)


async def index(request: Request) -> Response:
    """GET …/namespaces"""
    return listed(request, world_of(request).store.list(KIND), per_page=20)


async def read(request: Request) -> Response:
    """GET …/namespaces/{ns}"""
    return ok(_namespace(request))


async def rename(request: Request) -> Response:
    """PUT …/namespaces/{ns}"""
    world, body = world_of(request), parse(Namespace, await json_body(request))
    namespace = {**_namespace(request), "title": body.title}
    _check_title(world, body.title, namespace["id"])
    world.store.put(KIND, namespace["id"], namespace)
    return ok(namespace)


async def delete(request: Request) -> Response:
    """DELETE …/namespaces/{ns}, with its values; Cloudflare does not refuse it while a Worker is bound to it."""
    world, namespace = world_of(request), _namespace(request)
    with world.store.change():
        world.store.delete(KIND, namespace["id"])
        world.store.kv_delete(namespace["id"])
    return ok({})


def key_of(request: Request) -> str:
    """The key in the path. Raises ApiError for one that KV does not take."""
    key = str(request.path_params["key"])
    if key in ("", ".", "..") or len(key.encode()) > 512:
        raise ApiError(400, 10033, "key name must be 1 to 512 bytes, and not `.` or `..`")
    return key


def _expiration(request: Request) -> int | None:
    """Seconds since 1970; `expiration_ttl` takes precedence. Both must lie 60 seconds ahead."""
    moment, now = None, int(time.time())
    for name, base in (("expiration", 0), ("expiration_ttl", now)):
        text = request.query_params.get(name)
        if text is None:
            continue
        digits = text.removesuffix(".0")
        if not (digits.isascii() and digits.isdigit()) or int(digits[:12]) + base < now + 60:
            raise ApiError(400, 10034, f"invalid {name} of {text}: it must be at least 60 seconds in the future")
        moment = int(digits[:12]) + base
    return moment


async def _upload(request: Request) -> tuple[bytes, str | None]:
    if not is_multipart(request):
        return await request.body(), None
    parts: dict[str, bytes] = {}
    for part in await read_parts(request, MAX_VALUE + 1):
        if part.name not in ("value", "metadata") or part.name in parts:
            raise ApiError(400, 10001, f"unexpected part '{part.name}': one `value` and at most one `metadata`")
        parts[part.name] = part.content
    if "value" not in parts:
        raise ApiError(400, 10001, "the part `value` is missing")
    if "metadata" not in parts:
        return parts["value"], None
    return parts["value"], _metadata(parts["metadata"])


def _metadata(text: bytes) -> str:
    try:
        compact = json.dumps(load_json(text), separators=(",", ":"))
    except ValueError:
        raise ApiError(400, 10028, "metadata must be valid JSON") from None
    if len(compact.encode()) > MAX_METADATA:
        raise ApiError(400, 10028, f"metadata must be at most {MAX_METADATA} bytes")
    return compact


async def put_value(request: Request) -> Response:
    """PUT …/values/{key}: multipart `value` and `metadata`, or the raw value."""
    world, namespace, key = world_of(request), _namespace(request), key_of(request)
    expiration = _expiration(request)
    value, metadata = await _upload(request)
    if len(value) > MAX_VALUE:
        raise ApiError(413, 10030, "value is larger than 25 MiB")
    world.store.kv_put(namespace["id"], KvEntry(key=key, value=value, metadata=metadata, expiration=expiration))
    return ok({})


def _entry(request: Request) -> KvEntry:
    entry = world_of(request).store.kv_get(_namespace(request)["id"], key_of(request))
    if entry is None:
        raise ApiError(404, 10009, "key not found")
    return entry


async def get_value(request: Request) -> Response:
    """GET …/values/{key}: the raw value."""
    entry = _entry(request)
    headers = {} if entry.expiration is None else {"expiration": str(entry.expiration)}
    return Response(entry.value, media_type="application/octet-stream", headers=headers)


async def get_metadata(request: Request) -> Response:
    """GET …/metadata/{key}: the metadata as JSON, null where there is none"""
    metadata = _entry(request).metadata
    return ok(None if metadata is None else json.loads(metadata))


async def delete_value(request: Request) -> Response:
    """DELETE …/values/{key}; succeeds for a key that is not there, as KV does"""
    world_of(request).store.kv_delete(_namespace(request)["id"], key_of(request))
    return ok({})


async def keys(request: Request) -> Response:
    """GET …/keys: in order, up to `limit` from `cursor` on; a page that is not the last names the next cursor"""
    query, namespace = request.query_params, _namespace(request)
    limit = query.get("limit", str(MAX_KEYS)).removesuffix(".0")
    if not (limit.isascii() and limit.isdigit()) or not 10 <= int(limit) <= MAX_KEYS:
        raise ApiError(400, 10001, f"limit must be 10 to {MAX_KEYS}")
    entries = world_of(request).store.kv_list(namespace["id"])
    after = [e for e in entries if e.key.startswith(query.get("prefix", "")) and e.key > query.get("cursor", "")]
    shown = after[: int(limit)]
    cursor = shown[-1].key if len(after) > len(shown) else ""
    return ok([_listing(entry) for entry in shown], result_info={"count": len(shown), "cursor": cursor})


def _listing(entry: KvEntry) -> dict[str, Any]:
    listing: dict[str, Any] = {"name": entry.key}
    if entry.expiration is not None:
        listing["expiration"] = entry.expiration
    if entry.metadata is not None:
        listing["metadata"] = json.loads(entry.metadata)
    return listing


BASE = "/accounts/{account}/storage/kv/namespaces"
ROUTES = [
    endpoint("POST", BASE, create),
    endpoint("GET", BASE, index, *PAGING),
    endpoint("GET", BASE + "/{ns}", read),
    endpoint("PUT", BASE + "/{ns}", rename),
    endpoint("DELETE", BASE + "/{ns}", delete),
    endpoint("GET", BASE + "/{ns}/keys", keys, "prefix", "limit", "cursor"),
    endpoint("PUT", BASE + "/{ns}/values/{key:path}", put_value, "expiration", "expiration_ttl"),
    endpoint("GET", BASE + "/{ns}/values/{key:path}", get_value),
    endpoint("DELETE", BASE + "/{ns}/values/{key:path}", delete_value),
    endpoint("GET", BASE + "/{ns}/metadata/{key:path}", get_metadata),
]
