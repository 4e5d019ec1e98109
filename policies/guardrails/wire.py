"""The engine's JSON form of values: secrets and unknown values carry a mark (pulumi's sdk/go/common/resource)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import Secret, Unknown

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, not one
HIDDEN = "[secret]"
UNKNOWN = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


def read_value(value: Any) -> Any:
    """A value of the engine as plain data with `Unknown` and `Secret`."""
    if isinstance(value, str):
        return Unknown() if value in UNKNOWN else Secret(value=None) if value == HIDDEN else value
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            return _secret(read_value(value.get("value")))
        return {str(key): read_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [read_value(inner) for inner in value]
    return value


def _secret(inner: Any) -> Unknown | Secret:
    if isinstance(inner, Unknown):
        return Unknown(is_secret=True)
    return inner if isinstance(inner, Secret) else Secret(value=inner)
