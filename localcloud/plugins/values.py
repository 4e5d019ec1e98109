"""Pulumi property values to plain Python and back; an unknown value is the constant `UNKNOWN`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import rpc

UNKNOWN: str = rpc.UNKNOWN

# The engine marks an unknown with one of these strings, by type (plugin.Unknown*Value in Pulumi's Go SDK).
_MARKS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


def to_plain(value: PropertyValue) -> Any:
    """The value without its secret marks; whole numbers are ints. Raises TypeError on an asset or archive."""
    raw = value.value
    if isinstance(raw, str):
        return UNKNOWN if raw in _MARKS else raw
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, float):
        return int(raw) if raw.is_integer() else raw
    if isinstance(raw, Mapping):
        return {key: to_plain(item) for key, item in raw.items()}
    if isinstance(raw, tuple):
        return [to_plain(item) for item in raw]
    raise TypeError(f"a value of type `{type(raw).__name__}` is not supported; pass text, a number, a list or a map")


def to_plain_map(values: Mapping[str, PropertyValue]) -> dict[str, Any]:
    """`to_plain` of each property; a null property is the same as an absent one."""
    plain = {key: to_plain(value) for key, value in values.items()}
    return {key: value for key, value in plain.items() if value is not None}


def from_plain(value: Any, *, secret: bool = False) -> PropertyValue:
    """The property value of plain Python data; `secret` marks the whole of it."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    elif isinstance(value, Mapping):
        value = {str(key): from_plain(item) for key, item in value.items()}
    elif isinstance(value, (list, tuple)):
        value = [from_plain(item) for item in value]
    return PropertyValue(value, is_secret=secret)


def is_empty(value: Any) -> bool:
    """Whether an answer that leaves the field out would mean the same: null, false, or nothing in it."""
    return value is None or value is False or value in ("", [], {})
