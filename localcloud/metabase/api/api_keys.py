"""`/api/api-key`: a key is a user of its own in one group; the key itself is shown once."""

from __future__ import annotations

import uuid
from typing import Any

from ..answers import invalid, malformed, not_found
from ..credentials import new_api_key
from ..endpoints import Access, Call, Endpoint
from ..people import add_user, set_memberships, shown
from ..permissions import ALL_USERS
from ..store import Row

_SELECT = "SELECT api_key.*, user.is_superuser FROM api_key JOIN user ON user.id = api_key.user_id"


def _shown(call: Call, row: Row, key: str | None = None) -> dict[str, Any]:
    groups = call.store.rows(
        "SELECT g.id, g.name FROM membership m JOIN permissions_group g ON g.id = m.group_id "
        "WHERE m.user_id = ? ORDER BY g.id DESC",
        row["user_id"],
    )
    by = call.store.row("SELECT * FROM user WHERE id = ?", row["updated_by_id"])
    made = {
        "id": row["id"],
        "name": row["name"],
        "group": groups[0] if groups else None,
        "masked_key": row["masked_key"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "updated_by": {"id": by["id"], "common_name": shown(by)["common_name"]} if by else None,
    }
    return made if key is None else {**made, "unmasked_key": key}


def _row(call: Call) -> Row:
    row = call.store.row(f"{_SELECT} WHERE api_key.id = ?", call.part("id"))
    if row is None:
        raise not_found()
    return row


def _group(call: Call, *, optional: bool = False) -> int | None:
    group = call.body.get("group_id")
    if group is None and optional:
        return None
    if not isinstance(group, int) or isinstance(group, bool) or group < 1:
        raise malformed({"group_id": "value must be an integer greater than zero."})
    if call.store.row("SELECT 1 AS x FROM permissions_group WHERE id = ?", group) is None:
        raise malformed({"group_id": f"no group has the id {group}"})
    return group


def listed(call: Call) -> Any:
    """GET /api/api-key"""
    return [_shown(call, row) for row in call.store.rows(f"{_SELECT} ORDER BY api_key.id")]


def count(call: Call) -> Any:
    """GET /api/api-key/count"""
    return (call.store.row("SELECT count(*) AS n FROM api_key") or {})["n"]


def create(call: Call) -> Any:
    """POST /api/api-key"""
    call.need("name")
    name, group, now = call.body["name"], _group(call), call.instance.timestamp()
    key, kept = new_api_key(call.store)
    with call.store.change():
        if call.store.row("SELECT 1 AS x FROM api_key WHERE name = ?", name):
            raise invalid("name", "An API key with this name already exists.")
        user_id = add_user(call.instance, f"api-key-user-{uuid.uuid4()}@api-key.invalid", name, "", kind="api-key")
        set_memberships(call.store, user_id, [ALL_USERS, group or ALL_USERS])
        columns = "name, user_id, key_hash, key_prefix, masked_key, created_at, updated_at, updated_by_id"
        number = call.store.run(
            f"INSERT INTO api_key ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            name, user_id, kept["key_hash"], kept["key_prefix"], kept["masked_key"], now, now, call.me["id"],
        )  # fmt: skip
        row = call.store.row(f"{_SELECT} WHERE api_key.id = ?", number) or {}
    return _shown(call, row, key)


def update(call: Call) -> Any:
    """PUT /api/api-key/{id}: another name, another group"""
    row, group, name = _row(call), _group(call, optional=True), call.body.get("name")
    with call.store.change():
        if group is not None:
            set_memberships(call.store, row["user_id"], [ALL_USERS, group])
        if name is not None:
            call.need("name")
            if call.store.row("SELECT 1 AS x FROM api_key WHERE name = ? AND id <> ?", name, row["id"]):
                raise invalid("name", "An API key with this name already exists.")
            call.store.run("UPDATE user SET first_name = ? WHERE id = ?", name, row["user_id"])
            call.store.run("UPDATE api_key SET name = ? WHERE id = ?", name, row["id"])
        _touch(call, row)
    return _shown(call, _row(call))


def regenerate(call: Call) -> Any:
    """PUT /api/api-key/{id}/regenerate: the old key ends at once"""
    row = _row(call)
    key, kept = new_api_key(call.store)
    sql = "UPDATE api_key SET key_hash = ?, key_prefix = ?, masked_key = ? WHERE id = ?"
    with call.store.change():
        call.store.run(sql, kept["key_hash"], kept["key_prefix"], kept["masked_key"], row["id"])
        _touch(call, row)
    return _shown(call, _row(call), key)


def _touch(call: Call, row: Row) -> None:
    sql = "UPDATE api_key SET updated_at = ?, updated_by_id = ? WHERE id = ?"
    call.store.run(sql, call.instance.timestamp(), call.me["id"], row["id"])


def delete(call: Call) -> Any:
    """DELETE /api/api-key/{id}: its user stays, deactivated"""
    row = _row(call)
    with call.store.change():
        call.store.run("DELETE FROM api_key WHERE id = ?", row["id"])
        call.store.run("UPDATE user SET is_active = 0 WHERE id = ?", row["user_id"])


ENDPOINTS = (
    Endpoint("GET", "/api/api-key", listed, Access.ADMINISTRATOR),
    Endpoint("POST", "/api/api-key", create, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/api-key/count", count, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/api-key/{id:int}", update, Access.ADMINISTRATOR),
    Endpoint("DELETE", "/api/api-key/{id:int}", delete, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/api-key/{id:int}/regenerate", regenerate, Access.ADMINISTRATOR),
)
