"""Access service tokens: the secret is answered when it is made, and never again."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .access_models import Rotation, ServiceToken, ServiceTokenChange, invalid, seconds_of
from .endpoints import Json, json_body
from .envelope import now, ok, parse
from .world import World, found, world_of

KIND = "access_token"
TOKEN_FIELDS = ("id", "client_id", "name", "duration", "enabled", "client_secret_version", "expires_at")


def make_token(_: World, body: Any, old: Json | None) -> Json:
    """The token as it is kept; a higher `client_secret_version` makes a new secret. Raises ApiError 400."""
    if old is None:
        return _new(parse(ServiceToken, body, 12130, "access.api.error.invalid_request: "))
    change = parse(ServiceTokenChange, body, 12130, "access.api.error.invalid_request: ")
    duration = change.duration or old["duration"]
    changed = {
        **old,
        "name": change.name or old["name"],
        "duration": duration,
        "enabled": old["enabled"] if change.enabled is None else change.enabled,
        "expires_at": old["expires_at"] if duration == old["duration"] else _end(duration),
    }
    version = int(change.client_secret_version or old["client_secret_version"])
    if version < old["client_secret_version"]:
        raise invalid(f"client_secret_version can't go back from {old['client_secret_version']} to {version}")
    if version > old["client_secret_version"]:
        return _rotated(changed, version, change.previous_client_secret_expires_at)
    return changed


def _new(body: ServiceToken) -> Json:
    return {
        "client_id": f"{secrets.token_hex(16)}.access",
        "client_secret": secrets.token_hex(32),
        "client_secret_version": int(body.client_secret_version),
        "name": body.name,
        "duration": body.duration,
        "enabled": body.enabled,
        "expires_at": _end(body.duration),
    }


def _rotated(token: Json, version: int, overlap_until: str | None) -> Json:
    return {
        **token,
        "client_secret": secrets.token_hex(32),
        "client_secret_version": version,
        "previous_client_secret": token["client_secret"],
        "previous_client_secret_expires_at": overlap_until or now(),
    }


def _end(duration: str) -> str | None:
    if duration == "forever":
        return None
    moment = datetime.now(UTC) + timedelta(seconds=seconds_of(duration))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def show_token(_: World, token: Json, *, fresh: bool) -> Json:
    """The token as it is answered; `fresh`: its secret has just been made."""
    shown = {field: token[field] for field in (*TOKEN_FIELDS, "created_at", "updated_at")}
    return {**shown, "client_secret": token["client_secret"]} if fresh else shown


async def rotate(request: Request) -> Response:
    """POST …/service_tokens/{id}/rotate: a new secret; the former ends at once unless an overlap is asked for"""
    world = world_of(request)
    body = parse(Rotation, await json_body(request) if await request.body() else {}, 12130)
    old = found(world, KIND, request.path_params["id"], "access.api.error.not_found", 12135)
    token = _rotated(old, old["client_secret_version"] + 1, body.previous_client_secret_expires_at)
    token["updated_at"] = now()
    world.store.put(KIND, token["id"], token)
    return ok(show_token(world, token, fresh=True))


async def refresh(request: Request) -> Response:
    """POST …/service_tokens/{id}/refresh: the token's duration begins anew"""
    world = world_of(request)
    old = found(world, KIND, request.path_params["id"], "access.api.error.not_found", 12135)
    token = {**old, "expires_at": _end(old["duration"]), "updated_at": now()}
    world.store.put(KIND, token["id"], token)
    return ok(show_token(world, token, fresh=False))
