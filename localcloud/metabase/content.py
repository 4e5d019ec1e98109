"""Collections, dashboards and questions, each behind the person's own permissions."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import queries
from .auth import Refused, require_user
from .context import body_of, context_of, need
from .permissions import may_read, require_collection, require_queries
from .sample import DATABASE_ID
from .store import Store


def _collection(store: Store, which: str) -> dict[str, Any]:
    column = "id" if which.isdigit() else "entity_id"
    row = store.row(f"SELECT * FROM collection WHERE {column} = ?", int(which) if which.isdigit() else which)  # noqa: S608
    if row is None:
        raise Refused(404, "Not found.")
    return row


def _document(store: Store, table: str, which: str) -> dict[str, Any]:
    if which.isdigit():
        found = store.document(table, int(which))
    else:
        found = next((d for d in store.documents(table) if d["entity_id"] == which), None)
    if found is None or found["archived"]:
        raise Refused(404, "Not found.")
    return found


def _shown(store: Store, user: dict[str, Any], collection: dict[str, Any]) -> dict[str, Any]:
    shown = {
        k: collection[k] for k in ("id", "name", "description", "location", "entity_id", "type", "personal_owner_id")
    }
    return {
        **shown,
        "archived": bool(collection["archived"]),
        "can_write": may_read(store, user, collection["id"], "write"),
        "slug": collection["name"].lower(),
    }


def _readable(store: Store, user: dict[str, Any]) -> list[dict[str, Any]]:
    rows = store.rows("SELECT * FROM collection WHERE archived = 0 AND type IS NULL ORDER BY id")
    return [row for row in rows if may_read(store, user, row["id"])]


async def collections(request: Request) -> Response:
    """GET /api/collection"""
    store = context_of(request).store
    user = require_user(store, request)
    return JSONResponse([_shown(store, user, row) for row in _readable(store, user)])


async def collection_tree(request: Request) -> Response:
    """GET /api/collection/tree"""
    store = context_of(request).store
    user = require_user(store, request)
    return JSONResponse([{**_shown(store, user, row), "children": []} for row in _readable(store, user)])


async def show_collection(request: Request) -> Response:
    """GET /api/collection/{id}"""
    store = context_of(request).store
    user, row = require_user(store, request), _collection(store, request.path_params["id"])
    require_collection(store, user, row["id"])
    return JSONResponse(_shown(store, user, row))


async def root_collection(request: Request) -> Response:
    """GET /api/collection/root"""
    user = require_user(context_of(request).store, request)
    require_collection(context_of(request).store, user, None)
    return JSONResponse({"id": "root", "name": "Our analytics", "can_write": user["is_superuser"] == 1})


async def create_collection(request: Request) -> Response:
    """POST /api/collection"""
    store, body = context_of(request).store, await body_of(request)
    user = require_user(store, request)
    need(body, "name")
    parent = body.get("parent_id")
    require_collection(store, user, parent, "write")
    location = "/" if parent is None else f"{_collection(store, str(parent))['location']}{parent}/"
    number = store.run(
        "INSERT INTO collection (name, description, location, entity_id) VALUES (?, ?, ?, ?)",
        body["name"], body.get("description"), location, secrets.token_urlsafe(16)[:21],
    )  # fmt: skip
    return JSONResponse(_shown(store, user, _collection(store, str(number))))


def _item(document: dict[str, Any], model: str) -> dict[str, Any]:
    keys = ("id", "name", "description", "collection_id", "entity_id", "display")
    return {**{k: document.get(k) for k in keys}, "model": model}


async def items(request: Request) -> Response:
    """GET /api/collection/{id}/items, also of `root`"""
    store = context_of(request).store
    user, which = require_user(store, request), request.path_params["id"]
    number = None if which == "root" else _collection(store, which)["id"]
    if number is not None:
        require_collection(store, user, number)
    found = []
    if number is None:
        found += [{"id": c["id"], "name": c["name"], "model": "collection"} for c in _readable(store, user)]
    if number is not None or may_read(store, user, None):
        for table, model in (("dashboard", "dashboard"), ("card", "card")):
            documents = store.documents(table)
            found += [_item(d, model) for d in documents if d["collection_id"] == number and not d["archived"]]
    return JSONResponse({"data": found, "total": len(found), "limit": None, "offset": None, "models": []})


async def search(request: Request) -> Response:
    """GET /api/search?q="""
    store = context_of(request).store
    user, word = require_user(store, request), request.query_params.get("q", "").lower()
    found = []
    for table, model in (("dashboard", "dashboard"), ("card", "card")):
        for document in store.documents(table):
            if word in document["name"].lower() and may_read(store, user, document["collection_id"]):
                found.append(_item(document, model))
    return JSONResponse({"data": found, "total": len(found), "models": ["dashboard", "card"], "limit": 50, "offset": 0})


def readable_document(request: Request, table: str, level: str = "read") -> tuple[dict[str, Any], dict[str, Any]]:
    """The person and the card or dashboard that the path names; 403 or 404 as Metabase answers."""
    store = context_of(request).store
    user = require_user(store, request)
    document = _document(store, table, request.path_params["id"])
    require_collection(store, user, document["collection_id"], level)
    return user, document


async def show_dashboard(request: Request) -> Response:
    """GET /api/dashboard/{id} with its cards"""
    store = context_of(request).store
    user, dashboard = readable_document(request, "dashboard")
    cards = [{**dc, "card": store.document("card", dc["card_id"])} for dc in dashboard["dashcards"]]
    return JSONResponse(
        {**dashboard, "dashcards": cards, "can_write": may_read(store, user, dashboard["collection_id"], "write")}
    )


async def list_dashboards(request: Request) -> Response:
    """GET /api/dashboard"""
    store = context_of(request).store
    user = require_user(store, request)
    found = [d for d in store.documents("dashboard") if may_read(store, user, d["collection_id"])]
    return JSONResponse([{k: v for k, v in d.items() if k != "dashcards"} for d in found])


async def create_dashboard(request: Request) -> Response:
    """POST /api/dashboard"""
    store, body = context_of(request).store, await body_of(request)
    user = require_user(store, request)
    need(body, "name")
    require_collection(store, user, body.get("collection_id"), "write")
    empty = {"description": None, "parameters": [], "tabs": [], "dashcards": [], "enable_embedding": False}
    made = {**empty, "name": body["name"], "collection_id": body.get("collection_id"), "archived": False}
    return JSONResponse(store.put_document("dashboard", {**made, "entity_id": secrets.token_urlsafe(16)[:21]}))


async def update_dashboard(request: Request) -> Response:
    """PUT /api/dashboard/{id}"""
    body = await body_of(request)
    _, dashboard = readable_document(request, "dashboard", "write")
    known = {k: v for k, v in body.items() if k in dashboard and k not in ("id", "entity_id")}
    return JSONResponse(context_of(request).store.put_document("dashboard", {**dashboard, **known}))


async def query_metadata(request: Request) -> Response:
    """GET …/query_metadata"""
    readable_document(request, "dashboard")
    return JSONResponse({"databases": [database_answer()], "tables": [], "fields": [], "cards": [], "dashboards": []})


def database_answer() -> dict[str, Any]:
    """The sample database as `GET /api/database/:id` shows it."""
    return {
        "id": DATABASE_ID,
        "name": "Sample Database",
        "engine": "sqlite",
        "is_sample": True,
        "features": ["native-parameters"],
    }


async def show_card(request: Request) -> Response:
    """GET /api/card/{id}"""
    _, card = readable_document(request, "card")
    return JSONResponse(card)


async def list_cards(request: Request) -> Response:
    """GET /api/card"""
    store = context_of(request).store
    user = require_user(store, request)
    return JSONResponse([c for c in store.documents("card") if may_read(store, user, c["collection_id"])])


async def create_card(request: Request) -> Response:
    """POST /api/card"""
    store, body = context_of(request).store, await body_of(request)
    user = require_user(store, request)
    need(body, "name", "dataset_query", "display")
    require_collection(store, user, body.get("collection_id"), "write")
    require_queries(store, user, queries.is_native(body["dataset_query"]))
    kept = {k: body.get(k) for k in ("name", "description", "display", "dataset_query", "collection_id")}
    more = {
        "type": "question",
        "archived": False,
        "parameters": [],
        "visualization_settings": {},
        "database_id": DATABASE_ID,
    }
    return JSONResponse(store.put_document("card", {**kept, **more, "entity_id": secrets.token_urlsafe(16)[:21]}))


async def update_card(request: Request) -> Response:
    """PUT /api/card/{id}"""
    body = await body_of(request)
    store = context_of(request).store
    user, card = readable_document(request, "card", "write")
    if "dataset_query" in body:
        require_queries(store, user, queries.is_native(body["dataset_query"]))
    known = {k: v for k, v in body.items() if k in card and k not in ("id", "entity_id")}
    return JSONResponse(store.put_document("card", {**card, **known}))


async def empty_list(request: Request) -> Response:
    """Lists that are empty here: bookmarks, recent and popular items"""
    require_user(context_of(request).store, request)
    return JSONResponse([])


CARD, DASHBOARD = "/api/card/{id}", "/api/dashboard/{id}"
ROUTES = [
    Route("/api/collection", collections, methods=["GET"]),
    Route("/api/collection", create_collection, methods=["POST"]),
    Route("/api/collection/tree", collection_tree),
    Route("/api/collection/root", root_collection),
    Route("/api/collection/{id}", show_collection),
    Route("/api/collection/{id}/items", items),
    Route("/api/search", search),
    Route("/api/bookmark", empty_list),
    Route("/api/activity/recents", empty_list),
    Route("/api/activity/recent_views", empty_list),
    Route("/api/activity/popular_items", empty_list),
    Route("/api/dashboard", list_dashboards, methods=["GET"]),
    Route("/api/dashboard", create_dashboard, methods=["POST"]),
    Route(DASHBOARD, show_dashboard, methods=["GET"]),
    Route(DASHBOARD, update_dashboard, methods=["PUT"]),
    Route(DASHBOARD + "/query_metadata", query_metadata),
    Route("/api/card", list_cards, methods=["GET"]),
    Route("/api/card", create_card, methods=["POST"]),
    Route(CARD, show_card, methods=["GET"]),
    Route(CARD, update_card, methods=["PUT"]),
]
