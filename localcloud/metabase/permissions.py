"""Permissions: they add up over a person's groups, and All Users starts wide, as in Metabase."""

from __future__ import annotations

from typing import Any

from .auth import ADMINISTRATORS, ALL_USERS, Refused, groups_of
from .sample import DATABASE_ID
from .store import Store

LEVELS = ("no", "query-builder", "query-builder-and-native")


def collection_level(store: Store, group: int, collection: int | None) -> str:
    """`none`, `read` or `write`; a group without an entry: All Users may write, others nothing."""
    if group == ADMINISTRATORS:
        return "write"
    name = "root" if collection is None else str(collection)
    found = store.row("SELECT level FROM collection_permission WHERE group_id = ? AND collection = ?", group, name)
    return str(found["level"]) if found else ("write" if group == ALL_USERS else "none")


def data_level(store: Store, group: int) -> str:
    """`create-queries` of a group on the sample database."""
    if group == ADMINISTRATORS:
        return LEVELS[2]
    found = store.row("SELECT level FROM data_permission WHERE group_id = ? AND database_id = ?", group, DATABASE_ID)
    return str(found["level"]) if found else (LEVELS[2] if group == ALL_USERS else LEVELS[0])


def may_read(store: Store, user: dict[str, Any], collection: int | None, level: str = "read") -> bool:
    """True where one of the groups has the level on the collection; personal ones are their owner's."""
    if user["is_superuser"]:
        return True
    if collection is not None:
        owner = store.row("SELECT personal_owner_id FROM collection WHERE id = ?", collection)
        if owner and owner["personal_owner_id"]:
            return bool(owner["personal_owner_id"] == user["id"])
    wanted = ("read", "write") if level == "read" else ("write",)
    return any(collection_level(store, group, collection) in wanted for group in groups_of(store, user["id"]))


def require_collection(store: Store, user: dict[str, Any], collection: int | None, level: str = "read") -> None:
    """403 unless permitted."""
    if not may_read(store, user, collection, level):
        raise Refused(403, "You don't have permissions to do that.")


def require_queries(store: Store, user: dict[str, Any], native: bool) -> None:
    """403 unless the person may ask the sample database in this way."""
    levels = [LEVELS.index(data_level(store, group)) for group in groups_of(store, user["id"])]
    if not user["is_superuser"] and max(levels, default=0) < (2 if native else 1):
        raise Refused(403, "You don't have permissions to do that.")


def collection_graph(store: Store) -> dict[str, Any]:
    """`GET /api/collection/graph`"""
    collections = [
        None,
        *(
            c["id"]
            for c in store.rows(
                "SELECT id FROM collection WHERE type IS NULL AND personal_owner_id IS NULL ORDER BY id"
            )
        ),
    ]
    groups = {}
    for group in store.rows("SELECT id FROM grp ORDER BY id"):
        levels = {("root" if c is None else str(c)): collection_level(store, group["id"], c) for c in collections}
        groups[str(group["id"])] = levels
    return {"revision": store.setting("collection-revision", 0), "groups": groups}


def data_graph(store: Store) -> dict[str, Any]:
    """`GET /api/permissions/graph`: open source shows `create-queries`"""
    groups = {}
    for group in store.rows("SELECT id FROM grp ORDER BY id"):
        entry = {
            "view-data": "unrestricted",
            "create-queries": data_level(store, group["id"]),
            "download": {"schemas": "full"},
        }
        groups[str(group["id"])] = {str(DATABASE_ID): entry}
    return {"revision": store.setting("data-revision", 0), "groups": groups}


def put_graph(store: Store, name: str, body: dict[str, Any]) -> None:
    """Applies a PUT of either graph; a stale revision is 409."""
    key = f"{name}-revision"
    if not isinstance(body.get("groups"), dict) or not isinstance(body.get("revision"), int):
        raise Refused(400, {"errors": {"groups": "a graph with revision and groups is needed"}})
    with store.change():
        current = store.setting(key, 0)
        if body["revision"] != current:
            raise Refused(
                409,
                "Looks like someone else edited the permissions and your data is out of date. "
                "Please fetch new data and try again.",
            )
        for group, entries in body["groups"].items():
            if int(group) == ADMINISTRATORS:
                raise Refused(400, "You can't change the permissions of the Administrators group.")
            for target, level in entries.items():
                _put_entry(store, name, int(group), target, level)
        store.set_setting(key, current + 1)


def _put_entry(store: Store, name: str, group: int, target: str, level: Any) -> None:
    if name == "collection":
        if level not in ("none", "read", "write"):
            raise Refused(400, {"errors": {target: f"`{level}` is no collection permission"}})
        store.run("INSERT OR REPLACE INTO collection_permission VALUES (?, ?, ?)", group, target, level)
        return
    unknown = set(level) - {"create-queries"}
    if unknown & {"view-data", "download", "data-model", "details"}:
        raise Refused(402, "This feature requires a Pro or Enterprise plan.")
    if level.get("create-queries") not in LEVELS:
        raise Refused(400, {"errors": {target: "`create-queries` is missing or unknown"}})
    store.run("INSERT OR REPLACE INTO data_permission VALUES (?, ?, ?)", group, int(target), level["create-queries"])
