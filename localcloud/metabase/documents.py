"""Cards and dashboards as stored documents, found by number or by entity id as Metabase does."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, Literal

from .answers import invalid, not_found
from .store import Row, Store

Kind = Literal["card", "dashboard"]
ENTITY_ID = re.compile(r"[A-Za-z0-9_-]{21}")
_COLUMNS = ("id", "entity_id", "collection_id", "archived")


def new_entity_id() -> str:
    """21 characters of the nanoid alphabet."""
    return secrets.token_urlsafe(16)[:21]


def find(store: Store, kind: Kind, which: str | int) -> Row:
    """The document; 404 where there is none, 400 for what is no id at all."""
    text = str(which)
    if text.isascii() and text.isdigit():
        column = "id"
    elif ENTITY_ID.fullmatch(text):
        column = "entity_id"
    else:
        raise invalid("id", "value must be an integer greater than zero., or value must be a valid entity ID.")
    row = store.row(f"SELECT * FROM {kind} WHERE {column} = ?", text)  # noqa: S608 - both are constants
    if row is None:
        raise not_found()
    return _document(row)


def every(store: Store, kind: Kind, *, archived: bool = False) -> list[Row]:
    """All documents, by id."""
    rows = store.rows(f"SELECT * FROM {kind} WHERE archived = ? ORDER BY id", int(archived))  # noqa: S608 - a constant
    return [_document(row) for row in rows]


def save(store: Store, kind: Kind, document: Row) -> Row:
    """Creates (without `id`) or replaces a document."""
    body = json.dumps({k: v for k, v in document.items() if k not in _COLUMNS})
    values = (document["entity_id"], document.get("collection_id"), int(bool(document.get("archived"))), body)
    with store.change():
        if "id" in document and store.row(f"SELECT 1 AS x FROM {kind} WHERE id = ?", document["id"]):  # noqa: S608
            sql = f"UPDATE {kind} SET entity_id = ?, collection_id = ?, archived = ?, body = ? WHERE id = ?"  # noqa: S608
            store.run(sql, *values, document["id"])
            return find(store, kind, document["id"])
        columns = "entity_id, collection_id, archived, body, id"
        sql = f"INSERT INTO {kind} ({columns}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - constants
        return find(store, kind, store.run(sql, *values, document.get("id")))


def changed(document: Row, body: dict[str, Any], fields: tuple[str, ...]) -> Row:
    """The document with the given fields of a request's body."""
    return {**document, **{name: body[name] for name in fields if name in body}}


def _document(row: Row) -> Row:
    return {**json.loads(row["body"]), **{name: row[name] for name in _COLUMNS}, "archived": bool(row["archived"])}
