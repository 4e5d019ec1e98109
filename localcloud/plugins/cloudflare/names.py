"""Property names and values: Pulumi's camelCase and plurals to the API's JSON, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from localcloud.plugins.values import UNKNOWN

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_UNDERSCORE = re.compile(r"_([a-z0-9])")


class Names:
    """One resource family's spelling.

    `aliases`: names whose wire form is not plain snake_case. `keyed`: properties whose keys are the user's own
    (left alone). `documents`: properties that hold JSON as text in Pulumi and as a value on the wire.
    """

    def __init__(
        self,
        aliases: Mapping[str, str] | None = None,
        *,
        keyed: Collection[str] = (),
        documents: Collection[str] = (),
    ) -> None:
        self._to_wire = dict(aliases or {})
        self._from_wire = {wire: name for name, wire in self._to_wire.items()}
        self._keyed = frozenset(keyed)
        self._documents = frozenset(documents)

    def to_wire(self, name: str) -> str:
        """`httpPort` → `http_port`."""
        return self._to_wire.get(name) or _HUMP.sub(r"_\1", name).lower()

    def from_wire(self, name: str) -> str:
        """`http_port` → `httpPort`."""
        return self._from_wire.get(name) or _UNDERSCORE.sub(lambda match: match[1].upper(), name)

    def encode(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """A JSON object of plain properties; null ones are left out."""
        return {
            self.to_wire(name): self._encode_value(name, value)
            for name, value in properties.items()
            if value is not None and not name.startswith("__")
        }

    def _encode_value(self, name: str, value: Any) -> Any:
        if name in self._documents and isinstance(value, str) and value != UNKNOWN:
            return json.loads(value)
        if isinstance(value, Mapping):
            if name in self._keyed:
                return {key: self._encode_value("", item) for key, item in value.items()}
            return self.encode(value)
        if isinstance(value, list):
            return [self._encode_value("", item) for item in value]
        return value

    def decode(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Plain properties of a JSON object; null fields are left out."""
        pairs = ((self.from_wire(wire), value) for wire, value in document.items() if value is not None)
        return {name: self._decode_value(name, value) for name, value in pairs}

    def _decode_value(self, name: str, value: Any) -> Any:
        if name in self._documents and not isinstance(value, str):
            return json.dumps(value, sort_keys=True, separators=(",", ":"))
        if isinstance(value, Mapping):
            if name in self._keyed:
                return {key: self._decode_value("", item) for key, item in value.items()}
            return self.decode(value)
        if isinstance(value, list):
            return [self._decode_value("", item) for item in value]
        return value
