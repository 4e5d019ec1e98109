"""What a Metabase query body asks: SQL or the query builder, and of which database.

Metabase's `create-queries` permission stays the real control; this reading lets the edge tell the two apart, and what it
can't read is refused. The same rules are in `worker_templates/gateway/query.js`.
"""

from __future__ import annotations

import json
from typing import Any, Literal
from urllib.parse import parse_qs

from .model import UNREADABLE, Query

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64


class _DuplicateKey(ValueError):
    pass


def read_query(body: bytes, content_type: str) -> Query | Literal["unreadable"]:
    """Reads a request body: JSON with the query itself or under `query`, or a form with a `query` field of JSON text."""
    if len(body) > MAX_BYTES:
        return UNREADABLE
    try:
        return _judge(_document(body.decode(), content_type))
    except (ValueError, RecursionError):
        return UNREADABLE


def _document(text: str, content_type: str) -> Any:
    if content_type.split(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        fields = parse_qs(text, keep_blank_values=True, strict_parsing=True)
        if len(fields.get("query", [])) != 1:
            raise ValueError("one `query` field is needed")
        return _parse(fields["query"][0])
    document = _parse(text)
    if isinstance(document, dict) and "query" in document and "type" not in document and "lib/type" not in document:
        inner = document["query"]
        return _parse(inner) if isinstance(inner, str) else inner
    return document


def _parse(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateKey("a key is there twice")
    return found


def _judge(query: Any) -> Query | Literal["unreadable"]:
    if not isinstance(query, dict):
        return UNREADABLE
    database = query.get("database")
    if isinstance(database, bool) or not isinstance(database, int) or database < 0:
        return UNREADABLE
    if query.get("type") not in ("query", "native") and query.get("lib/type") != "mbql/query":
        return UNREADABLE
    return Query(native=_is_native(query, 0), database=str(database))


def _is_native(value: Any, depth: int) -> bool:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return any([_is_native(item, depth + 1) for item in value])
    if not isinstance(value, dict):
        return False
    own = value.get("type") == "native" or value.get("lib/type") == "mbql.stage/native" or "native" in value
    return any([own, *(_is_native(item, depth + 1) for item in value.values())])
