"""Bindings of a Worker: what each type must have, and whether what it names exists.

Source: https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/#bindings
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from .envelope import ApiError, Strict, dump, parse
from .world import World

Json = dict[str, Any]


class Binding(Strict):
    """What all bindings have."""

    name: str = Field(pattern=r"^[A-Za-z_$][A-Za-z0-9_$]*$")
    type: str


class KvNamespace(Binding):
    """A KV namespace by id."""

    namespace_id: str


class Text(Binding):
    """`secret_text` and `plain_text`"""

    text: str


class JsonValue(Binding):
    """`json`: any JSON value"""

    model_config = ConfigDict(extra="forbid", strict=True)

    json_value: Any = Field(alias="json")


class Service(Binding):
    """Another Worker, or this one."""

    service: str
    environment: str | None = None
    entrypoint: str | None = None


class AnalyticsEngine(Binding):
    """A data set; it needs no creation."""

    dataset: str = Field(min_length=1)


class VpcService(Binding):
    """A connectivity service by id."""

    service_id: str


class RateLimitSimple(Strict):
    """`simple` of a rate limit: `limit` calls in `period` seconds"""

    limit: int | float = Field(gt=0)
    period: Literal[10, 60]


class RateLimit(Binding):
    """A rate limit; its namespace id is a number that Workers may share."""

    namespace_id: str = Field(pattern=r"^[1-9]\d*$")
    simple: RateLimitSimple


class DurableObject(Binding):
    """A Durable Object class of this Worker, or of `script_name`."""

    class_name: str
    script_name: str | None = None
    environment: str | None = None


class Inherit(Binding):
    """A binding of an earlier version, by default the latest."""

    old_name: str | None = None
    version_id: str = "latest"


MODELS: Mapping[str, type[Binding]] = {
    "kv_namespace": KvNamespace,
    "secret_text": Text,
    "plain_text": Text,
    "json": JsonValue,
    "service": Service,
    "analytics_engine": AnalyticsEngine,
    "vpc_service": VpcService,
    "version_metadata": Binding,
    "ratelimit": RateLimit,
    "durable_object_namespace": DurableObject,
    "inherit": Inherit,
}


def check_bindings(
    world: World, bindings: list[Json], *, own_name: str, classes: list[str], earlier: Mapping[str, list[Json]]
) -> list[Json]:
    """The bindings to store.

    `own_name`: the Worker's. `classes`: its Durable Object classes. `earlier`: bindings of its versions by version id,
    and of the newest as `latest`, for `inherit`. Raises ApiError 400 on anything unknown, malformed or dangling.
    """
    seen: set[str] = set()
    stored = []
    for index, raw in enumerate(bindings):
        binding = _parsed(index, raw)
        if binding.name in seen:
            raise ApiError(400, 10021, f"binding name '{binding.name}' already in use")
        seen.add(binding.name)
        if isinstance(binding, Inherit):
            stored.append(_inherited(binding, earlier))
            continue
        _check_target(world, binding, own_name, classes)
        stored.append(raw if isinstance(binding, JsonValue) else dump(binding))
    return stored


def _parsed(index: int, raw: Json) -> Binding:
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in MODELS:
        raise ApiError(400, 10021, f"bindings[{index}] '{raw.get('name')}' has the unknown type '{kind}'")
    given = {k: v for k, v in raw.items() if v is not None or kind == "json"}
    return parse(MODELS[kind], given, 10021, f"bindings[{index}] '{raw.get('name')}' of type {kind}: ")


def _inherited(binding: Inherit, earlier: Mapping[str, list[Json]]) -> Json:
    old_name = binding.old_name or binding.name
    for candidate in earlier.get(binding.version_id, []):
        if candidate["name"] == old_name:
            return {**candidate, "name": binding.name}
    place = "the latest version" if binding.version_id == "latest" else f"version '{binding.version_id}'"
    raise ApiError(400, 10057, f"binding '{binding.name}' can't inherit: {place} has no binding '{old_name}'")


def _check_target(world: World, binding: Binding, own_name: str, classes: list[str]) -> None:
    checks: dict[type[Binding], Callable[[Any], None]] = {
        KvNamespace: lambda b: _require(
            world.store.get("kv_namespace", b.namespace_id), 10041, f"KV namespace '{b.namespace_id}' not found", b
        ),
        VpcService: lambda b: _require(
            world.store.get("connectivity_service", b.service_id), 10021, f"VPC service '{b.service_id}' not found", b
        ),
        Service: lambda b: _require(
            b.service == own_name or _worker(world, b.service),
            10144,
            f"Could not resolve service binding: Worker '{b.service}' not found",
            b,
        ),
        DurableObject: lambda b: _check_class(world, b, own_name, classes),
    }
    if type(binding) in checks:
        checks[type(binding)](binding)


def _check_class(world: World, binding: DurableObject, own_name: str, classes: list[str]) -> None:
    available = classes
    if binding.script_name not in (None, own_name):
        available = (_worker(world, str(binding.script_name)) or {}).get("classes", [])
    _require(
        binding.class_name in available,
        10061,
        f"Cannot create binding to class '{binding.class_name}': no migration has created it",
        binding,
    )


def _require(condition: object, code: int, message: str, binding: Binding) -> None:
    if not condition:
        raise ApiError(400, code, f"{message} (binding '{binding.name}')")


def _worker(world: World, name: str) -> Json | None:
    return next(iter(world.store.select("worker", "name", name)), None)


def without_secrets(bindings: list[Json]) -> list[Json]:
    """Bindings as they are read back: a secret's text never leaves again."""
    return [{k: v for k, v in b.items() if not (b["type"] == "secret_text" and k == "text")} for b in bindings]
