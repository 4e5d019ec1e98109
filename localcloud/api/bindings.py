"""Bindings and modules of a Worker: what each type must have, and whether what it names exists.

Source: https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/#bindings
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from .envelope import ApiError
from .world import World

REQUIRED: dict[str, dict[str, type | tuple[type, ...]]] = {
    "kv_namespace": {"namespace_id": str},
    "secret_text": {"text": str},
    "plain_text": {"text": str},
    "json": {"json": (str, dict, list, int, float, bool)},
    "service": {"service": str},
    "analytics_engine": {"dataset": str},
    "vpc_service": {"service_id": str},
    "version_metadata": {},
    "ratelimit": {"namespace_id": str, "simple": dict},
    "inherit": {},
}
OPTIONAL = {"service": {"entrypoint", "environment"}, "inherit": {"old_name", "version_id"}}
MODULE_TYPES = {
    "application/javascript+module",
    "application/json",
    "text/plain",
    "application/octet-stream",
    "application/wasm",
}


def check_bindings(world: World, bindings: Any, previous: list[dict[str, Any]], own_name: str) -> list[dict[str, Any]]:
    """The bindings to store; `inherit` takes its value from `previous`. Raises on anything unknown or dangling."""
    if not isinstance(bindings, list):
        raise ApiError(400, 10021, "bindings: must be an array")
    seen: set[str] = set()
    stored = []
    for binding in bindings:
        if not isinstance(binding, dict) or not isinstance(binding.get("name"), str):
            raise ApiError(400, 10021, "bindings: each needs a name")
        if binding["name"] in seen:
            raise ApiError(400, 10021, f"binding name '{binding['name']}' already in use")
        seen.add(binding["name"])
        stored.append(_check(world, binding, previous, own_name))
    return stored


def _check(world: World, binding: dict[str, Any], previous: list[dict[str, Any]], own_name: str) -> dict[str, Any]:
    name, kind = binding["name"], binding.get("type")
    if kind not in REQUIRED:
        raise ApiError(400, 10021, f"binding '{name}' has the unknown type '{kind}'")
    fields = {k: v for k, v in binding.items() if k not in ("name", "type") and v is not None}
    required = REQUIRED[str(kind)]
    unknown = set(fields) - set(required) - OPTIONAL.get(str(kind), set())
    if unknown:
        raise ApiError(400, 10021, f"binding '{name}' of type {kind} has unknown fields: {', '.join(sorted(unknown))}")
    for field, types in required.items():
        if not isinstance(fields.get(field), types):
            raise ApiError(400, 10021, f"binding '{name}' of type {kind} must have a valid '{field}'")
    if kind == "inherit":
        return _inherited(fields.get("old_name", name), name, previous)
    _check_target(world, name, str(kind), fields, own_name)
    return {"name": name, "type": kind, **fields}


def _inherited(old_name: str, name: str, previous: list[dict[str, Any]]) -> dict[str, Any]:
    for binding in previous:
        if binding["name"] == old_name:
            return {**binding, "name": name}
    raise ApiError(400, 10021, f"binding '{name}' can't inherit: there is no '{old_name}'")


def _check_target(world: World, name: str, kind: str, fields: dict[str, Any], own_name: str) -> None:
    if kind == "kv_namespace" and world.store.get("kv_namespace", fields["namespace_id"]) is None:
        raise ApiError(400, 10041, f"KV namespace '{fields['namespace_id']}' not found (binding '{name}')")
    if kind == "vpc_service" and world.store.get("connectivity_service", fields["service_id"]) is None:
        raise ApiError(400, 10021, f"VPC service '{fields['service_id']}' not found (binding '{name}')")
    if kind == "service" and fields["service"] != own_name:
        workers = {w["name"] for w in world.store.list("worker")}
        if fields["service"] not in workers:
            raise ApiError(400, 10143, f"Could not resolve service binding '{name}': '{fields['service']}' not found")
    if kind == "ratelimit":
        simple = fields["simple"]
        if set(simple) != {"limit", "period"} or simple.get("period") not in (10, 60):
            raise ApiError(
                400, 10021, f"binding '{name}' of type ratelimit needs simple.limit and a period of 10 or 60"
            )


def without_secrets(bindings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bindings as they are read back: a secret's text never leaves again."""
    return [{k: v for k, v in b.items() if not (b["type"] == "secret_text" and k == "text")} for b in bindings]


def check_modules(modules: Any, main_module: str | None) -> list[dict[str, Any]]:
    """Modules as `{name, content_type, content_base64}`; the main module must be among them."""
    if not isinstance(modules, list) or not modules:
        raise ApiError(400, 10021, "modules: at least one is needed")
    stored = []
    for module in modules:
        if not isinstance(module, dict) or set(module) != {"name", "content_type", "content_base64"}:
            raise ApiError(400, 10021, "modules: each has exactly name, content_type and content_base64")
        if module["content_type"] not in MODULE_TYPES:
            raise ApiError(400, 10021, f"module '{module['name']}' has the unknown type '{module['content_type']}'")
        try:
            content = base64.b64decode(module["content_base64"], validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise ApiError(400, 10021, f"module '{module['name']}' is no base64") from None
        if module["content_type"] == "application/javascript+module":
            try:
                content.decode()
            except UnicodeDecodeError:
                raise ApiError(400, 10021, f"module '{module['name']}' is no UTF-8 text") from None
        stored.append(dict(module))
    if main_module not in {m["name"] for m in stored}:
        raise ApiError(400, 10021, f"main module '{main_module}' is not among the modules")
    return stored
