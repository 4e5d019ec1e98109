"""Collections as rows: found by any of their ids, and shown as a person may see them."""

from __future__ import annotations

from typing import Any

from .answers import invalid, not_found
from .documents import ENTITY_ID
from .permissions import TRASH, Rights
from .store import Row, Store


def find(store: Store, which: str | int) -> Row:
    """By number, by entity id, or `trash`."""
    text = str(which)
    if text == TRASH:
        row = store.row("SELECT * FROM collection WHERE type = ?", TRASH)
    elif text.isascii() and text.isdigit():
        row = store.row("SELECT * FROM collection WHERE id = ?", int(text))
    elif ENTITY_ID.fullmatch(text):
        row = store.row("SELECT * FROM collection WHERE entity_id = ?", text)
    else:
        raise invalid("id", "value must be an integer greater than zero., or value must be a valid entity ID.")
    if row is None:
        raise not_found()
    return row


def readable(store: Store, rights: Rights, *, archived: bool = False) -> list[Row]:
    """The collections that a person may read, in Metabase's order; the trash comes last."""
    sql = "SELECT * FROM collection WHERE archived = ? ORDER BY type IS NOT NULL, lower(name), id"
    return [row for row in store.rows(sql, int(archived)) if rights.can("read", row["id"])]


def ancestors(row: Row) -> list[int]:
    """From the top down."""
    return [int(part) for part in row["location"].split("/") if part]


def effective_location(row: Row, rights: Rights) -> str:
    """The location without ancestors that the person can't read."""
    kept = [str(number) for number in ancestors(row) if rights.can("read", number)]
    return "/" + "".join(f"{number}/" for number in kept)


def shown(row: Row, rights: Rights) -> dict[str, Any]:
    """A collection as `GET /api/collection/:id` shows it."""
    above = ancestors(row)
    return {
        "id": row["id"],
        "name": row["name"],
        "slug": row["slug"],
        "description": row["description"],
        "entity_id": row["entity_id"],
        "location": row["location"],
        "effective_location": effective_location(row, rights),
        "parent_id": above[-1] if above else None,
        "type": row["type"],
        "personal_owner_id": row["personal_owner_id"],
        "is_personal": row["personal_owner_id"] is not None,
        "is_sample": False,
        "authority_level": None,
        "namespace": None,
        "archived": bool(row["archived"]),
        "can_write": rights.can("write", row["id"]) and row["type"] is None,
        "can_delete": bool(row["archived"]) and rights.is_administrator,
        "created_at": row["created_at"],
    }


def root(rights: Rights) -> dict[str, Any]:
    """The root collection, which is no row."""
    return {
        "id": "root",
        "name": "Our analytics",
        "slug": "root",
        "authority_level": None,
        "can_write": rights.can("write", None),
        "is_personal": False,
        "effective_ancestors": [],
        "effective_location": None,
        "parent_id": None,
    }
