"""The two permission graphs. A `revision` that is not the newest is a conflict: nothing is changed."""

from __future__ import annotations

from typing import Any

from ..answers import Refused, malformed, paid
from ..endpoints import Access, Call, Endpoint
from ..permissions import ADMINISTRATORS, COLLECTION_LEVELS, DATABASE_ID, QUERY_LEVELS
from ..store import Row, Store

CONFLICT = (
    "Looks like someone else edited the permissions and your data is out of date. Please fetch new data and try again."
)
ADMIN_FIXED = "You cannot create or revoke permissions for the 'Admin' group."
DATA, COLLECTIONS = "data-permissions", "collection-permissions"
Graph = dict[str, dict[str, Any]]


def _groups(store: Store) -> list[int]:
    return [row["id"] for row in store.rows("SELECT id FROM permissions_group ORDER BY id")]


def _requested(call: Call, current: Graph, counter: str) -> Graph:
    """The groups of the body, after the checks that both graphs share."""
    groups, revision = call.body.get("groups"), call.body.get("revision")
    if not isinstance(groups, dict) or not all(isinstance(entry, dict) for entry in groups.values()):
        raise malformed({"groups": "value must be a map."})
    if not call.flag("force") and revision != call.store.count(counter):
        raise Refused(409, CONFLICT)
    for group, entry in groups.items():
        if group not in current:
            raise malformed({"groups": f"no group has the id {group}"})
        same = all(current[group].get(target) == level for target, level in entry.items())
        if group == str(ADMINISTRATORS) and not same:
            raise Refused(400, ADMIN_FIXED)
    return {group: entry for group, entry in groups.items() if group != str(ADMINISTRATORS)}


def collection_groups(store: Store) -> Graph:
    """Group id → `root` or collection id → `none`, `read` or `write`; personal collections and trash have no part."""
    sql = "SELECT id, location, personal_owner_id FROM collection WHERE type IS NULL AND archived = 0 ORDER BY id"
    rows = store.rows(sql)
    personal = {row["id"] for row in rows if row["personal_owner_id"]}
    targets = ["root", *(str(row["id"]) for row in rows if not _is_personal(row, personal))]
    levels = {(r["group_id"], r["collection"]): r["level"] for r in store.rows("SELECT * FROM collection_permission")}
    return {
        str(group): {t: "write" if group == ADMINISTRATORS else levels.get((group, t), "none") for t in targets}
        for group in _groups(store)
    }


def _is_personal(row: Row, personal: set[int]) -> bool:
    top = [int(part) for part in row["location"].split("/") if part][:1]
    return row["id"] in personal or bool(top and top[0] in personal)


def collection_graph(call: Call) -> Any:
    """GET /api/collection/graph"""
    return {"revision": call.store.count(COLLECTIONS), "groups": collection_groups(call.store)}


def put_collection_graph(call: Call) -> Any:
    """PUT /api/collection/graph: what is named is changed, the rest stays"""
    store = call.store
    with store.change():
        current = collection_groups(store)
        changes = _requested(call, current, COLLECTIONS)
        for group, entry in changes.items():
            for target, level in entry.items():
                if target not in current[group]:
                    raise malformed({"groups": f"no shared collection has the id {target}"})
                if level not in COLLECTION_LEVELS:
                    raise malformed({"groups": f"`{level}` is none of {', '.join(COLLECTION_LEVELS)}"})
                sql = "INSERT OR REPLACE INTO collection_permission VALUES (?, ?, ?)"
                store.run(sql, int(group), target, level)
        if collection_groups(store) != current:
            store.step(COLLECTIONS)
    if call.flag("skip-graph", "skip_graph"):
        return {"revision": store.count(COLLECTIONS)}
    return collection_graph(call)


def data_groups(store: Store) -> Graph:
    """Group id → database id → permissions. Open source lets only `create-queries` differ."""
    levels = {r["group_id"]: r["create_queries"] for r in store.rows("SELECT * FROM data_permission")}
    return {str(group): {str(DATABASE_ID): _entry(group, levels.get(group, "no"))} for group in _groups(store)}


def _entry(group: int, level: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"view-data": "unrestricted", "create-queries": level, "download": {"schemas": "full"}}
    if group != ADMINISTRATORS:
        return entry
    every = {"create-queries": QUERY_LEVELS[-1], "data-model": {"schemas": "all"}, "details": "yes"}
    return {**entry, **every}


def data_graph(call: Call) -> Any:
    """GET /api/permissions/graph"""
    return {"revision": call.store.count(DATA), "groups": data_groups(call.store)}


def data_graph_of_group(call: Call) -> Any:
    """GET /api/permissions/graph/group/{id}"""
    group = str(call.part("id"))
    found = data_groups(call.store)
    return {"revision": call.store.count(DATA), "groups": {group: found[group]} if group in found else {}}


def data_graph_of_database(call: Call) -> Any:
    """GET /api/permissions/graph/db/{id}"""
    groups = data_groups(call.store) if call.part("id") == DATABASE_ID else {}
    return {"revision": call.store.count(DATA), "groups": groups}


def put_data_graph(call: Call) -> Any:
    """PUT /api/permissions/graph: 402 for what only Pro and Enterprise have; answers the groups that it was given"""
    store = call.store
    if call.body.get("sandboxes"):
        raise paid("Sandboxes")
    if call.body.get("impersonations"):
        raise paid("Connection impersonation")
    with store.change():
        current = data_groups(store)
        changes = _requested(call, current, DATA)
        for group, entry in changes.items():
            for database, wanted in entry.items():
                if database not in current[group] or not isinstance(wanted, dict):
                    raise malformed({"groups": f"no database has the id {database}"})
                _put_entry(store, int(group), current[group][database], wanted)
        store.step(DATA)
    if call.flag("skip-graph", "skip_graph"):
        return {"revision": store.count(DATA)}
    found = data_groups(store)
    return {"revision": store.count(DATA), "groups": {group: found[group] for group in call.body["groups"]}}


def _put_entry(store: Store, group: int, current: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if name != "create-queries" and value != current.get(name):
            raise paid(f"The `{name}` permission with this value")
    level = wanted.get("create-queries", current["create-queries"])
    if isinstance(level, dict):
        raise malformed({"groups": "the Metabase stand-in knows `create-queries` of whole databases only"})
    if level not in QUERY_LEVELS:
        raise malformed({"groups": f"`{level}` is none of {', '.join(QUERY_LEVELS)}"})
    store.run("INSERT OR REPLACE INTO data_permission VALUES (?, ?, ?)", group, DATABASE_ID, level)


ENDPOINTS = (
    Endpoint("GET", "/api/collection/graph", collection_graph, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/collection/graph", put_collection_graph, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/permissions/graph", data_graph, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/permissions/graph", put_data_graph, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/permissions/graph/group/{id:int}", data_graph_of_group, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/permissions/graph/db/{id:int}", data_graph_of_database, Access.ADMINISTRATOR),
)
