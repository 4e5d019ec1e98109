"""Workers, their versions and deployments (https://developers.cloudflare.com/api/resources/workers/)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .bindings import check_bindings, check_modules, without_secrets
from .envelope import ApiError, Strict, dump, hex_id, now, ok, parse, uuid_id
from .world import World, found, json_body, world_of


class Logs(Strict):
    """`observability.logs`"""

    enabled: bool = False
    head_sampling_rate: float = 1
    invocation_logs: bool = True
    persist: bool = True
    destinations: list[str] = []


class Traces(Strict):
    """`observability.traces`"""

    enabled: bool = False
    head_sampling_rate: float = 1
    persist: bool = True
    destinations: list[str] = []


class Observability(Strict):
    """`observability`"""

    enabled: bool = False
    head_sampling_rate: float = 1
    logs: Logs | None = None
    traces: Traces | None = None


class Subdomain(Strict):
    """`subdomain`: workers.dev and preview URLs."""

    enabled: bool = False
    previews_enabled: bool = False


class TailConsumer(Strict):
    """`tail_consumers[]`"""

    name: str


class Worker(Strict):
    """Body of create and update."""

    name: str = Field(pattern=r"^[a-z0-9_][a-z0-9-_]{0,62}$")
    logpush: bool = False
    observability: Observability | None = None
    subdomain: Subdomain | None = None
    tags: list[str] = []
    tail_consumers: list[TailConsumer] = []


class Version(Strict):
    """Body of a version."""

    main_module: str | None = None
    modules: list[dict[str, Any]] = []
    bindings: list[dict[str, Any]] = []
    compatibility_date: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    compatibility_flags: list[str] = []
    annotations: dict[str, str] = {}
    usage_model: Literal["standard", "bundled", "unbound"] = "standard"


class Share(Strict):
    """`versions[]` of a deployment."""

    version_id: str
    percentage: float


class Deployment(Strict):
    """Body of a deployment."""

    strategy: Literal["percentage"]
    versions: list[Share]
    annotations: dict[str, str] = {}


def by_name(world: World, name: str) -> dict[str, Any] | None:
    """The Worker of that name."""
    return next((w for w in world.store.list("worker") if w["name"] == name), None)


def _find(world: World, id_or_name: str) -> dict[str, Any]:
    worker = world.store.get("worker", id_or_name) or by_name(world, id_or_name)
    if worker is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    return worker


def _shape(body: Worker) -> dict[str, Any]:
    observability = {
        "enabled": False,
        "head_sampling_rate": 1,
        "logs": dump(Logs()) | {"enabled": False, "head_sampling_rate": 1, "invocation_logs": True, "persist": True},
        "traces": {"enabled": False, "head_sampling_rate": 1, "persist": True, "destinations": []},
    }
    sent = dump(body.observability) if body.observability else {}
    for part in ("logs", "traces"):
        if isinstance(sent.get(part), dict):
            sent[part] = {**observability[part], **sent[part]}  # type: ignore[dict-item]
    return {
        "name": body.name,
        "logpush": body.logpush,
        "observability": {**observability, **{k: v for k, v in sent.items() if v is not None}},
        "subdomain": {"enabled": False, "previews_enabled": False, **(dump(body.subdomain) if body.subdomain else {})},
        "tags": body.tags,
        "tail_consumers": [dump(t) for t in body.tail_consumers],
    }


async def create(request: Request) -> Response:
    """POST …/workers/workers"""
    world, body = world_of(request), parse(Worker, await json_body(request))
    if by_name(world, body.name):
        raise ApiError(409, 10040, f"A Worker with the name '{body.name}' already exists.")
    worker = {"id": hex_id(), **_shape(body), "references": _references(), "created_on": now(), "updated_on": now()}
    world.store.put("worker", worker["id"], worker)
    return ok(worker)


def _references() -> dict[str, list[Any]]:
    kinds = ("dispatch_namespace_outbounds", "domains", "durable_objects", "queues", "workers")
    return {kind: [] for kind in kinds}


async def index(request: Request) -> Response:
    """GET …/workers/workers"""
    return ok([w for w in world_of(request).store.list("worker") if not w.get("script")])


async def read(request: Request) -> Response:
    """GET …/workers/workers/{id}"""
    return ok(_find(world_of(request), request.path_params["worker"]))


async def update(request: Request) -> Response:
    """PUT …/workers/workers/{id}"""
    world, body = world_of(request), parse(Worker, await json_body(request))
    worker = _find(world, request.path_params["worker"])
    other = by_name(world, body.name)
    if other and other["id"] != worker["id"]:
        raise ApiError(409, 10040, f"A Worker with the name '{body.name}' already exists.")
    changed = {**worker, **_shape(body), "updated_on": now()}
    world.store.put("worker", worker["id"], changed)
    return ok(changed)


async def delete(request: Request) -> Response:
    """DELETE …/workers/workers/{id}; refused while another Worker is bound to it, unless `force=true`."""
    world = world_of(request)
    remove_worker(world, _find(world, request.path_params["worker"]), request.query_params.get("force") == "true")
    return ok({})


def remove_worker(world: World, worker: dict[str, Any], force: bool) -> None:
    """Deletes a Worker with its versions, deployments, custom domains and cron triggers."""
    users = [w["name"] for w in world.store.list("worker") if w["id"] != worker["id"] and _is_bound(world, w, worker)]
    if users and not force:
        raise ApiError(400, 10064, f"Cannot delete '{worker['name']}': bound by {', '.join(sorted(users))}.")
    with world.store.change():
        for kind, owner in (("version", "worker_id"), ("deployment", "worker_id")):
            for item in world.store.list(kind):
                if item[owner] == worker["id"]:
                    world.store.delete(kind, item["id"])
        for domain in world.store.list("domain"):
            if domain["service"] == worker["name"]:
                world.store.delete("domain", domain["id"])
        world.store.delete("schedules", worker["name"])
        world.store.delete("worker", worker["id"])


def _is_bound(world: World, user: dict[str, Any], worker: dict[str, Any]) -> bool:
    active = active_versions(world, user)
    return any(b["type"] == "service" and b["service"] == worker["name"] for v in active for b in v["bindings"])


async def create_version(request: Request) -> Response:
    """POST …/workers/workers/{id}/versions"""
    world, body = world_of(request), parse(Version, await json_body(request))
    worker = _find(world, request.path_params["worker"])
    version = add_version(world, worker, body)
    return ok(_version_answer(version))


def add_version(world: World, worker: dict[str, Any], body: Version) -> dict[str, Any]:
    """Checks and stores a version; its number counts from 1."""
    earlier = versions_of(world, worker)
    previous = earlier[-1]["bindings"] if earlier else []
    version = {
        "id": uuid_id(),
        "worker_id": worker["id"],
        "number": len(earlier) + 1 if not earlier else earlier[-1]["number"] + 1,
        "main_module": body.main_module,
        "modules": check_modules(body.modules, body.main_module),
        "bindings": check_bindings(world, body.bindings, previous, worker["name"]),
        "compatibility_date": body.compatibility_date,
        "compatibility_flags": body.compatibility_flags,
        "usage_model": body.usage_model,
        "annotations": {"workers/triggered_by": "upload", **body.annotations},
        "source": "terraform",
        "created_on": now(),
    }
    world.store.put("version", version["id"], version)
    return version


def _version_answer(version: dict[str, Any], include_modules: bool = False) -> dict[str, Any]:
    hidden = {"worker_id"} if include_modules else {"worker_id", "modules"}
    shown = {k: v for k, v in version.items() if k not in hidden}
    return {**shown, "bindings": without_secrets(version["bindings"])}


async def read_version(request: Request) -> Response:
    """GET …/versions/{version}; `include=modules` adds the code."""
    world = world_of(request)
    worker = _find(world, request.path_params["worker"])
    version = found(world, "version", request.path_params["version"], "Version", 10100)
    if version["worker_id"] != worker["id"]:
        raise ApiError(404, 10100, "Version not found")
    return ok(_version_answer(version, request.query_params.get("include") == "modules"))


async def list_versions(request: Request) -> Response:
    """GET …/versions"""
    world = world_of(request)
    return ok([_version_answer(v) for v in versions_of(world, _find(world, request.path_params["worker"]))])


def versions_of(world: World, worker: dict[str, Any]) -> list[dict[str, Any]]:
    """A Worker's versions, oldest first."""
    return [v for v in world.store.list("version") if v["worker_id"] == worker["id"]]


