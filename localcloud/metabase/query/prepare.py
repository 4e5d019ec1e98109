"""From a question as sent or saved to SQL that can run."""

from __future__ import annotations

from typing import Any

from .. import documents
from ..answers import Refused
from ..store import Store
from .failure import QueryFailed, unknown
from .mbql import Compiled, compile_query
from .normal import legacy
from .parameters import with_parameters

NESTING = 5


def prepare(store: Store, query: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> Compiled:
    """SQL and its values; raises `QueryFailed`."""
    try:
        return _prepare(store, query, parameters or [], NESTING)
    except QueryFailed:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise QueryFailed(f"the query does not have the form that Metabase documents: {error}") from None


def _prepare(store: Store, query: dict[str, Any], parameters: list[dict[str, Any]], depth: int) -> Compiled:
    if depth == 0:
        raise QueryFailed("saved questions are nested too deep, or in a circle")
    query = legacy(query)
    sent = query.get("parameters") or []
    query = with_parameters(query, [*sent, *parameters])
    if query.get("type") == "native":
        return _native(query.get("native") or {})
    if query.get("type") != "query":
        raise QueryFailed("`type` must be `native` or `query`")

    def compile_card(number: int) -> Compiled:
        try:
            card = documents.find(store, "card", number)
        except Refused:
            raise QueryFailed(f"card {number} does not exist") from None
        return _prepare(store, card["dataset_query"], [], depth - 1)

    return compile_query(query["query"], compile_card)


def _native(native: dict[str, Any]) -> Compiled:
    sql = native.get("query")
    if not isinstance(sql, str) or not sql.strip():
        raise QueryFailed("`native.query` must be SQL")
    if "{{" in sql:
        raise unknown("template tags (`{{…}}`) in SQL")
    return Compiled(sql=sql.strip().rstrip(";").rstrip())
