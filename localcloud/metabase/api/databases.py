"""`/api/database`, `/api/table`, `/api/field`: for people who may make queries."""

from __future__ import annotations

from typing import Any

from .. import metadata
from ..answers import forbidden, not_found
from ..endpoints import Call, Endpoint
from ..permissions import DATABASE_ID
from ..sample.tables import FIELDS, TABLES, Field
from ..values import distinct_values


def listed(call: Call) -> Any:
    """GET /api/database?include=tables: those that the person may query"""
    if call.rights.query_level == "no":
        return {"data": [], "total": 0}
    extra = {"tables": metadata.tables(fields=False)} if call.query.get("include") == "tables" else {}
    return {"data": [{**metadata.database(call.rights), **extra}], "total": 1}


def _database(call: Call) -> dict[str, Any]:
    if call.part("id") != DATABASE_ID:
        raise not_found()
    call.rights.require_queries()
    return metadata.database(call.rights)


def show(call: Call) -> Any:
    """GET /api/database/{id}?include=tables|tables.fields"""
    found, include = _database(call), call.query.get("include", "")
    if not include.startswith("tables"):
        return found
    return {**found, "tables": metadata.tables(fields=include == "tables.fields")}


def show_metadata(call: Call) -> Any:
    """GET /api/database/{id}/metadata"""
    return {**_database(call), "tables": metadata.tables()}


def schemas(call: Call) -> Any:
    """GET /api/database/{id}/schemas: SQLite has one without a name"""
    _database(call)
    return [""]


def schema_tables(call: Call) -> Any:
    """GET /api/database/{id}/schema: the tables of that schema"""
    _database(call)
    return metadata.tables(fields=False)


def tables(call: Call) -> Any:
    """GET /api/table"""
    if call.rights.query_level == "no":
        return []
    return [{**table, "db": metadata.database(call.rights)} for table in metadata.tables(fields=False)]


def _table(call: Call, *, fields: bool) -> dict[str, Any]:
    found = TABLES.get(call.part("id"))
    if found is None:
        raise not_found()
    call.rights.require_queries()
    return {**metadata.table(found, fields=fields), "db": metadata.database(call.rights)}


def table(call: Call) -> Any:
    """GET /api/table/{id}"""
    return _table(call, fields=False)


def table_metadata(call: Call) -> Any:
    """GET /api/table/{id}/query_metadata"""
    return _table(call, fields=True)


def foreign_keys(call: Call) -> Any:
    """GET /api/table/{id}/fks: the fields elsewhere that point here"""
    _table(call, fields=False)
    found = []
    for field in FIELDS.values():
        target = FIELDS.get(field.target_id) if field.target_id else None
        if target is not None and target.table_id == call.part("id"):
            origin = {**metadata.field(field), "table": metadata.table(TABLES[field.table_id], fields=False)}
            ends = {"origin": origin, "origin_id": field.id, "destination_id": target.id}
            found.append({**ends, "relationship": "Mt1", "destination": metadata.field(target)})
    return found


def _field(call: Call) -> Field:
    found = FIELDS.get(call.part("id"))
    if found is None:
        raise not_found()
    if call.rights.query_level == "no":
        raise forbidden()
    return found


def field(call: Call) -> Any:
    """GET /api/field/{id}"""
    found = _field(call)
    return {**metadata.field(found), "table": metadata.table(TABLES[found.table_id], fields=False)}


def field_values(call: Call) -> Any:
    """GET /api/field/{id}/values"""
    found = _field(call)
    if not metadata.has_values(found):
        return {"field_id": found.id, "values": [], "has_more_values": False}
    values = distinct_values(call.instance.sample, found)
    return {"field_id": found.id, "values": [[value] for value in values], "has_more_values": False}


ENDPOINTS = (
    Endpoint("GET", "/api/database", listed),
    Endpoint("GET", "/api/database/{id:int}", show),
    Endpoint("GET", "/api/database/{id:int}/metadata", show_metadata),
    Endpoint("GET", "/api/database/{id:int}/schemas", schemas),
    Endpoint("GET", "/api/database/{id:int}/schema", schema_tables),
    Endpoint("GET", "/api/table", tables),
    Endpoint("GET", "/api/table/{id:int}", table),
    Endpoint("GET", "/api/table/{id:int}/query_metadata", table_metadata),
    Endpoint("GET", "/api/table/{id:int}/fks", foreign_keys),
    Endpoint("GET", "/api/field/{id:int}", field),
    Endpoint("GET", "/api/field/{id:int}/values", field_values),
)
