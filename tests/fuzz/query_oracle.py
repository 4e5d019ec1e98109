"""What a body says about native SQL and databases, read by every reader that could be meant: all of repeated keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes


class Pairs(list[tuple[str, Any]]):
    """A JSON object with each of its keys, however often one stands there."""


def _parse(text: str) -> Any:
    """A text's value; None where `json.loads` can't read it."""
    try:
        return json.loads(text, object_pairs_hook=Pairs, parse_int=lambda digits: float(digits[:400]))
    except (ValueError, RecursionError):
        return None


def queries_of(body: str, form: str, content_type: str) -> Iterator[Any]:
    """Every query that a reader of the body could find where the route says that one is."""
    if form == "query":
        yield _parse(body)
    elif content_type.lower().partition(";")[0].strip() == "application/x-www-form-urlencoded":
        for field in body.split("&"):
            name, _, value = (_unquoted(part) for part in field.replace("+", " ").partition("="))
            if name == "query":
                yield _parse(value)
    else:
        outer = _parse(body)
        for name, value in outer if isinstance(outer, Pairs) else ():
            if name == "query":
                yield _parse(value) if isinstance(value, str) else value


def _unquoted(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


def entries_of(query: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object, folded as Metabase folds them, with its value."""
    waiting = [query]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Pairs):
            for name, value in one:
                yield fold(name), value
                waiting.append(value)
        elif isinstance(one, list):
            waiting.extend(one)


def fold(text: Any) -> str:
    """A key or token without case, underscores, dashes and spaces; empty for what is no text."""
    return "".join(c for c in text.casefold() if c not in "_- ") if isinstance(text, str) else ""


def has_native(query: Any) -> bool:
    """Whether there is native SQL anywhere."""
    marks = (("type", "native"), ("lib/type", "mbql.stage/native"))
    return any(
        (key, fold(value)) in marks or (key == "native" and value is not None) for key, value in entries_of(query)
    )


def databases_of(query: Any) -> list[Any]:
    """Everything that stands under a key `database`, anywhere."""
    return [value for key, value in entries_of(query) if key == "database"]
