"""Starts queries on behalf of the operations: which form the answer takes, how many rows, what it says of itself."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from .answers import NO_ENDPOINT, Refused
from .endpoints import Call
from .exports.api import ApiWriter
from .exports.files import FORMATS, MAXIMUM_ROWS, file_writer
from .exports.writer import Writer
from .permissions import DATABASE_ID
from .query.execute import Execution
from .query.prepare import prepare
from .query.response import QueryResponse
from .store import Row

_BY_NAME = re.compile(r'\["name","([^"]+)"\]')
BARE_ROWS, AGGREGATED_ROWS = 2000, 10_000
"""`max-results-bare-rows` and `max-results`: what the API answers at most; files have no such limit"""


def is_aggregated(query: dict[str, Any]) -> bool:
    """True where rows are groups, of which more are answered."""
    stages = query.get("stages") or [query.get("query") or {}]
    last = stages[-1] if isinstance(stages, list) and isinstance(stages[-1], dict) else {}
    return bool(last.get("aggregation") or last.get("breakout"))


def _titles(settings: dict[str, Any]) -> dict[str, str]:
    """Column name → title, of `column_settings` keyed by `["name","…"]`."""
    found = {}
    for key, values in (settings.get("column_settings") or {}).items():
        match = _BY_NAME.fullmatch(key)
        if match and isinstance(values, dict) and isinstance(values.get("column_title"), str):
            found[match[1]] = values["column_title"]
    return found


def run_query(
    call: Call,
    query: dict[str, Any],
    *,
    context: str,
    card: Row | None = None,
    parameters: list[dict[str, Any]] | None = None,
    facts: dict[str, Any] | None = None,
) -> QueryResponse:
    """The streaming answer; as a file where the path names a format."""
    kind = call.request.path_params.get("format")
    if kind is not None and kind not in FORMATS:
        raise Refused(404, NO_ENDPOINT)
    limit = MAXIMUM_ROWS if kind else AGGREGATED_ROWS if is_aggregated(query) else BARE_ROWS
    writer: Writer
    if kind is None:
        about = {"database_id": DATABASE_ID, "started_at": call.instance.timestamp(), "json_query": query}
        writer = ApiWriter({**about, "context": context, **(facts or {})})
    else:
        card = card or {"name": "query_result", "visualization_settings": {}}
        writer = file_writer(kind, card["name"], _titles(card["visualization_settings"] or {}))
    seconds = call.instance.options.query_seconds
    execution = Execution(call.instance.sample, seconds=seconds, limit=limit)
    return QueryResponse(partial(prepare, call.store, query, parameters), execution, writer)
