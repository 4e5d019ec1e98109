"""What the two targets of requests share: the Worker's side of each answer, and fields in one line of bytes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.corpus.twin import Worker

SEPARATOR = "\x1e"
"""Between the fields of an input: nothing that an HTTP request can hold."""


@cache
def worker() -> Worker:
    """The Worker's evaluator, which ends with this process."""
    return Worker()


def fields_of(data: bytes, count: int) -> list[str | None]:
    """So many fields of an input, in which there may be lone surrogates; None for each that it lacks."""
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    texts: list[str | None] = [*text.split(SEPARATOR, count - 1)]
    return texts + [None] * (count - len(texts))


def json_of(text: str) -> Any:
    """A field's value as both sides can read it, or the text itself where it is no JSON."""
    try:
        return json.loads(json.dumps(json.loads(text), allow_nan=False))
    except (ValueError, RecursionError):
        return text


def input_of(*fields: str) -> bytes:
    """The input with these fields."""
    return SEPARATOR.join(fields).encode("utf-8", "surrogatepass")
