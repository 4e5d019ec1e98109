"""Scripts: a Worker uploaded in one request, live at once (https://developers.cloudflare.com/api/resources/workers/subresources/scripts/)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid

from starlette.requests import Request
from starlette.responses import Response

from .bindings import without_secrets
from .endpoints import Json, endpoint, flag, load_json
from .envelope import ApiError, dump, now, ok, parse
from .modules import MAX_BYTES
from .multipart import is_multipart, read_parts
from .versions_store import active_versions, add_deployment, add_version, versions_of
from .worker_models import Deployment, Metadata, Observability, Share, Version, Worker
from .workers import by_name, new_worker, remove_worker
from .world import World, world_of

NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")


async def upload(request: Request) -> Response:
    """PUT …/workers/scripts/{name}: multipart, a part for each module and `metadata`"""
    world, name = world_of(request), str(request.path_params["script"])
    if not NAME.fullmatch(name):
        raise ApiError(400, 10016, f"invalid Worker name '{name}': use up to 63 of a-z 0-9 - _")
    if request.query_params.get("bindings_inherit", "strict") != "strict":
        raise ApiError(400, 10001, "query parameter 'bindings_inherit' must be strict")
    metadata, modules = await _parts(request)
    with world.store.change():
        return ok(_store(world, name, metadata, modules))


async def _parts(request: Request) -> tuple[Metadata, list[Json]]:
    if not is_multipart(request):
        raise ApiError(400, 10001, "Content-Type must be multipart/form-data")
    metadata: Metadata | None = None
    modules: list[Json] = []
    for part in await read_parts(request, MAX_BYTES):
        if part.name == "metadata":
            metadata = parse(Metadata, _json(part.content), 10021, "metadata: ")
            continue
        if not part.content_type:
            raise ApiError(400, 10021, f"part '{part.name}' needs a file name and a Content-Type to be a module")
        encoded = base64.b64encode(part.content).decode()
        modules.append({"name": part.name, "content_type": part.content_type, "content_base64": encoded})
    if metadata is None:
        raise ApiError(400, 10021, "the part `metadata` is missing")
    return metadata, modules


def _json(text: bytes) -> object:
    try:
        return load_json(text)
    except ValueError:
        raise ApiError(400, 10021, "the part `metadata` is not JSON") from None


def _store(world: World, name: str, metadata: Metadata, modules: list[Json]) -> Json:
    worker = by_name(world, name) or new_worker(Worker(name=name))
    observability = metadata.observability or Observability()
    worker |= {
        "logpush": metadata.logpush,
        "observability": observability.model_dump(exclude_none=True),
        "tail_consumers": [{"name": consumer.service} for consumer in metadata.tail_consumers or []],
        # As sent: the official provider takes a default that was filled in for drift.
        "script": {"observability": dump(metadata.observability) if metadata.observability else None},
        "updated_on": now(),
    }
    shared = set(Version.model_fields) & set(Metadata.model_fields) - {"bindings"}
    version = add_version(
        world,
        worker,
        Version(
            modules=modules,
            bindings=metadata.bindings + _kept(world, worker, metadata),
            **{field: getattr(metadata, field) for field in shared},
        ),
    )
    share = Share(version_id=version["id"], percentage=100)
    add_deployment(world, worker, Deployment(strategy="percentage", versions=[share]))
    return _script(worker, version)


def _kept(world: World, worker: Json, metadata: Metadata) -> list[Json]:
    earlier = versions_of(world, worker["id"])
    given = {binding.get("name") for binding in metadata.bindings}
    bindings = earlier[-1]["bindings"] if earlier else []
    return [b for b in bindings if b["type"] in metadata.keep_bindings and b["name"] not in given]


def _script(worker: Json, version: Json) -> Json:
    etag = hashlib.sha256(json.dumps(version["modules"]).encode()).hexdigest()
    return {
        "id": worker["name"],
        "tag": worker["id"],
        "etag": etag,
        "handlers": ["fetch"],
        "has_assets": False,
        "has_modules": True,
        "last_deployed_from": "api",
        "created_on": worker["created_on"],
        "modified_on": version["created_on"],
        "startup_time_ms": version["startup_time_ms"],
        **_settings(worker, version),
    }


def _settings(worker: Json, version: Json) -> Json:
    script = worker.get("script", {"observability": worker["observability"]})
    settings = {
        "compatibility_date": version["compatibility_date"],
        "compatibility_flags": version["compatibility_flags"],
        "usage_model": version["usage_model"],
        "logpush": worker["logpush"],
        "observability": script["observability"],
        "tail_consumers": [{"service": consumer["name"]} for consumer in worker["tail_consumers"]] or None,
        "placement": version.get("placement", {}),
        "migration_tag": worker.get("migration_tag"),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _live(request: Request) -> tuple[Json, Json]:
    world = world_of(request)
    worker = by_name(world, request.path_params["script"])
    versions = active_versions(world, worker["id"]) if worker else []
    if worker is None or not versions:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    return worker, versions[-1]


async def index(request: Request) -> Response:
    """GET …/workers/scripts: those that are deployed"""
    world = world_of(request)
    pairs = [(worker, active_versions(world, worker["id"])) for worker in world.store.list("worker")]
    return ok([_script(worker, versions[-1]) for worker, versions in pairs if versions])


async def service(request: Request) -> Response:
    """GET …/workers/services/{name}"""
    script = _script(*_live(request))
    times = {"created_on": script["created_on"], "modified_on": script["modified_on"]}
    environment = {"environment": "production", "script": script, **times}
    return ok({"id": script["id"], "default_environment": environment, "environments": [environment], **times})


async def settings(request: Request) -> Response:
    """GET …/settings, without the texts of secrets"""
    worker, version = _live(request)
    limits = version.get("limits", {})
    return ok(
        {
            **_settings(worker, version),
            "bindings": without_secrets(version["bindings"]),
            "annotations": version["annotations"],
            "limits": limits,
            "tags": worker["tags"],
        }
    )


async def content(request: Request) -> Response:
    """GET …/content/v2: the modules as multipart, the main one first and named in `cf-entrypoint`"""
    _, version = _live(request)
    main, boundary = version["main_module"], uuid.uuid4().hex
    parts = []
    for module in sorted(version["modules"], key=lambda module: bool(module["name"] != main)):
        name, kind = module["name"], module["content_type"]
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="{name}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: {kind}\r\n\r\n"
        parts.append(head.encode() + base64.b64decode(module["content_base64"]) + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    media_type = f"multipart/form-data; boundary={boundary}"
    return Response(body, media_type=media_type, headers={"cf-entrypoint": main})


async def delete(request: Request) -> Response:
    """DELETE …/workers/scripts/{name}; refused while another Worker refers to it, unless `force=true`"""
    world = world_of(request)
    worker = by_name(world, request.path_params["script"])
    if worker is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    remove_worker(world, worker, force=flag(request, "force"))
    return ok(None)


BASE = "/accounts/{account}/workers"
ROUTES = [
    endpoint("GET", BASE + "/scripts", index),
    endpoint("PUT", BASE + "/scripts/{script}", upload, "bindings_inherit"),
    endpoint("DELETE", BASE + "/scripts/{script}", delete, "force"),
    endpoint("GET", BASE + "/services/{script}", service),
    endpoint("GET", BASE + "/scripts/{script}/settings", settings),
    endpoint("GET", BASE + "/scripts/{script}/content/v2", content),
]
