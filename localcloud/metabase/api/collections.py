"""`/api/collection`: folders and what is in them."""

from __future__ import annotations

import re
from typing import Any

from .. import folders
from ..answers import Refused, forbidden, malformed, paid
from ..documents import every, new_entity_id
from ..endpoints import Call, Endpoint
from ..items import collection_item, document_item
from ..permissions import TRASH
from ..store import Row


def listed(call: Call) -> Any:
    """GET /api/collection?archived=&exclude-other-user-collections=&personal-only="""
    rows = folders.readable(call.store, call.rights, archived=call.flag("archived"))
    if call.flag("personal-only"):
        rows = [row for row in rows if row["personal_owner_id"]]
    rows = _own(call, rows)
    found = [folders.shown(row, call.rights) for row in rows]
    with_root = call.rights.can("read", None) and not (call.flag("archived") or call.flag("personal-only"))
    return [*([folders.root(call.rights)] if with_root else []), *found]


def _own(call: Call, rows: list[Row]) -> list[Row]:
    if not call.flag("exclude-other-user-collections"):
        return rows
    return [row for row in rows if row["personal_owner_id"] in (None, call.me["id"])]


def tree(call: Call) -> Any:
    """GET /api/collection/tree: nested, with what is at and below each place"""
    rows = _own(call, folders.readable(call.store, call.rights))
    if call.flag("exclude-archived"):
        rows = [row for row in rows if row["type"] != TRASH]
    holds = {card["collection_id"] for card in every(call.store, "card")}
    nodes = {
        row["id"]: {
            **folders.shown(row, call.rights),
            "here": ["card"] if row["id"] in holds else [],
            "below": [],
            "children": [],
        }
        for row in rows
    }
    top: list[dict[str, Any]] = []
    for node in nodes.values():
        above = [int(part) for part in node["effective_location"].split("/") if part]
        parent = nodes.get(above[-1]) if above else None
        (parent["children"] if parent else top).append(node)
        for number in above:
            if node["here"] and number in nodes:
                nodes[number]["below"] = ["card"]
    return top


def show(call: Call) -> Any:
    """GET /api/collection/{id}, also `trash`"""
    row = folders.find(call.store, call.part("id"))
    call.rights.require("read", row["id"])
    return _detail(call, row)


def _detail(call: Call, row: Row) -> dict[str, Any]:
    above = [folders.find(call.store, n) for n in folders.ancestors(row) if call.rights.can("read", n)]
    found = [{"id": a["id"], "name": a["name"], "personal_owner_id": a["personal_owner_id"]} for a in above]
    lead = [folders.root(call.rights)] if call.rights.can("read", None) else []
    return {**folders.shown(row, call.rights), "effective_ancestors": [*lead, *found]}


def show_root(call: Call) -> Any:
    """GET /api/collection/root"""
    call.rights.require("read", None)
    return folders.root(call.rights)


def items(call: Call) -> Any:
    """GET /api/collection/{id}/items?models=&archived=&limit=&offset="""
    row = folders.find(call.store, call.part("id"))
    call.rights.require("read", row["id"])
    return _page(call, row)


def root_items(call: Call) -> Any:
    """GET /api/collection/root/items: who can't read the root still finds the collections that they can read"""
    return _page(call, None)


def _page(call: Call, row: Row | None) -> dict[str, Any]:
    number = row["id"] if row else None
    is_trash = bool(row and row["type"] == TRASH)
    archived = call.flag("archived") or is_trash or bool(row and row["archived"])
    location = f"{row['location']}{number}/" if row else "/"
    found = []
    for child in folders.readable(call.store, call.rights, archived=archived):
        here = is_trash or folders.effective_location(child, call.rights) == location
        if here and child["type"] is None and (child["personal_owner_id"] in (None, call.me["id"])):
            found.append(collection_item(child, call.rights))
    for kind in ("dashboard", "card"):
        for document in every(call.store, kind, archived=archived):
            if (is_trash or document["collection_id"] == number) and call.rights.can("read", document["collection_id"]):
                found.append(document_item(document, kind, call.rights))
    models = call.query.getlist("models")
    found = [item for item in found if not models or item["model"] in models]
    limit, offset = call.number("limit"), call.number("offset") or 0
    page = found[offset : None if limit is None else offset + limit]
    return {
        "total": len(found),
        "data": page,
        "models": models or None,
        "limit": limit,
        "offset": offset if limit else None,
    }


