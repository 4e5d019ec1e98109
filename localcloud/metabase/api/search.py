"""`/api/search`: by name and description, in what the person may read."""

from __future__ import annotations

from typing import Any

from .. import folders
from ..answers import malformed
from ..documents import every
from ..endpoints import Call, Endpoint
from ..items import collection_item, document_item
from ..permissions import DATABASE_ID
from ..sample.tables import TABLES

MODELS = ("dashboard", "card", "collection", "table", "database")
OTHER_MODELS = {"dataset", "metric", "segment", "action", "indexed-entity", "document", "transform", "measure"}
DEFAULT_LIMIT = 50


def search(call: Call) -> Any:
    """GET /api/search?q=&models=&archived=&limit=&offset="""
    wanted = set(call.query.getlist("models"))
    if unknown := wanted - set(MODELS) - OTHER_MODELS:
        raise malformed({"models": f"`{sorted(unknown)[0]}` is no model"})
    words = call.query.get("q", "").lower().split()
    found = [item for item in _everything(call) if not wanted or item["model"] in wanted]
    found = [item for item in found if _matches(item, words)]
    limit, offset = call.number("limit") or DEFAULT_LIMIT, call.number("offset") or 0
    available = [model for model in MODELS if any(item["model"] == model for item in found)]
    return {
        "data": found[offset : offset + limit],
        "total": len(found),
        "models": sorted(wanted) or list(MODELS),
        "available_models": available,
        "limit": limit,
        "offset": offset,
        "table_db_id": None,
        "engine": "appdb",
    }


def _matches(item: dict[str, Any], words: list[str]) -> bool:
    text = f"{item['name']} {item.get('description') or ''}".lower()
    return all(word in text for word in words)


def _everything(call: Call) -> list[dict[str, Any]]:
    rights, archived = call.rights, call.flag("archived")
    places = {row["id"]: row for row in folders.readable(call.store, rights)}
    found = []
    for kind in ("dashboard", "card"):
        for document in every(call.store, kind, archived=archived):
            if rights.can("read", document["collection_id"]):
                place = places.get(document["collection_id"])
                where = {"id": place["id"], "name": place["name"]} if place else {"id": "root", "name": "Our analytics"}
                found.append({**document_item(document, kind, rights), "collection": where})
    found += [collection_item(row, rights) for row in places.values() if row["type"] is None and not archived]
    if rights.query_level != "no" and not archived:
        found += [_table_item(table.id, table.name, table.display_name) for table in TABLES.values()]
        found.append({"id": DATABASE_ID, "name": "Sample Database", "model": "database", "description": None})
    return found


def _table_item(number: int, name: str, title: str) -> dict[str, Any]:
    place = {"database_id": DATABASE_ID, "table_id": number, "table_name": name, "table_schema": None}
    return {"id": number, "name": title, "model": "table", "description": None, **place}


ENDPOINTS = (Endpoint("GET", "/api/search", search),)
