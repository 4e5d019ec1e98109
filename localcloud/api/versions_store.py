"""Versions and deployments as they are kept: immutable versions, the last deployment is live."""

from __future__ import annotations

from typing import Any

from .bindings import check_bindings
from .envelope import ApiError, dump, now, uuid_id
from .modules import check_modules
from .worker_models import Deployment, Migrations, Step, Version
from .world import World

Json = dict[str, Any]
AUTHOR = "local@cloud.invalid"


def versions_of(world: World, worker_id: str) -> list[Json]:
    """A Worker's versions, oldest first."""
    return list(world.store.select("version", "worker_id", worker_id))


def deployments_of(world: World, worker_id: str) -> list[Json]:
    """A Worker's deployments, oldest first."""
    return list(world.store.select("deployment", "worker_id", worker_id))


def active_versions(world: World, worker_id: str) -> list[Json]:
    """The versions of the last deployment, each with its `percentage`, in the deployment's order."""
    deployments = deployments_of(world, worker_id)
    shares = deployments[-1]["versions"] if deployments else []
    versions = [(world.store.get("version", share["version_id"]), share["percentage"]) for share in shares]
    return [{**version, "percentage": percentage} for version, percentage in versions if version is not None]


def add_version(world: World, worker: Json, body: Version) -> Json:
    """Checks and stores a version; its number counts from 1. Raises ApiError 400."""
    earlier = versions_of(world, worker["id"])
    known = {v["id"]: v["bindings"] for v in earlier} | ({"latest": earlier[-1]["bindings"]} if earlier else {})
    classes = _migrated(worker, body.migrations)
    optional = {name: getattr(body, name) for name in ("limits", "placement", "migrations")}
    version = {
        "id": uuid_id(),
        "worker_id": worker["id"],
        "number": earlier[-1]["number"] + 1 if earlier else 1,
        "main_module": body.main_module,
        "modules": check_modules(body.modules, body.main_module),
        "bindings": check_bindings(world, body.bindings, own_name=worker["name"], classes=list(classes), earlier=known),
        "compatibility_date": body.compatibility_date,
        "compatibility_flags": body.compatibility_flags,
        "usage_model": body.usage_model,
        "annotations": {"workers/triggered_by": "upload", **dump(body.annotations)},
        **{name: dump(value) for name, value in optional.items() if value is not None},
        "source": "api",
        "author_email": AUTHOR,
        "startup_time_ms": 1,
        "urls": [],
        "created_on": now(),
    }
    tag = body.migrations.new_tag if body.migrations else worker.get("migration_tag")
    with world.store.change():
        world.store.put("version", version["id"], version)
        world.store.put("worker", worker["id"], {**worker, "classes": classes, "migration_tag": tag})
    return version


def _migrated(worker: Json, migrations: Migrations | None) -> dict[str, str]:
    classes: dict[str, str] = dict(worker["classes"])
    if migrations is None:
        return classes
    if migrations.old_tag != worker.get("migration_tag"):
        raise ApiError(400, 10079, f"migrations: old_tag must be '{worker.get('migration_tag')}'")
    for step in (migrations, *migrations.steps):
        _apply(classes, step)
    return classes


def _apply(classes: dict[str, str], step: Step) -> None:
    for storage, names in (("kv", step.new_classes), ("sqlite", step.new_sqlite_classes)):
        for name in names:
            if name in classes:
                raise ApiError(400, 10074, f"Cannot apply new-class migration to class '{name}': it exists already")
            classes[name] = storage
    for name in (*(rename.source for rename in step.renamed_classes), *step.deleted_classes):
        if name not in classes:
            raise ApiError(400, 10061, f"migrations: there is no class '{name}'")
    for rename in step.renamed_classes:
        classes[rename.to] = classes.pop(rename.source)
    for name in step.deleted_classes:
        del classes[name]


def add_deployment(world: World, worker: Json, body: Deployment) -> Json:
    """Stores a deployment, which is live at once. Raises ApiError 400 for other versions or shares than can be."""
    known = {v["id"] for v in versions_of(world, worker["id"])}
    for share in body.versions:
        if share.version_id not in known:
            raise ApiError(400, 100146, f"Version '{share.version_id}' of '{worker['name']}' does not exist")
    if len({share.version_id for share in body.versions}) != len(body.versions):
        raise ApiError(400, 10001, "versions: each may be named once")
    if abs(sum(share.percentage for share in body.versions) - 100) > 0.001:
        raise ApiError(400, 10001, "versions: the percentages must sum to 100")
    deployment = {
        "id": uuid_id(),
        "worker_id": worker["id"],
        "source": "api",
        "author_email": AUTHOR,
        "annotations": {"workers/triggered_by": "deployment", **dump(body.annotations)},
        "created_on": now(),
        "strategy": body.strategy,
        "versions": [share.model_dump() for share in body.versions],
    }
    world.store.put("deployment", deployment["id"], deployment)
    return deployment
