"""`/api/activity` and `/api/bookmark`: of things that still exist and that the person may read."""

from __future__ import annotations

from typing import Any

from .. import documents, folders
from ..answers import Refused, malformed, not_found
from ..endpoints import Call, Endpoint
from ..items import collection_item, document_item
from ..views import record_view

DOCUMENTS: tuple[documents.Kind, ...] = ("card", "dashboard")
LIMIT = 10


def _item(call: Call, model: str, number: int) -> dict[str, Any] | None:
    try:
        if model == "collection":
            row = folders.find(call.store, number)
            return collection_item(row, call.rights) if call.rights.can("read", row["id"]) else None
        kind = next(kind for kind in DOCUMENTS if kind == model)
        document = documents.find(call.store, kind, number)
    except Refused:
        return None
    readable = call.rights.can("read", document["collection_id"]) and not document["archived"]
    return document_item(document, model, call.rights) if readable else None


def _viewed(call: Call, sql: str, *values: Any) -> list[dict[str, Any]]:
    found = []
    for row in call.store.rows(sql, *values):
        item = _item(call, row["model"], row["item_id"])
        if item is not None:
            place = call.store.row("SELECT id, name FROM collection WHERE id = ?", item["collection_id"])
            parent = place or {"id": None, "name": "Our analytics"}
            found.append({**item, "model_id": item["id"], "timestamp": row["at"], "parent_collection": parent})
    return found[:LIMIT]


_RECENT = "SELECT * FROM viewed WHERE user_id = ? ORDER BY at DESC"


def recents(call: Call) -> Any:
    """GET /api/activity/recents"""
    return {"recents": _viewed(call, _RECENT, call.me["id"])}


def record(call: Call) -> Any:
    """POST /api/activity/recents"""
    model, number = call.body.get("model"), call.body.get("model_id")
    if model not in DOCUMENTS and model != "collection":
        raise malformed({"model": "the Metabase stand-in knows card, dashboard and collection"})
    if not isinstance(number, int) or _item(call, str(model), number) is None:
        raise not_found()
    record_view(call, str(model), number)


def recent_views(call: Call) -> Any:
    """GET /api/activity/recent_views"""
    return {"recent_views": _viewed(call, _RECENT, call.me["id"])}


def popular(call: Call) -> Any:
    """GET /api/activity/popular_items"""
    sql = "SELECT model, item_id, sum(times) AS n, max(at) AS at FROM viewed GROUP BY 1, 2 ORDER BY 3 DESC"
    return {"popular_items": _viewed(call, sql)}


def last_dashboard(call: Call) -> Any:
    """GET /api/activity/most_recently_viewed_dashboard"""
    sql = "SELECT * FROM viewed WHERE user_id = ? AND model = 'dashboard' ORDER BY at DESC"
    return next(iter(_viewed(call, sql, call.me["id"])), None)


def _bookmarkable(call: Call) -> tuple[str, int]:
    model, number = call.part("model"), call.part("id")
    if model not in (*DOCUMENTS, "collection"):
        raise malformed({"model": "value must be one of: card, dashboard, collection."})
    item = _item(call, model, number)
    if item is None:
        raise not_found()
    return model, number


def bookmarks(call: Call) -> Any:
    """GET /api/bookmark"""
    found = []
    for row in call.store.rows("SELECT * FROM bookmark WHERE user_id = ? ORDER BY id DESC", call.me["id"]):
        item = _item(call, row["model"], row["item_id"])
        if item is not None:
            key = f"{row['model']}-{item['id']}"
            found.append(
                {
                    "id": key,
                    "type": row["model"],
                    "item_id": item["id"],
                    "name": item["name"],
                    "display": item.get("display"),
                }
            )
    return found


def add_bookmark(call: Call) -> Any:
    """POST /api/bookmark/{model}/{id}"""
    model, number = _bookmarkable(call)
    sql = "INSERT OR IGNORE INTO bookmark (user_id, model, item_id, created_at) VALUES (?, ?, ?, ?)"
    call.store.run(sql, call.me["id"], model, number, call.instance.timestamp())
    return call.store.row(
        "SELECT * FROM bookmark WHERE user_id = ? AND model = ? AND item_id = ?", call.me["id"], model, number
    )


def remove_bookmark(call: Call) -> Any:
    """DELETE /api/bookmark/{model}/{id}"""
    sql = "DELETE FROM bookmark WHERE user_id = ? AND model = ? AND item_id = ?"
    call.store.run(sql, call.me["id"], call.part("model"), call.part("id"))


ENDPOINTS = (
    Endpoint("GET", "/api/activity/recents", recents),
    Endpoint("POST", "/api/activity/recents", record),
    Endpoint("GET", "/api/activity/recent_views", recent_views),
    Endpoint("GET", "/api/activity/popular_items", popular),
    Endpoint("GET", "/api/activity/most_recently_viewed_dashboard", last_dashboard),
    Endpoint("GET", "/api/bookmark", bookmarks),
    Endpoint("POST", "/api/bookmark/{model}/{id:int}", add_bookmark),
    Endpoint("DELETE", "/api/bookmark/{model}/{id:int}", remove_bookmark),
)
