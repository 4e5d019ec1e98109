"""Reads a query body: is there native SQL in it, and which database does it ask?

`worker_templates/gateway` reads bodies with the same meaning. What can't be read for certain is None, and a deny.
Metabase accepts several spellings (it folds case, `_` and, by version, stray dashes), so names are folded here too, and
the whole tree is searched rather than the places where native SQL is known to stand today.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict
from urllib.parse import parse_qs

MAX_DEPTH = 64
UTF8 = re.compile(r'"?utf-?8"?')
PRINTABLE = re.compile(r"[\t -~]*")
_SEPARATORS = str.maketrans("", "", "-_ ")
MAX_DATABASE = 9_999_999_999
NATIVE_STAGE = "mbql.stage/native"


class Query(TypedDict):
    """What a decision needs to know of a query."""

    native: bool
    database: str


def read_query(body: str, form: str = "query", content_type: str = "application/json") -> Query | None:
    """The query in a request's body, or None where it can't be read.

    `form` is the route's: `query` for a JSON query; `export-form` for a JSON object or an urlencoded form whose
    `query` is the query, or a string that holds it.
    """
    kind = _media_type(content_type)
    if form == "query":
        return inspect_query(_parse(body)) if kind == "application/json" else None
    if kind == "application/x-www-form-urlencoded":
        values = parse_qs(body, keep_blank_values=True).get("query", [])
        return inspect_query(_parse(values[0])) if len(values) == 1 else None
    if kind != "application/json":
        return None
    outer = _parse(body)
    query = outer.get("query") if isinstance(outer, dict) else None
    return inspect_query(_parse(query) if isinstance(query, str) else query)


def inspect_query(query: object) -> Query | None:
    """The same for a query that is parsed already."""
    if not isinstance(query, dict):
        return None
    databases: set[int] = set()
    native = False
    for depth, node in _objects(query):
        if depth > MAX_DEPTH:
            return None
        found = _databases(node)
        if found is None:
            return None
        native = native or _is_native(node)
        databases |= found
    own = _databases(query)
    if own is None or len(databases) != 1 or own != databases:
        return None
    database = own.pop()
    return {"native": native, "database": str(database)} if 0 < database <= MAX_DATABASE else None


def _media_type(content_type: str) -> str:
    """The media type; empty where the origin could read another charset, or no space where we take one."""
    if not PRINTABLE.fullmatch(content_type):
        return ""
    kind, *parameters = content_type.lower().split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = [value.strip() for name, _, value in pairs if name.strip() == "charset"]
    return kind.strip() if all(UTF8.fullmatch(charset) for charset in charsets) else ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two equal keys one reader keeps the last and another the first, so such a text has no one meaning."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated key")
    return found


def _parse(text: str) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(text, parse_constant=refuse, parse_int=_number, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> int | float:
    """A number too long for any id only has to be too large; `int` refuses more than 4,300 digits."""
    return int(text) if len(text) < 100 else float(text)


def _fold(text: object) -> str:
    return text.lower().translate(_SEPARATORS) if isinstance(text, str) else ""


def _objects(root: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    waiting: list[tuple[int, object]] = [(1, root)]
    while waiting:
        depth, node = waiting.pop()
        if depth > MAX_DEPTH:
            yield depth, {}
        elif isinstance(node, dict):
            yield depth, node
            waiting.extend((depth + 1, child) for child in node.values())
        elif isinstance(node, list):
            waiting.extend((depth + 1, child) for child in node)


def _is_native(node: Mapping[str, Any]) -> bool:
    return any(
        (key == "type" and _fold(value) == "native")
        or (key == "lib/type" and _fold(value) == NATIVE_STAGE)
        or (key == "native" and value is not None)
        for key, value in ((_fold(name), value) for name, value in node.items())
    )


def _databases(node: Mapping[str, Any]) -> set[int] | None:
    """Numbers under a key that reads `database`, None where one is no whole number; JSON doesn't tell 1 from 1.0."""
    values = [value for key, value in node.items() if _fold(key) == "database"]
    if all(isinstance(v, int | float) and not isinstance(v, bool) and v == v // 1 for v in values):
        return {int(value) for value in values}
    return None