def create(call: Call) -> Any:
    """POST /api/collection: begins with the permissions of its parent"""
    call.need("name")
    _refuse_paid(call)
    parent = _parent(call)
    call.rights.require("write", parent["id"] if parent else None)
    location = f"{parent['location']}{parent['id']}/" if parent else "/"
    name = str(call.body["name"])
    columns = "name, slug, description, location, entity_id, created_at"
    with call.store.change():
        number = call.store.run(
            f"INSERT INTO collection ({columns}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            name, _slug(name), call.body.get("description"), location, new_entity_id(), call.instance.timestamp(),
        )  # fmt: skip
        inherited = "SELECT group_id, ?, level FROM collection_permission WHERE collection = ?"
        above = str(parent["id"]) if parent else "root"
        call.store.run(f"INSERT INTO collection_permission {inherited}", str(number), above)
    return _reread(call, number)


def _parent(call: Call) -> Row | None:
    parent = call.body.get("parent_id")
    if parent is None:
        return None
    if not isinstance(parent, int) or isinstance(parent, bool):
        raise malformed({"parent_id": "nullable value must be an integer greater than zero."})
    row = folders.find(call.store, parent)
    if row["type"] == TRASH:
        raise Refused(400, "You cannot move something into the trash: archive it.")
    return row


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _refuse_paid(call: Call) -> None:
    if call.body.get("authority_level"):
        raise paid("Official Collections")


def _reread(call: Call, number: int) -> dict[str, Any]:
    # Permissions may have changed with the request itself.
    call.__dict__.pop("rights", None)
    return _detail(call, folders.find(call.store, number))


def update(call: Call) -> Any:
    """PUT /api/collection/{id}: names, moves, archives"""
    row = folders.find(call.store, call.part("id"))
    call.rights.require("write", row["id"])
    if row["type"] == TRASH or row["personal_owner_id"]:
        raise Refused(400, "You cannot change or move this collection.")
    _refuse_paid(call)
    with call.store.change():
        if "name" in call.body:
            call.need("name")
            name = str(call.body["name"])
            call.store.run("UPDATE collection SET name = ?, slug = ? WHERE id = ?", name, _slug(name), row["id"])
        if "description" in call.body:
            sql = "UPDATE collection SET description = ? WHERE id = ?"
            call.store.run(sql, call.body["description"], row["id"])
        if isinstance(call.body.get("archived"), bool):
            _archive(call, row, call.body["archived"])
        if "parent_id" in call.body and not call.body.get("archived"):
            _move(call, row)
    return _reread(call, row["id"])


def _archive(call: Call, row: Row, archived: bool) -> None:
    """With everything below, which must be writable too."""
    below = call.store.rows("SELECT id FROM collection WHERE location LIKE ?", f"{row['location']}{row['id']}/%")
    numbers = [row["id"], *(child["id"] for child in below)]
    if not all(call.rights.can("write", number) for number in numbers):
        raise forbidden()
    for number in numbers:
        call.store.run("UPDATE collection SET archived = ? WHERE id = ?", int(archived), number)
        for kind in ("card", "dashboard"):
            call.store.run(f"UPDATE {kind} SET archived = ? WHERE collection_id = ?", int(archived), number)  # noqa: S608


def _move(call: Call, row: Row) -> None:
    parent = _parent(call)
    call.rights.require("write", parent["id"] if parent else None)
    old = f"{row['location']}{row['id']}/"
    location = f"{parent['location']}{parent['id']}/" if parent else "/"
    if location.startswith(old):
        raise malformed({"parent_id": "a collection can't be moved into itself."})
    call.store.run("UPDATE collection SET location = ? WHERE id = ?", location, row["id"])
    sql = "UPDATE collection SET location = ? || substr(location, ?) WHERE location LIKE ?"
    call.store.run(sql, f"{location}{row['id']}/", len(old) + 1, f"{old}%")


ENDPOINTS = (
    Endpoint("GET", "/api/collection", listed),
    Endpoint("POST", "/api/collection", create),
    Endpoint("GET", "/api/collection/tree", tree),
    Endpoint("GET", "/api/collection/root", show_root),
    Endpoint("GET", "/api/collection/root/items", root_items),
    Endpoint("GET", "/api/collection/{id}", show),
    Endpoint("PUT", "/api/collection/{id:int}", update),
    Endpoint("GET", "/api/collection/{id}/items", items),
)
