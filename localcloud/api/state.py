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

from .tunnels import token_of
from .workers import active_versions
from .world import World, world_of

POLL_SECONDS = 25.0


def state_document(world: World) -> dict[str, Any]:
    """Everything that the edge needs, secrets included."""
    store = world.store
    return {
        "revision": store.revision,
        "account_id": world.account_id,
        "zone": {"id": world.zone_id, "name": world.zone_name},
        "workers": [_worker(world, w) for w in store.list("worker")],
        "domains": store.list("domain"),
        "routes": [],
        "kv_namespaces": store.list("kv_namespace"),
        "tunnels": [_tunnel(world, t) for t in store.list("tunnel")],
        "connectivity_services": store.list("connectivity_service"),
        "dns_records": store.list("dns_record"),
        "access": {
            "apps": store.list("access_app"),
            "policies": store.list("access_policy"),
            "groups": store.list("access_group"),
            "identity_providers": store.list("access_idp"),
            "service_tokens": store.list("access_token"),
            "signing_keys": signing_keys(world),
        },
    }


def _worker(world: World, worker: dict[str, Any]) -> dict[str, Any]:
    schedules = world.store.get("schedules", worker["name"]) or {"schedules": []}
    hidden = {"worker_id", "source", "annotations"}
    versions = [{k: v for k, v in version.items() if k not in hidden} for version in active_versions(world, worker)]
    return {"name": worker["name"], "crons": [s["cron"] for s in schedules["schedules"]], "versions": versions}


def _tunnel(world: World, tunnel: dict[str, Any]) -> dict[str, Any]:
    config = world.store.get("tunnel_config", tunnel["id"])
    return {
        "id": tunnel["id"],
        "name": tunnel["name"],
        "token": token_of(world, tunnel),
        "config": config["config"] if config else None,
    }


def signing_keys(world: World) -> list[dict[str, Any]]:
    """Two RS256 keys as Access has them: the current one signs, both verify. Made once."""
    kept = world.store.get("signing_keys", "access")
    if kept is None:
        kept = {"keys": [_new_key(), _new_key()]}
        world.store.put("signing_keys", "access", kept)
    return list(kept["keys"])


def _new_key() -> dict[str, Any]:
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    public = numbers.public_numbers
    values = {
        "n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
        "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
    }  # fmt: skip
    encoded = {k: _base64url(v) for k, v in values.items()}
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": encoded["n"][:43], **encoded}


def _base64url(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


async def health(_: Request) -> Response:
    """GET /_local/health"""
    return JSONResponse({"status": "ok"})


async def state(request: Request) -> Response:
    """GET /_local/state?after=N: long poll"""
    world, after = world_of(request), int(request.query_params.get("after", "0"))
    deadline = time.monotonic() + POLL_SECONDS
    while world.store.revision <= after:
        if time.monotonic() > deadline or await request.is_disconnected():
            return Response(status_code=304)
        await asyncio.sleep(0.05)
    return JSONResponse(state_document(world))


async def kv_get(request: Request) -> Response:
    """GET /_local/kv/{ns}/{key}"""
    entry = world_of(request).store.kv_get(request.path_params["ns"], request.path_params["key"])
    return Response(status_code=404) if entry is None else Response(entry[0], media_type="application/octet-stream")


async def kv_put(request: Request) -> Response:
    """PUT /_local/kv/{ns}/{key}"""
    world_of(request).store.kv_put(request.path_params["ns"], request.path_params["key"], await request.body(), None)
    return Response(status_code=204)


async def kv_delete(request: Request) -> Response:
    """DELETE /_local/kv/{ns}/{key}"""
    world_of(request).store.kv_delete(request.path_params["ns"], request.path_params["key"])
    return Response(status_code=204)


ROUTES = [
    Route("/_local/state", state),
    Route("/_local/kv/{ns}/{key:path}", kv_get, methods=["GET"]),
    Route("/_local/kv/{ns}/{key:path}", kv_put, methods=["PUT"]),
    Route("/_local/kv/{ns}/{key:path}", kv_delete, methods=["DELETE"]),
]
