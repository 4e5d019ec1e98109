"""Local control endpoints, apart from Cloudflare's API: what the edge runs, and the KV data plane."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .access_apps import show_app
from .connectivity import shown as shown_service
from .endpoints import Json
from .envelope import ApiError, hex_id
from .kv import KIND, MAX_VALUE, key_of
from .store import KvEntry
from .tunnels import live_tunnels, token_of
from .versions_store import active_versions
from .world import World, found, world_of

POLL_SECONDS = 24.5
LOOK_SECONDS = 0.05
VERSION_FIELDS = (
    *("percentage", "id", "number", "main_module", "modules", "bindings"),
    *("compatibility_date", "compatibility_flags", "created_on"),
)


def state_document(world: World) -> Json:
    """Everything that the edge needs, secrets included."""
    store = world.store
    return {
        "revision": store.revision,
        "account_id": world.account_id,
        "zone": {"id": world.zone_id, "name": world.zone_name},
        "workers": [_worker(world, worker) for worker in store.list("worker")],
        "domains": store.list("domain"),
        "routes": [{"script": None, **route, "zone_id": world.zone_id} for route in store.list("route")],
        "kv_namespaces": store.list("kv_namespace"),
        "tunnels": [_tunnel(world, tunnel) for tunnel in live_tunnels(world)],
        "connectivity_services": [shown_service(service) for service in store.list("connectivity_service")],
        "dns_records": store.list("dns_record"),
        "access": {
            "apps": [show_app(world, app) for app in store.list("access_app")],
            "policies": store.list("access_policy"),
            "groups": store.list("access_group"),
            "identity_providers": store.list("access_idp"),
            "service_tokens": store.list("access_token"),
            "signing_keys": signing_keys(world),
        },
    }


def _worker(world: World, worker: Json) -> Json:
    schedules = world.store.get("schedules", worker["id"]) or {"schedules": []}
    return {
        "id": worker["id"],
        "name": worker["name"],
        "crons": [schedule["cron"] for schedule in schedules["schedules"]],
        "durable_objects": worker["classes"],
        "versions": [_version(version) for version in active_versions(world, worker["id"])],
    }


def _version(version: Json) -> Json:
    return {field: version[field] for field in VERSION_FIELDS} | {"tag": version["annotations"].get("workers/tag", "")}


def _tunnel(world: World, tunnel: Json) -> Json:
    config = world.store.get("tunnel_config", tunnel["id"])
    return {
        "id": tunnel["id"],
        "name": tunnel["name"],
        "token": token_of(world, tunnel),
        "config": config["config"] if config else None,
    }


def signing_keys(world: World) -> list[Json]:
    """Two RS256 keys as Access has them: the first signs, both verify. Made once."""
    kept = world.store.get("signing_keys", "access")
    if kept is None:
        kept = {"keys": [_new_key(), _new_key()]}
        world.store.put("signing_keys", "access", kept)
    return list(kept["keys"])


def _new_key() -> Json:
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    public = numbers.public_numbers
    values: dict[str, int] = {
        "n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
        "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
    }  # fmt: skip
    encoded: dict[str, Any] = {name: _base64url(value) for name, value in values.items()}
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": hex_id() + hex_id(), **encoded}


def _base64url(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


async def health(_: Request) -> Response:
    """GET /_local/health"""
    return JSONResponse({"status": "ok"})


async def state(request: Request) -> Response:
    """GET /_local/state?after=N: at once where the revision is higher, else 304 within 25 seconds"""
    world, after = world_of(request), request.query_params.get("after", "0")
    if not after.isascii() or not after.isdigit():
        raise ApiError(400, 10001, "after must be a revision, a whole number")
    deadline = time.monotonic() + POLL_SECONDS
    while world.store.revision <= int(after):
        if time.monotonic() > deadline or request.app.state.closing or await request.is_disconnected():
            return Response(status_code=304)
        await asyncio.sleep(LOOK_SECONDS)
    return JSONResponse(state_document(world), headers={"cache-control": "no-store"})


def _namespace(request: Request) -> str:
    namespace = found(world_of(request), KIND, request.path_params["ns"], "namespace not found", 10013)
    return str(namespace["id"])


async def kv_get(request: Request) -> Response:
    """GET /_local/kv/{ns}/{key}: the raw value, 404 where there is none"""
    entry = world_of(request).store.kv_get(_namespace(request), key_of(request))
    if entry is None:
        raise ApiError(404, 10009, "key not found")
    return Response(entry.value, media_type="application/octet-stream")


async def kv_put(request: Request) -> Response:
    """PUT /_local/kv/{ns}/{key}: the raw value; it takes the place of metadata and expiration too"""
    value = await request.body()
    if len(value) > MAX_VALUE:
        raise ApiError(413, 10030, "value is larger than 25 MiB")
    entry = KvEntry(key=key_of(request), value=value, metadata=None, expiration=None)
    world_of(request).store.kv_put(_namespace(request), entry)
    return Response(status_code=204)


async def kv_delete(request: Request) -> Response:
    """DELETE /_local/kv/{ns}/{key}"""
    world_of(request).store.kv_delete(_namespace(request), key_of(request))
    return Response(status_code=204)


ROUTES = [
    Route("/_local/health", health, methods=["GET"]),
    Route("/_local/state", state, methods=["GET"]),
    Route("/_local/kv/{ns}/{key:path}", kv_get, methods=["GET"]),
    Route("/_local/kv/{ns}/{key:path}", kv_put, methods=["PUT"]),
    Route("/_local/kv/{ns}/{key:path}", kv_delete, methods=["DELETE"]),
]
