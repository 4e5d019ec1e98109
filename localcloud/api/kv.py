"""Workers KV: namespaces and values (https://developers.cloudflare.com/api/resources/kv/)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelope import ApiError, Strict, hex_id, ok, parse
from .world import World, found, json_body, world_of

KIND = "kv_namespace"


class Namespace(Strict):
    """Body of create and rename."""

    title: str


def _check_title(world: World, title: str, own_id: str | None = None) -> None:
    if any(n["title"] == title and n["id"] != own_id for n in world.store.list(KIND)):
        raise ApiError(400, 10014, "create namespace: 'a namespace with this account ID and title already exists'")


async def create(request: Request) -> Response:
    """POST …/namespaces"""
    world, body = world_of(request), parse(Namespace, await json_body(request))
    _check_title(world, body.title)
    namespace = {"id": hex_id(), "title": body.title, "supports_url_encoding": True}
    world.store.put(KIND, namespace["id"], namespace)
    return ok(namespace)


async def index(request: Request) -> Response:
    """GET …/namespaces"""
    return ok(world_of(request).store.list(KIND))


async def read(request: Request) -> Response:
    """GET …/namespaces/{ns}"""
    return ok(found(world_of(request), KIND, request.path_params["ns"], "namespace", 10013))


async def rename(request: Request) -> Response:
    """PUT …/namespaces/{ns}"""
    world, body = world_of(request), parse(Namespace, await json_body(request))
    namespace = found(world, KIND, request.path_params["ns"], "namespace", 10013)
    _check_title(world, body.title, namespace["id"])
    world.store.put(KIND, namespace["id"], {**namespace, "title": body.title})
    return ok({**namespace, "title": body.title})


async def delete(request: Request) -> Response:
    """DELETE …/namespaces/{ns}; refused while a Worker is bound to it."""
    world = world_of(request)
    namespace = found(world, KIND, request.path_params["ns"], "namespace", 10013)
    world.store.delete(KIND, namespace["id"])
    world.store.kv_delete(namespace["id"])
    return ok({})


async def put_value(request: Request) -> Response:
    """PUT …/values/{key}: multipart `value` and `metadata`, or the raw value."""
    world, namespace = world_of(request), request.path_params["ns"]
    found(world, KIND, namespace, "namespace", 10013)
    metadata = None
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            unknown = set(form) - {"value", "metadata"}
            if unknown or "value" not in form:
                raise ApiError(400, 10001, f"a `value` part is needed, unknown parts: {sorted(unknown)}")
            field = form["value"]
            value = field.encode() if isinstance(field, str) else await field.read()
            metadata = str(form["metadata"]) if "metadata" in form else None
    else:
        value = await request.body()
    world.store.kv_put(namespace, request.path_params["key"], value, metadata)
    return ok(None)


async def get_value(request: Request) -> Response:
    """GET …/values/{key}: the raw value."""
    entry = world_of(request).store.kv_get(request.path_params["ns"], request.path_params["key"])
    if entry is None:
        raise ApiError(404, 10009, "get: 'key not found'")
    return Response(entry[0], media_type="application/octet-stream")


async def get_metadata(request: Request) -> Response:
    """GET …/metadata/{key}"""
    entry = world_of(request).store.kv_get(request.path_params["ns"], request.path_params["key"])
    if entry is None:
        raise ApiError(404, 10009, "get: 'key not found'")
    return ok(entry[1])


async def delete_value(request: Request) -> Response:
    """DELETE …/values/{key}"""
    world_of(request).store.kv_delete(request.path_params["ns"], request.path_params["key"])
    return ok(None)


async def keys(request: Request) -> Response:
    """GET …/keys"""
    return ok([{"name": name} for name in world_of(request).store.kv_keys(request.path_params["ns"])])


BASE = "/accounts/{account}/storage/kv/namespaces"
ROUTES = [
    Route(BASE, create, methods=["POST"]),
    Route(BASE, index, methods=["GET"]),
    Route(BASE + "/{ns}", read, methods=["GET"]),
    Route(BASE + "/{ns}", rename, methods=["PUT"]),
    Route(BASE + "/{ns}", delete, methods=["DELETE"]),
    Route(BASE + "/{ns}/keys", keys, methods=["GET"]),
    Route(BASE + "/{ns}/values/{key:path}", put_value, methods=["PUT"]),
    Route(BASE + "/{ns}/values/{key:path}", get_value, methods=["GET"]),
    Route(BASE + "/{ns}/values/{key:path}", delete_value, methods=["DELETE"]),
    Route(BASE + "/{ns}/metadata/{key:path}", get_metadata, methods=["GET"]),
]
