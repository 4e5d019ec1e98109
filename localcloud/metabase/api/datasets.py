"""`/api/dataset`: queries of one's own, as `create-queries` and the collections of their sources allow."""

from __future__ import annotations

from typing import Any

from ..answers import Refused, malformed
from ..endpoints import Call, Endpoint
from ..query.failure import QueryFailed
from ..query.prepare import prepare
from ..query.scope import scope_of
from ..running import run_query
from .cards import metadata_of


def _checked(call: Call, query: Any) -> dict[str, Any]:
    if not isinstance(query, dict):
        raise malformed({"query": "value must be a map."})
    if not isinstance(query.get("database"), int):
        raise malformed({"database": "value must be an integer."})
    call.rights.require_query(scope_of(query))
    return query


def run(call: Call) -> Any:
    """POST /api/dataset"""
    return run_query(call, _checked(call, call.body), context="ad-hoc")


def export(call: Call) -> Any:
    """POST /api/dataset/{format}: the query as `query`, an object or its JSON text; a body of JSON or of form fields"""
    return run_query(call, _checked(call, call.fields().get("query")), context=f"{call.part('format')}-download")


def native(call: Call) -> Any:
    """POST /api/dataset/native: the SQL of a query, for people who may write SQL"""
    query = _checked(call, call.body)
    call.rights.require_queries("query-builder-and-native")
    try:
        compiled = prepare(call.store, query)
    except QueryFailed as error:
        raise Refused(400, {"message": str(error), "error_type": error.error_type}) from None
    return {"query": compiled.sql, "params": compiled.values or None}


def query_metadata(call: Call) -> Any:
    """POST /api/dataset/query_metadata"""
    _checked(call, call.body)
    return metadata_of(call)


ENDPOINTS = (
    Endpoint("POST", "/api/dataset", run),
    Endpoint("POST", "/api/dataset/native", native),
    Endpoint("POST", "/api/dataset/query_metadata", query_metadata),
    Endpoint("POST", "/api/dataset/{format}", export),
)
