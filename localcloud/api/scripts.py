"""Scripts uploaded in one request, cron triggers, workers.dev settings, custom domains and routes."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .bindings import without_secrets
from .envelope import ApiError, Strict, hex_id, now, ok, parse
from .workers import Version, active_versions, add_deployment, add_version, by_name, remove_worker
from .world import World, found, json_body, world_of


class Metadata(Strict):
    """The `metadata` part of an upload."""

    main_module: str
    bindings: list[dict[str, Any]] = []
    compatibility_date: str | None = None
    compatibility_flags: list[str] = []
    observability: dict[str, Any] | None = None
    logpush: bool = False
    usage_model: str = "standard"
    tail_consumers: list[dict[str, Any]] | None = None
    keep_bindings: list[str] = []
    annotations: dict[str, str] = {}


async def upload(request: Request) -> Response:
    """PUT …/workers/scripts/{name}: multipart, a part for each module and `metadata`; live at once."""
    world, name = world_of(request), request.path_params["script"]
    modules: list[dict[str, Any]] = []
    metadata: Metadata | None = None
    async with request.form() as form:
        for part, field in form.multi_items():
            content = field.encode() if isinstance(field, str) else await field.read()
            if part == "metadata":
                metadata = parse(Metadata, json.loads(content), 10021)
                continue
            kind = "text/plain" if isinstance(field, str) else str(field.content_type)
            encoded = base64.b64encode(content).decode()
            modules.append({"name": part, "content_type": kind, "content_base64": encoded})
    if metadata is None:
        raise ApiError(400, 10021, "the upload has no `metadata` part")
    with world.store.change():
        return ok(_store_script(world, name, metadata, modules))


def _store_script(world: World, name: str, metadata: Metadata, modules: list[dict[str, Any]]) -> dict[str, Any]:
    worker = by_name(world, name) or {"id": hex_id(), "name": name, "script": True, "created_on": now()}
    worker = {**worker, "observability": metadata.observability, "logpush": metadata.logpush, "modified_on": now()}
    world.store.put("worker", worker["id"], worker)
    version = add_version(
        world,
        worker,
        Version(
            main_module=metadata.main_module,
            modules=modules,
            bindings=metadata.bindings,
            compatibility_date=metadata.compatibility_date,
            compatibility_flags=metadata.compatibility_flags,
            annotations=metadata.annotations,
        ),
    )
    share = {"version_id": version["id"], "percentage": 100}
    add_deployment(world, worker, {"strategy": "percentage", "versions": [share]})
    return script_answer(worker, version)


def script_answer(worker: dict[str, Any], version: dict[str, Any]) -> dict[str, Any]:
    """A script as lists and uploads show it."""
    etag = hashlib.sha256(json.dumps(version["modules"]).encode()).hexdigest()
    return {
        "id": worker["name"],
        "tag": worker["id"],
        "etag": etag,
        "handlers": ["fetch"],
        "has_assets": False,
        "has_modules": True,
        "compatibility_date": version["compatibility_date"],
        "compatibility_flags": version["compatibility_flags"],
        "usage_model": version["usage_model"],
        "logpush": worker.get("logpush", False),
        "observability": worker.get("observability"),
        "placement": {},
        "tail_consumers": None,
        "created_on": worker["created_on"],
        "modified_on": worker.get("modified_on", worker["created_on"]),
        "startup_time_ms": 5,
    }


def _live(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    world = world_of(request)
    worker = by_name(world, request.path_params["script"])
    versions = active_versions(world, worker) if worker else []
    if worker is None or not versions:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    return worker, versions[-1]


async def index(request: Request) -> Response:
    """GET …/workers/scripts"""
    world = world_of(request)
    pairs = [(w, active_versions(world, w)) for w in world.store.list("worker")]
    return ok([script_answer(w, versions[-1]) for w, versions in pairs if versions])


async def service(request: Request) -> Response:
    """GET …/workers/services/{name}"""
    worker, version = _live(request)
    environment = {"environment": "production", "script": script_answer(worker, version)}
    times = {"created_on": worker["created_on"], "modified_on": worker.get("modified_on", worker["created_on"])}
    return ok({"id": worker["name"], "default_environment": environment, "environments": [environment], **times})


async def settings(request: Request) -> Response:
    """GET …/settings, without the texts of secrets"""
    worker, version = _live(request)
    return ok(
        {
            "bindings": without_secrets(version["bindings"]),
            "compatibility_date": version["compatibility_date"],
            "compatibility_flags": version["compatibility_flags"],
            "usage_model": version["usage_model"],
            "logpush": worker.get("logpush", False),
            "observability": worker.get("observability"),
            "tags": [],
            "tail_consumers": [],
            "placement": {},
            "limits": {},
        }
    )


async def content(request: Request) -> Response:
    """GET …/content/v2: the modules as multipart, the main one named in `cf-entrypoint`"""
    _, version = _live(request)
    boundary = uuid.uuid4().hex
    parts = []
    for module in version["modules"]:
        name, kind = module["name"], module["content_type"]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
        parts.append(head.encode() + base64.b64decode(module["content_base64"]) + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    headers = {"cf-entrypoint": version["main_module"]}
    return Response(body, media_type=f"multipart/form-data; boundary={boundary}", headers=headers)


async def delete(request: Request) -> Response:
    """DELETE …/workers/scripts/{name}"""
    world = world_of(request)
    worker = by_name(world, request.path_params["script"])
    if worker is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    remove_worker(world, worker, request.query_params.get("force") == "true")
    return ok(None)


async def put_schedules(request: Request) -> Response:
    """PUT …/schedules: a bare array of `{cron}`"""
    world, body = world_of(request), await json_body(request)
    if by_name(world, request.path_params["script"]) is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    if not isinstance(body, list) or any(set(s) != {"cron"} or len(str(s["cron"]).split()) != 5 for s in body):
        raise ApiError(400, 10100, "schedules: an array of {cron} with five fields is needed")
    schedules = [{"cron": s["cron"], "created_on": now(), "modified_on": now()} for s in body]
    world.store.put("schedules", request.path_params["script"], {"schedules": schedules})
    return ok({"schedules": schedules})


async def get_schedules(request: Request) -> Response:
    """GET …/schedules"""
    world = world_of(request)
    if by_name(world, request.path_params["script"]) is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    return ok(world.store.get("schedules", request.path_params["script"]) or {"schedules": []})


class Domain(Strict):
    """Body of a custom domain."""

    hostname: str
    service: str
    zone_id: str | None = None
    zone_name: str | None = None
    environment: str | None = None


async def put_domain(request: Request) -> Response:
    """PUT …/workers/domains"""
    world, body = world_of(request), parse(Domain, await json_body(request))
    if by_name(world, body.service) is None:
        raise ApiError(404, 100113, f"Worker '{body.service}' not found")
    if (body.zone_id or world.zone_id) != world.zone_id:
        raise ApiError(403, 100117, "zone does not belong to this account")
    if body.hostname != world.zone_name and not body.hostname.endswith("." + world.zone_name):
        raise ApiError(400, 100116, f"hostname '{body.hostname}' is not part of zone '{world.zone_name}'")
    if any(r["name"] == body.hostname for r in world.store.list("dns_record")):
        raise ApiError(409, 100117, f"Hostname '{body.hostname}' already has externally managed DNS records.")
    existing = next((d for d in world.store.list("domain") if d["hostname"] == body.hostname), None)
    domain = {
        "id": existing["id"] if existing else hex_id(),
        "hostname": body.hostname,
        "service": body.service,
        "environment": body.environment or "production",
        "zone_id": world.zone_id,
        "zone_name": world.zone_name,
        "cert_id": existing["cert_id"] if existing else hex_id(),
    }
    world.store.put("domain", domain["id"], domain)
    return ok(domain)


async def list_domains(request: Request) -> Response:
    """GET …/workers/domains"""
    return ok(world_of(request).store.list("domain"))


async def get_domain(request: Request) -> Response:
    """GET …/workers/domains/{id}"""
    return ok(found(world_of(request), "domain", request.path_params["domain"], "domain", 100114))


async def delete_domain(request: Request) -> Response:
    """DELETE …/workers/domains/{id}"""
    world = world_of(request)
    found(world, "domain", request.path_params["domain"], "domain", 100114)
    world.store.delete("domain", request.path_params["domain"])
    return ok(None)


BASE = "/accounts/{account}/workers"
ROUTES = [
    Route(BASE + "/scripts", index, methods=["GET"]),
    Route(BASE + "/scripts/{script}", upload, methods=["PUT"]),
    Route(BASE + "/scripts/{script}", delete, methods=["DELETE"]),
    Route(BASE + "/services/{script}", service, methods=["GET"]),
    Route(BASE + "/scripts/{script}/settings", settings, methods=["GET"]),
    Route(BASE + "/scripts/{script}/content/v2", content, methods=["GET"]),
    Route(BASE + "/scripts/{script}/schedules", put_schedules, methods=["PUT"]),
    Route(BASE + "/scripts/{script}/schedules", get_schedules, methods=["GET"]),
    Route(BASE + "/domains", put_domain, methods=["PUT"]),
    Route(BASE + "/domains", list_domains, methods=["GET"]),
    Route(BASE + "/domains/{domain}", get_domain, methods=["GET"]),
    Route(BASE + "/domains/{domain}", delete_domain, methods=["DELETE"]),
]
