"""`/api/permissions/group` and `/api/permissions/membership`."""

from __future__ import annotations

from typing import Any

from ..answers import Refused, malformed, not_found
from ..documents import new_entity_id
from ..endpoints import Access, Call, Endpoint
from ..people import ALL_USERS_FIXED, join_group, leave_group
from ..permissions import ADMINISTRATORS, ALL_USERS, DATABASE_ID
from ..store import Row

NAMES = {ALL_USERS: "All Users", ADMINISTRATORS: "Administrators"}


def _shown(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "magic_group_type": row["magic_group_type"],
        "entity_id": row["entity_id"],
        "is_tenant_group": False,
    }


def _group(call: Call) -> Row:
    row = call.store.row("SELECT * FROM permissions_group WHERE id = ?", call.part("id"))
    if row is None:
        raise not_found()
    return row


def _members(call: Call, group_id: int) -> list[dict[str, Any]]:
    return call.store.rows(
        "SELECT u.id AS user_id, u.email, u.first_name, u.last_name, m.id AS membership_id FROM membership m "
        "JOIN user u ON u.id = m.user_id WHERE m.group_id = ? AND u.type = 'personal' AND u.is_active = 1 "
        "ORDER BY lower(u.first_name), lower(u.last_name), u.id",
        group_id,
    )


def listed(call: Call) -> Any:
    """GET /api/permissions/group"""
    rows = call.store.rows("SELECT * FROM permissions_group ORDER BY lower(name)")
    return [{**_shown(row), "member_count": len(_members(call, row["id"]))} for row in rows]


def show(call: Call) -> Any:
    """GET /api/permissions/group/{id} with its members"""
    group = _group(call)
    return {**_shown(group), "members": _members(call, group["id"])}


def _free_name(call: Call, but: int = 0) -> str:
    call.need("name")
    name = str(call.body["name"])
    if call.store.row("SELECT 1 AS x FROM permissions_group WHERE name = ? AND id <> ?", name, but):
        raise Refused(400, "A group with that name already exists.")
    return name


def create(call: Call) -> Any:
    """POST /api/permissions/group: without any permission yet"""
    if call.body.get("is_tenant_group"):
        raise Refused(402, "Tenants is a paid feature not currently available to your instance.")
    with call.store.change():
        sql = "INSERT INTO permissions_group (name, entity_id) VALUES (?, ?)"
        number = call.store.run(sql, _free_name(call), new_entity_id())
        call.store.run("INSERT INTO data_permission VALUES (?, ?, 'no')", number, DATABASE_ID)
    return _shown(call.store.row("SELECT * FROM permissions_group WHERE id = ?", number) or {})


def _not_magic(group: Row) -> None:
    if group["id"] in NAMES:
        raise Refused(400, f"You cannot edit or delete the '{NAMES[group['id']]}' permissions group!")


def rename(call: Call) -> Any:
    """PUT /api/permissions/group/{id}"""
    group = _group(call)
    _not_magic(group)
    with call.store.change():
        name = _free_name(call, group["id"])
        call.store.run("UPDATE permissions_group SET name = ? WHERE id = ?", name, group["id"])
    return _shown(_group(call))


def delete(call: Call) -> Any:
    """DELETE /api/permissions/group/{id}, with its memberships and permissions"""
    row = call.store.row("SELECT * FROM permissions_group WHERE id = ?", call.part("id"))
    if row is not None:
        _not_magic(row)
        call.store.run("DELETE FROM permissions_group WHERE id = ?", row["id"])


def memberships(call: Call) -> Any:
    """GET /api/permissions/membership: user id → memberships"""
    found: dict[str, list[dict[str, Any]]] = {}
    sql = "SELECT m.* FROM membership m JOIN user u ON u.id = m.user_id WHERE u.type = 'personal' ORDER BY m.id"
    for row in call.store.rows(sql):
        entry = {"membership_id": row["id"], "group_id": row["group_id"], "user_id": row["user_id"]}
        found.setdefault(str(row["user_id"]), []).append({**entry, "is_group_manager": False})
    return found


def join(call: Call) -> Any:
    """POST /api/permissions/membership: answers the group's members"""
    ids = [call.body.get(name) for name in ("group_id", "user_id")]
    if not all(isinstance(i, int) and not isinstance(i, bool) and i > 0 for i in ids):
        raise malformed(dict.fromkeys(("group_id", "user_id"), "value must be an integer greater than zero."))
    group_id, user_id = int(ids[0] or 0), int(ids[1] or 0)
    if group_id == ALL_USERS:
        raise Refused(400, ALL_USERS_FIXED)
    with call.store.change():
        for table, number in (("permissions_group", group_id), ("user", user_id)):
            if call.store.row(f"SELECT 1 AS x FROM {table} WHERE id = ?", number) is None:  # noqa: S608 - constants
                raise not_found()
        join_group(call.store, user_id, group_id)
    return _members(call, group_id)


def leave(call: Call) -> Any:
    """DELETE /api/permissions/membership/{id}"""
    row = call.store.row("SELECT * FROM membership WHERE id = ?", call.part("id"))
    if row is None:
        raise not_found()
    with call.store.change():
        leave_group(call.store, row["user_id"], row["group_id"])


def clear(call: Call) -> Any:
    """PUT /api/permissions/membership/{group}/clear"""
    group = _group(call)
    if group["id"] == ADMINISTRATORS:
        raise Refused(400, "Invalid Request.")
    if group["id"] == ALL_USERS:
        raise Refused(400, ALL_USERS_FIXED)
    call.store.run("DELETE FROM membership WHERE group_id = ?", group["id"])


ENDPOINTS = (
    Endpoint("GET", "/api/permissions/group", listed, Access.ADMINISTRATOR),
    Endpoint("POST", "/api/permissions/group", create, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/permissions/group/{id:int}", show, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/permissions/group/{id:int}", rename, Access.ADMINISTRATOR),
    Endpoint("DELETE", "/api/permissions/group/{id:int}", delete, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/permissions/membership", memberships, Access.ADMINISTRATOR),
    Endpoint("POST", "/api/permissions/membership", join, Access.ADMINISTRATOR),
    Endpoint("DELETE", "/api/permissions/membership/{id:int}", leave, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/permissions/membership/{id:int}/clear", clear, Access.ADMINISTRATOR),
)
