"""Versions of a Worker and their deployments (https://developers.cloudflare.com/workers/configuration/versions-and-deployments/)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from .bindings import without_secrets
from .endpoints import PAGING, Json, endpoint, flag, json_body, listed
from .envelope import ApiError, ok, parse
from .versions_store import active_versions, add_deployment, add_version, deployments_of, versions_of
from .worker_models import Deployment, Share, Version
from .workers import find
from .world import found, world_of


async def create_version(request: Request) -> Response:
    """POST …/versions; `deploy=true` sends all traffic to it"""
    world, body = world_of(request), parse(Version, await json_body(request))
    worker = find(world, request.path_params["worker"])
    deploy = flag(request, "deploy")
    with world.store.change():
        version = add_version(world, worker, body)
        if deploy:
            share = Share(version_id=version["id"], percentage=100)
            add_deployment(world, worker, Deployment(strategy="percentage", versions=[share]))
    return ok(_shown_version(version))


def _shown_version(version: Json, *, modules: bool = False) -> Json:
    hidden = ("worker_id",) if modules else ("worker_id", "modules")
    shown = {k: v for k, v in version.items() if k not in hidden and v is not None}
    return {**shown, "bindings": without_secrets(version["bindings"])}


def _version(request: Request) -> Json:
    world = world_of(request)
    worker = find(world, request.path_params["worker"])
    version = found(world, "version", request.path_params["version"], "Version not found", 100146)
    if version["worker_id"] != worker["id"]:
        raise ApiError(404, 100146, "Version not found")
    return version


async def read_version(request: Request) -> Response:
    """GET …/versions/{version}; `include=modules` adds the code"""
    include = request.query_params.get("include")
    if include not in (None, "modules"):
        raise ApiError(400, 10001, "query parameter 'include' must be modules")
    return ok(_shown_version(_version(request), modules=include == "modules"))


async def list_versions(request: Request) -> Response:
    """GET …/versions, newest first"""
    world = world_of(request)
    worker = find(world, request.path_params["worker"])
    return listed(request, [_shown_version(v) for v in versions_of(world, worker["id"])[::-1]])


async def delete_version(request: Request) -> Response:
    """DELETE …/versions/{version}; refused for one that is deployed"""
    world, version = world_of(request), _version(request)
    if any(v["id"] == version["id"] for v in active_versions(world, version["worker_id"])):
        raise ApiError(400, 10001, f"Version '{version['id']}' is deployed and can't be deleted")
    world.store.delete("version", version["id"])
    return ok({})


async def create_deployment(request: Request) -> Response:
    """POST …/workers/scripts/{name}/deployments"""
    world, body = world_of(request), parse(Deployment, await json_body(request))
    flag(request, "force")
    return ok(_shown_deployment(add_deployment(world, find(world, request.path_params["script"]), body)))


def _shown_deployment(deployment: Json) -> Json:
    return {k: v for k, v in deployment.items() if k != "worker_id"}


async def read_deployment(request: Request) -> Response:
    """GET …/deployments/{id}"""
    world = world_of(request)
    worker = find(world, request.path_params["script"])
    deployment = found(world, "deployment", request.path_params["deployment"], "Deployment not found", 10336)
    if deployment["worker_id"] != worker["id"]:
        raise ApiError(404, 10336, "Deployment not found")
    return ok(_shown_deployment(deployment))


async def list_deployments(request: Request) -> Response:
    """GET …/deployments, newest first: the first is live"""
    world = world_of(request)
    worker = find(world, request.path_params["script"])
    shown = [_shown_deployment(d) for d in deployments_of(world, worker["id"])[::-1]]
    return listed(request, shown, under="deployments")


VERSIONS = "/accounts/{account}/workers/workers/{worker}/versions"
DEPLOYMENTS = "/accounts/{account}/workers/scripts/{script}/deployments"
ROUTES = [
    endpoint("POST", VERSIONS, create_version, "deploy"),
    endpoint("GET", VERSIONS, list_versions, *PAGING),
    endpoint("GET", VERSIONS + "/{version}", read_version, "include"),
    endpoint("DELETE", VERSIONS + "/{version}", delete_version),
    endpoint("POST", DEPLOYMENTS, create_deployment, "force"),
    endpoint("GET", DEPLOYMENTS, list_deployments, *PAGING),
    endpoint("GET", DEPLOYMENTS + "/{deployment}", read_deployment),
]
