"""`pulumi-resource-mbgate`: the project's own Pulumi provider, for what Pulumi's ecosystem lacks.

Resource tokens: `mbgate:index:GeneratedKey`, `mbgate:index:MetabaseSetup`, `mbgate:index:MetabaseGroup`,
`mbgate:index:MetabaseSettings`, `mbgate:index:MetabasePermissions`. Faults reach the engine as one readable message,
never as a traceback.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.provider.experimental.provider import (
    CheckFailure,
    CheckRequest,
    CheckResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    GetSchemaRequest,
    GetSchemaResponse,
    Provider,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
)
from pulumi.runtime.rpc import UNKNOWN

from . import progress
from .kinds import KINDS, Kind
from .progress import EngineLog
from .serving import serve

VERSION = "0.1.0"


class MbgateProvider(Provider):
    """Dispatches each operation to the `Kind` of its resource type; what takes long is told to the engine."""

    def __init__(self, log: EngineLog | None = None) -> None:
        self._log = log

    async def get_schema(self, _: GetSchemaRequest) -> GetSchemaResponse:
        """A minimal schema: the program's classes are written by hand in `infra/metabase/resources.py`."""
        return GetSchemaResponse(schema='{"name":"mbgate","version":"' + VERSION + '"}')

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Refuses missing and unknown inputs, all at once."""
        kind = _kind(request.urn)
        given = set(request.new_inputs)
        failures = [CheckFailure(name, f"unknown input `{name}`") for name in sorted(given - set(kind.inputs))]
        failures += [CheckFailure(name, f"input `{name}` is required") for name in sorted(set(kind.inputs) - given)]
        return CheckResponse(inputs=request.new_inputs, failures=failures)

    async def diff(self, request: DiffRequest) -> DiffResponse:
        """Compares inputs; secrecy alone is no difference. Credentials that only open the door change in place."""
        kind = _kind(request.urn)
        changed = [
            name for name in kind.inputs if plain(request.old_state.get(name)) != plain(request.new_inputs.get(name))
        ]
        replaces = [name for name in changed if name in kind.replace_on]
        return DiffResponse(changes=bool(changed), replaces=replaces, diffs=changed)

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Makes the resource; in a preview its outputs are unknown."""
        kind = _kind(request.urn)
        if request.preview:
            return CreateResponse(resource_id="", properties=_unknown(kind, request.properties))
        outputs = await self._run(request.urn, kind.create, plain_map(request.properties))
        return CreateResponse(resource_id=str(outputs.pop("id")), properties=_state(kind, request.properties, outputs))

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Changes the resource in place."""
        kind = _kind(request.urn)
        if request.preview:
            return UpdateResponse(properties=_unknown(kind, request.news))
        outputs = await self._run(request.urn, kind.update, plain_map(request.olds), plain_map(request.news))
        outputs.pop("id", None)
        return UpdateResponse(properties=_state(kind, request.news, outputs))

    async def read(self, request: ReadRequest) -> ReadResponse:
        """Observes the resource; one that is gone has an empty id, so that the engine makes it again."""
        kind = _kind(request.urn)
        observed = await self._run(request.urn, kind.read, plain_map(request.properties))
        if observed is None:
            return ReadResponse(resource_id="", properties={}, inputs={})
        properties = {**request.properties, **_mark(kind, observed)}
        inputs = {name: properties[name] for name in request.inputs if name in properties}
        return ReadResponse(resource_id=request.resource_id, properties=properties, inputs=inputs)

    async def delete(self, request: DeleteRequest) -> None:
        """Removes the resource; what is gone already is fine."""
        await self._run(request.urn, _kind(request.urn).delete, plain_map(request.properties))

    async def _run(self, urn: str, operation: Callable[..., Any], *args: Any) -> Any:
        """Runs blocking work off the event loop."""
        with progress.reported_by(self._log.speaker(urn) if self._log else progress.say_nothing):
            return await asyncio.to_thread(operation, *args)


def _kind(urn: str) -> Kind:
    """The kind of a resource: the last type of the URN's chain of parents and own type."""
    return KINDS[urn.split("::")[2].rsplit("$", 1)[-1]]


def plain(value: PropertyValue | None) -> Any:
    """The plain Python value, without secrecy; `Computed` stays, and equals nothing known."""
    if value is None:
        return None
    inner = value.value
    if isinstance(inner, Computed):
        return inner
    if isinstance(inner, dict) or hasattr(inner, "items"):
        return {k: plain(v) for k, v in inner.items()}  # type: ignore[union-attr]
    if isinstance(inner, (list, tuple)):
        return [plain(v) for v in inner]
    if isinstance(inner, float) and inner.is_integer():
        return int(inner)
    return inner


def plain_map(values: dict[str, PropertyValue]) -> dict[str, Any]:
    """`plain` of each entry."""
    return {name: plain(value) for name, value in values.items()}


def property_value(value: Any) -> PropertyValue:
    """The engine's form of a plain value."""
    if isinstance(value, dict):
        return PropertyValue({k: property_value(v) for k, v in value.items()})
    if isinstance(value, list):
        return PropertyValue([property_value(v) for v in value])
    # The engine has one kind of number.
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return PropertyValue(float(value) if is_whole else value)


def _mark(kind: Kind, outputs: dict[str, Any]) -> dict[str, PropertyValue]:
    secret = kind.secret_outputs
    return {name: property_value(value).with_secret(name in secret) for name, value in outputs.items()}


def _state(kind: Kind, inputs: dict[str, PropertyValue], outputs: dict[str, Any]) -> dict[str, PropertyValue]:
    return {**inputs, **_mark(kind, outputs)}


def _unknown(kind: Kind, inputs: dict[str, PropertyValue]) -> dict[str, PropertyValue]:
    # The SDK's `PropertyValue.computed()` can't be marshalled; the engine's own mark for it is a text.
    return {**inputs, **_mark(kind, dict.fromkeys(kind.outputs, UNKNOWN))}


def main() -> None:
    """Serves the provider to the engine, whose address is the first argument."""
    arguments = sys.argv[1:]
    serve(MbgateProvider(EngineLog(arguments[0]) if arguments else None), VERSION, arguments)


if __name__ == "__main__":
    main()
