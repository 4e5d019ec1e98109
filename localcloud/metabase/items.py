"""Things in lists: the rows of collections, of search, of bookmarks and of recent views."""

from __future__ import annotations

from typing import Any

from .permissions import Rights
from .store import Row

Json = dict[str, Any]


def document_item(document: Row, model: str, rights: Rights) -> Json:
    """A card or dashboard in a list."""
    return {
        "id": document["id"],
        "name": document["name"],
        "description": document.get("description"),
        "model": model,
        "collection_id": document["collection_id"],
        "entity_id": document["entity_id"],
        "archived": document["archived"],
        "collection_position": document.get("collection_position"),
        "display": document.get("display"),
        "database_id": document.get("database_id"),
        "can_write": rights.can("write", document["collection_id"]),
        "fully_parameterized": True,
        "last-edit-info": None,
    }


def collection_item(row: Row, rights: Rights) -> Json:
    """A collection in a list."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "model": "collection",
        "location": row["location"],
        "entity_id": row["entity_id"],
        "archived": bool(row["archived"]),
        "collection_id": None,
        "authority_level": None,
        "personal_owner_id": row["personal_owner_id"],
        "can_write": rights.can("write", row["id"]),
    }
