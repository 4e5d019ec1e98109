"""The sample database as the API describes it."""

from __future__ import annotations

from typing import Any

from .permissions import DATABASE_ID, Rights
from .sample.tables import FIELDS, TABLES, TEXT, Field, Table

Json = dict[str, Any]
FEATURES = (
    "basic-aggregations",
    "binning",
    "expressions",
    "foreign-keys",
    "left-join",
    "nested-queries",
    "native-parameters",
    "temporal-extract",
)


def database(rights: Rights) -> Json:
    """`GET /api/database/:id`"""
    return {
        "id": DATABASE_ID,
        "name": "Sample Database",
        "description": None,
        "engine": "sqlite",
        "features": FEATURES,
        "is_sample": True,
        "is_full_sync": True,
        "is_on_demand": False,
        "auto_run_queries": True,
        "initial_sync_status": "complete",
        "timezone": "UTC",
        "can_upload": False,
        "is_saved_questions": False,
        "native_permissions": "write" if rights.query_level == "query-builder-and-native" else "none",
    }


def field(found: Field) -> Json:
    """`GET /api/field/:id`"""
    target = FIELDS.get(found.target_id) if found.target_id else None
    return {
        "id": found.id,
        "name": found.name,
        "display_name": found.display_name,
        "table_id": found.table_id,
        "base_type": found.base_type,
        "effective_type": found.base_type,
        "semantic_type": found.semantic_type,
        "position": found.position,
        "visibility_type": "normal",
        "active": True,
        "has_field_values": "list" if has_values(found) else "none",
        "fk_target_field_id": found.target_id,
        "target": None if target is None else {"id": target.id, "name": target.name, "table_id": target.table_id},
        "fingerprint": None,
        "dimensions": [],
        "settings": None,
    }


def has_values(found: Field) -> bool:
    """True where the distinct values are few enough for a list."""
    return found.base_type == TEXT and found.name in ("category", "vendor", "state", "city", "source")


def table(found: Table, *, fields: bool = True) -> Json:
    """`GET /api/table/:id/query_metadata`"""
    made: Json = {
        "id": found.id,
        "db_id": DATABASE_ID,
        "name": found.name,
        "display_name": found.display_name,
        "description": found.description,
        "schema": None,
        "active": True,
        "entity_type": "entity/GenericTable",
        "visibility_type": None,
        "field_order": "database",
        "initial_sync_status": "complete",
    }
    return {**made, "fields": [field(f) for f in found.fields], "segments": [], "metrics": []} if fields else made


def tables(*, fields: bool = True) -> list[Json]:
    """All of them."""
    return [table(found, fields=fields) for found in TABLES.values()]
