"""Cards and dashboards with the fields that nobody has set yet."""

from __future__ import annotations

from typing import Any

from .permissions import DATABASE_ID


def new_card(creator_id: int, now: str) -> dict[str, Any]:
    """A card's fields as they are before anybody sets them."""
    return {
        "description": None,
        "type": "question",
        "archived": False,
        "collection_position": None,
        "database_id": DATABASE_ID,
        "table_id": None,
        "dashboard_id": None,
        "parameters": [],
        "parameter_mappings": [],
        "visualization_settings": {},
        "result_metadata": None,
        "enable_embedding": False,
        "embedding_params": None,
        "public_uuid": None,
        "cache_ttl": None,
        "creator_id": creator_id,
        "created_at": now,
        "updated_at": now,
    }


def new_dashboard(creator_id: int, now: str) -> dict[str, Any]:
    """A dashboard's fields as they are before anybody sets them."""
    return {
        "description": None,
        "archived": False,
        "collection_position": None,
        "parameters": [],
        "tabs": [],
        "dashcards": [],
        "width": "fixed",
        "auto_apply_filters": True,
        "enable_embedding": False,
        "embedding_params": None,
        "public_uuid": None,
        "cache_ttl": None,
        "points_of_interest": None,
        "caveats": None,
        "show_in_getting_started": False,
        "position": None,
        "creator_id": creator_id,
        "created_at": now,
        "updated_at": now,
    }
