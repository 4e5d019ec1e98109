"""The terms in which the schemas are written."""

from __future__ import annotations

from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def version() -> Schema:
    """`version: 1`, in quotes or not."""
    return {"enum": [1, "1"], "description": "The language's version: 1."}


def text() -> Schema:
    """A text that isn't blank."""
    return {"type": "string", "pattern": r"\S"}


def ref(name: str, doc: str | None = None) -> Schema:
    """A definition, with a hover text of its own."""
    return {"$ref": f"#/$defs/{name}"} | ({"description": doc} if doc else {})


def listed(items: Schema, doc: str, *, least: int = 1, most: int | None = None) -> Schema:
    """A list."""
    bounds = {"minItems": least} | ({"maxItems": most} if most else {})
    return {"type": "array", "description": doc, "items": items, **bounds}


def record(doc: str, fields: Schema, required: tuple[str, ...]) -> Schema:
    """A mapping with known keys."""
    return {
        "type": "object",
        "description": doc,
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def whole(pattern: str) -> str:
    """JSON Schema searches, the loader matches all of a text."""
    return f"^(?:{pattern})$"
