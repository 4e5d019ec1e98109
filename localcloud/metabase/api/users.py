"""`/api/user`: people, by administrators; oneself."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from ..answers import Refused, answer, forbidden, invalid, malformed, not_found
from ..credentials import end_sessions, open_session, set_cookies
from ..documents import every
from ..endpoints import Access, Call, Endpoint
from ..passwords import hash_secret, is_secret
from ..people import add_user, leave_group, require_email, require_password, set_memberships, shown
from ..permissions import ADMINISTRATORS, ALL_USERS, QUERY_LEVELS, group_ids
from ..sample.content import personal_collection
from ..store import Row

_TEXT = ("first_name", "last_name", "locale")


def _user(call: Call, *, active: bool = False) -> Row:
    user = call.store.row("SELECT * FROM user WHERE id = ? AND type = 'personal'", call.part("id"))
    if user is None or (active and not user["is_active"]):
        raise not_found()
    return user


def _self_or_administrator(call: Call) -> None:
    if call.me["id"] != call.part("id") and not call.me["is_superuser"]:
        raise forbidden()


def _with_memberships(call: Call, user_id: int) -> dict[str, Any]:
    user = call.store.row("SELECT * FROM user WHERE id = ?", user_id)
    if user is None:
        raise not_found()
    return {**shown(user), "user_group_memberships": [{"id": group} for group in group_ids(call.store, user_id)]}


def current(call: Call) -> Any:
    """GET /api/user/current"""
    me, rights = call.me, call.rights
    personal = personal_collection(call.instance, me["id"]) if me["type"] == "personal" else None
    cards = [c for c in every(call.store, "card") if rights.can("read", c["collection_id"])]
    dashboards = [d for d in every(call.store, "dashboard") if rights.can("read", d["collection_id"])]
    level = QUERY_LEVELS.index(rights.query_level)
    return {
        **shown(me),
        "group_ids": rights.groups,
        "personal_collection_id": personal,
        "tenant_collection_id": None,
        "is_installer": me["id"] == 1,
        "has_invited_second_user": True,
        "has_question_and_dashboard": bool(cards and dashboards),
        "has_model": False,
        "first_login": me["last_login"] or call.instance.timestamp(),
        "permissions": {"can_create_queries": level > 0, "can_create_native_queries": level > 1},
        "custom_homepage": None,
        "can_write_any_collection": True,
    }


def listed(call: Call) -> Any:
    """GET /api/user?query=&status=&group_id=&limit=&offset="""
    status = call.query.get("status") or ("all" if call.flag("include_deactivated") else "active")
    active = {"all": (0, 1), "deactivated": (0,)}.get(status, (1,))
    words, group = call.query.get("query", "").lower(), call.number("group_id")
    order = "lower(coalesce(first_name, '')), lower(coalesce(last_name, '')), id"
    rows = call.store.rows(f"SELECT * FROM user WHERE type = 'personal' ORDER BY {order}")  # noqa: S608 - a constant
    found = [row for row in rows if row["is_active"] in active and _matches(row, words)]
    if group is not None:
        found = [row for row in found if group in group_ids(call.store, row["id"])]
    limit, offset = call.number("limit"), call.number("offset") or 0
    page = found[offset : None if limit is None else offset + limit]
    sql = "SELECT id FROM collection WHERE personal_owner_id = ?"
    data = [
        {
            **shown(row),
            "group_ids": group_ids(call.store, row["id"]),
            "personal_collection_id": (call.store.row(sql, row["id"]) or {}).get("id"),
        }
        for row in page
    ]
    paged = limit is not None
    return {"data": data, "total": len(found), "limit": limit, "offset": offset if paged else None}


def _matches(row: Row, words: str) -> bool:
    first, last = row["first_name"] or "", row["last_name"] or ""
    return any(words in text.lower() for text in (row["email"], first, last, f"{first} {last}"))


def show(call: Call) -> Any:
    """GET /api/user/{id}: oneself, or anybody for administrators"""
    _self_or_administrator(call)
    return _with_memberships(call, _user(call)["id"])


def _names(call: Call) -> None:
    wrong = [n for n in _TEXT if call.body.get(n) is not None and not str(call.body[n]).strip()]
    if wrong:
        raise malformed(dict.fromkeys(wrong, "nullable value must be a non-blank string."))


def _memberships(call: Call) -> list[int] | None:
    given = call.body.get("user_group_memberships")
    if given is None:
        return None
    ids = [m.get("id") if isinstance(m, dict) else None for m in given] if isinstance(given, list) else [None]
    if not all(isinstance(i, int) and not isinstance(i, bool) for i in ids):
        raise malformed({"user_group_memberships": "nullable sequence of Group Membership info of a User."})
    return [int(i) for i in ids if i is not None]


def create(call: Call) -> Any:
    """POST /api/user: without a password, even if one is sent"""
    email, groups = require_email(call.body), _memberships(call)
    _names(call)
    with call.store.change():
        if call.store.row("SELECT 1 AS x FROM user WHERE email = ?", email):
            raise invalid("email", "Email address already in use.")
        user_id = add_user(call.instance, email, call.body.get("first_name"), call.body.get("last_name"))
        set_memberships(call.store, user_id, groups if groups is not None else [ALL_USERS])
        _attributes(call, user_id)
    return _with_memberships(call, user_id)


def _attributes(call: Call, user_id: int) -> None:
    if "login_attributes" in call.body:
        given = call.body["login_attributes"]
        if given is not None and not isinstance(given, dict):
            raise malformed({"login_attributes": "nullable login attribute keys must be a keyword or string"})
        text = json.dumps(given) if given else None
        call.store.run("UPDATE user SET login_attributes = ? WHERE id = ?", text, user_id)


def update(call: Call) -> Any:
    """PUT /api/user/{id}: of somebody active; groups are a full list"""
    _self_or_administrator(call)
    user, groups = _user(call, active=True), _memberships(call)
    _names(call)
    with call.store.change():
        if call.body.get("email") is not None:
            email = require_email(call.body)
            if call.store.row("SELECT 1 AS x FROM user WHERE email = ? AND id <> ?", email, user["id"]):
                raise invalid("email", "Email address already associated to another user.")
            call.store.run("UPDATE user SET email = ? WHERE id = ?", email, user["id"])
        for name in _TEXT:
            if name in call.body:
                call.store.run(f"UPDATE user SET {name} = ? WHERE id = ?", call.body[name], user["id"])  # noqa: S608
        if call.me["is_superuser"]:
            _attributes(call, user["id"])
        _change_groups(call, user, groups)
    return _with_memberships(call, user["id"])


def _change_groups(call: Call, user: Row, groups: list[int] | None) -> None:
    if groups is not None and set(groups) != set(group_ids(call.store, user["id"])):
        if not call.me["is_superuser"]:
            raise forbidden()
        set_memberships(call.store, user["id"], groups)
    flag = call.body.get("is_superuser")
    if isinstance(flag, bool) and call.me["is_superuser"]:
        has = group_ids(call.store, user["id"])
        if groups is not None and flag is not (ADMINISTRATORS in groups):
            words = "Value of is_superuser must correspond to presence of Admin group ID in group_ids."
            raise invalid("is_superuser", words)
        rest = [group for group in has if group != ADMINISTRATORS]
        set_memberships(call.store, user["id"], [*rest, ADMINISTRATORS] if flag else rest)


def set_password(call: Call) -> Any:
    """PUT /api/user/{id}/password: ends every session of that person; oneself gets a new one"""
    _self_or_administrator(call)
    password, user = require_password(call.instance, call.body), _user(call, active=True)
    if not call.me["is_superuser"] and not is_secret(str(call.body.get("old_password")), user["password"]):
        raise invalid("old_password", "Invalid password")
    hashed = hash_secret(password)
    with call.store.change():
        call.store.run("UPDATE user SET password = ? WHERE id = ?", hashed, user["id"])
        end_sessions(call.store, user["id"])
    if user["id"] != call.me["id"]:
        return Response(status_code=204)
    key = open_session(call.instance, user["id"])
    return set_cookies(answer({"success": True, "session_id": key}), call.instance, key)


def reactivate(call: Call) -> Any:
    """PUT /api/user/{id}/reactivate: never as an administrator"""
    user = _user(call)
    if user["is_active"]:
        raise Refused(400, {"message": "Not able to reactivate an active user"})
    call.store.run("UPDATE user SET is_active = 1 WHERE id = ?", user["id"])
    return shown({**user, "is_active": 1})


def deactivate(call: Call) -> Any:
    """DELETE /api/user/{id}: the person stays known, their sessions end"""
    user = _user(call)
    with call.store.change():
        if ADMINISTRATORS in group_ids(call.store, user["id"]):
            leave_group(call.store, user["id"], ADMINISTRATORS)
        call.store.run("UPDATE user SET is_active = 0 WHERE id = ?", user["id"])
        end_sessions(call.store, user["id"])
    return {"success": True}


ENDPOINTS = (
    Endpoint("GET", "/api/user/current", current),
    Endpoint("GET", "/api/user", listed, Access.ADMINISTRATOR),
    Endpoint("POST", "/api/user", create, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/user/{id:int}", show),
    Endpoint("PUT", "/api/user/{id:int}", update),
    Endpoint("DELETE", "/api/user/{id:int}", deactivate, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/user/{id:int}/password", set_password),
    Endpoint("PUT", "/api/user/{id:int}/reactivate", reactivate, Access.ADMINISTRATOR),
)
