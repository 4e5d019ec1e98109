"""Workers (https://developers.cloudflare.com/api/resources/workers/subresources/beta/subresources/workers/)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .endpoints import PAGING, Json, endpoint, flag, json_body, listed
from .envelope import ApiError, hex_id, now, ok, parse
from .versions_store import active_versions
from .worker_models import Worker
from .world import World, world_of

SETTINGS = ("name", "logpush", "observability", "subdomain", "tags", "tail_consumers")


def by_name(world: World, name: str) -> Json | None:
    """The Worker of that name, or None."""
    return next(iter(world.store.select("worker", "name", name)), None)


def find(world: World, id_or_name: str) -> Json:
    """The Worker of that id or name. Raises ApiError 404."""
    worker = world.store.get("worker", id_or_name) or by_name(world, id_or_name)
    if worker is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    return worker


def new_worker(body: Worker) -> Json:
    """A Worker as it is kept. `classes` are its Durable Object classes with their storage."""
    return {"id": hex_id(), **_settings(body), "created_on": now(), "updated_on": now(), "classes": {}}


def _settings(body: Worker) -> Json:
    settings = body.model_dump(include=set(SETTINGS))
    if settings["observability"]["traces"]["propagation_policy"] is None:
        del settings["observability"]["traces"]["propagation_policy"]
    return {**settings, "subdomain": body.subdomain.settled()}


def _shown(worker: Json) -> Json:
    # Kept empty: filled in later by other objects, they would make every `refresh` of the Worker report a change.
    kinds = ("dispatch_namespace_outbounds", "domains", "durable_objects", "queues", "workers")
    references: dict[str, list[Any]] = {kind: [] for kind in kinds}
    fields = ("id", *SETTINGS, "created_on", "updated_on")
    return {**{field: worker[field] for field in fields}, "references": references}


async def create(request: Request) -> Response:
    """POST …/workers/workers"""
    world, body = world_of(request), parse(Worker, await json_body(request))
    _check_name_free(world, body.name)
    worker = new_worker(body)
    world.store.put("worker", worker["id"], worker)
    return ok(_shown(worker))


def _check_name_free(world: World, name: str) -> None:
    if by_name(world, name):
        raise ApiError(409, 10040, f"A Worker with the name '{name}' already exists.")


async def index(request: Request) -> Response:
    """GET …/workers/workers"""
    return listed(request, [_shown(worker) for worker in world_of(request).store.list("worker")])


async def read(request: Request) -> Response:
    """GET …/workers/workers/{id}"""
    return ok(_shown(find(world_of(request), request.path_params["worker"])))


async def replace(request: Request) -> Response:
    """PUT …/workers/workers/{id}: what is left out takes its default"""
    world, body = world_of(request), parse(Worker, await json_body(request))
    return ok(_shown(_change(world, find(world, request.path_params["worker"]), body)))


async def edit(request: Request) -> Response:
    """PATCH …/workers/workers/{id}: what is left out stays"""
    world, body = world_of(request), await json_body(request)
    worker = find(world, request.path_params["worker"])
    if not isinstance(body, dict):
        raise ApiError(400, 10001, "body: must be an object")
    merged = _merged({setting: worker[setting] for setting in SETTINGS}, body)
    return ok(_shown(_change(world, worker, parse(Worker, merged))))


def _merged(old: Json, new: Json) -> Json:
    both = {k: _merged(old[k], v) for k, v in new.items() if isinstance(v, dict) and isinstance(old.get(k), dict)}
    return {**old, **new, **both}


def _change(world: World, worker: Json, body: Worker) -> Json:
    changed = {**worker, **_settings(body), "updated_on": now()}
    with world.store.change():
        if body.name != worker["name"]:
            _rename(world, worker, body.name)
        world.store.put("worker", worker["id"], changed)
    return changed


def _rename(world: World, worker: Json, name: str) -> None:
    _check_name_free(world, name)
    _check_unbound(world, worker, "rename")
    for kind, field in (("domain", "service"), ("route", "script")):
        for item in world.store.select(kind, field, worker["name"]):
            world.store.put(kind, item["id"], {**item, field: name})


async def delete(request: Request) -> Response:
    """DELETE …/workers/workers/{id}; refused while another Worker refers to it, unless `force=true`"""
    world = world_of(request)
    remove_worker(world, find(world, request.path_params["worker"]), force=flag(request, "force"))
    return ok({})


def remove_worker(world: World, worker: Json, *, force: bool) -> None:
    """Deletes a Worker with its versions, deployments, custom domains, routes and cron triggers."""
    if not force:
        _check_unbound(world, worker, "delete")
    with world.store.change():
        for kind, field, value in (
            ("version", "worker_id", worker["id"]),
            ("deployment", "worker_id", worker["id"]),
            ("domain", "service", worker["name"]),
            ("route", "script", worker["name"]),
        ):
            for item in world.store.select(kind, field, value):
                world.store.delete(kind, item["id"])
        world.store.delete("schedules", worker["id"])
        world.store.delete("worker", worker["id"])


def _check_unbound(world: World, worker: Json, verb: str) -> None:
    others = [w for w in world.store.list("worker") if w["id"] != worker["id"]]
    users = sorted(w["name"] for w in others if _refers(active_versions(world, w["id"]), worker["name"]))
    if users:
        raise ApiError(
            400,
            10142,
            f"Cannot {verb} Worker '{worker['name']}': it is referenced by bindings of {', '.join(users)}. "
            "Remove the bindings first, or use force=true.",
        )


def _refers(versions: list[Json], name: str) -> bool:
    return any(name in (b.get("service"), b.get("script_name")) for v in versions for b in v["bindings"])


BASE = "/accounts/{account}/workers/workers"
ROUTES = [
    endpoint("POST", BASE, create),
    endpoint("GET", BASE, index, *PAGING),
    endpoint("GET", BASE + "/{worker}", read),
    endpoint("PUT", BASE + "/{worker}", replace),
    endpoint("PATCH", BASE + "/{worker}", edit),
    endpoint("DELETE", BASE + "/{worker}", delete, "force"),
]