def active_versions(world: World, worker: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions of the last deployment, each with its `percentage`."""
    deployments = [d for d in world.store.list("deployment") if d["worker_id"] == worker["id"]]
    if not deployments:
        return []
    shares = {s["version_id"]: s["percentage"] for s in deployments[-1]["versions"]}
    return [{**v, "percentage": shares[v["id"]]} for v in versions_of(world, worker) if v["id"] in shares]


async def create_deployment(request: Request) -> Response:
    """POST …/workers/scripts/{name}/deployments"""
    world, body = world_of(request), parse(Deployment, await json_body(request))
    worker = _find(world, request.path_params["script"])
    known = {v["id"] for v in versions_of(world, worker)}
    for share in body.versions:
        if share.version_id not in known:
            raise ApiError(400, 10100, f"versions: '{share.version_id}' is no version of '{worker['name']}'")
    if not 1 <= len(body.versions) <= 2 or abs(sum(s.percentage for s in body.versions) - 100) > 0.001:
        raise ApiError(400, 10101, "versions: one or two, whose percentages sum to 100")
    return ok(_deployment_answer(add_deployment(world, worker, dump(body))))


def add_deployment(world: World, worker: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Stores a deployment; the last one is live."""
    deployment = {
        "id": uuid_id(),
        "worker_id": worker["id"],
        "source": "api",
        "author_email": "local@mbgate.invalid",
        "annotations": {"workers/triggered_by": "deployment", **body.get("annotations", {})},
        "created_on": now(),
        "strategy": body["strategy"],
        "versions": body["versions"],
    }
    world.store.put("deployment", deployment["id"], deployment)
    return deployment


def _deployment_answer(deployment: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in deployment.items() if k != "worker_id"}


async def read_deployment(request: Request) -> Response:
    """GET …/deployments/{id}"""
    world = world_of(request)
    worker = _find(world, request.path_params["script"])
    deployment = found(world, "deployment", request.path_params["deployment"], "Deployment", 10102)
    if deployment["worker_id"] != worker["id"]:
        raise ApiError(404, 10102, "Deployment not found")
    return ok(_deployment_answer(deployment))


async def list_deployments(request: Request) -> Response:
    """GET …/deployments, newest first"""
    world = world_of(request)
    worker = _find(world, request.path_params["script"])
    own = [_deployment_answer(d) for d in world.store.list("deployment") if d["worker_id"] == worker["id"]]
    return ok({"deployments": own[::-1]})


BASE = "/accounts/{account}/workers"
ROUTES = [
    Route(BASE + "/workers", create, methods=["POST"]),
    Route(BASE + "/workers", index, methods=["GET"]),
    Route(BASE + "/workers/{worker}", read, methods=["GET"]),
    Route(BASE + "/workers/{worker}", update, methods=["PUT"]),
    Route(BASE + "/workers/{worker}", delete, methods=["DELETE"]),
    Route(BASE + "/workers/{worker}/versions", create_version, methods=["POST"]),
    Route(BASE + "/workers/{worker}/versions", list_versions, methods=["GET"]),
    Route(BASE + "/workers/{worker}/versions/{version}", read_version, methods=["GET"]),
    Route(BASE + "/scripts/{script}/deployments", create_deployment, methods=["POST"]),
    Route(BASE + "/scripts/{script}/deployments", list_deployments, methods=["GET"]),
    Route(BASE + "/scripts/{script}/deployments/{deployment}", read_deployment, methods=["GET"]),
]
