"""People as rows: made, put into groups, shown. Used by setup, by `/api/user` and by `/api/api-key`."""

from __future__ import annotations

import json
import re
from typing import Any

from .answers import Refused, malformed
from .instance import Instance
from .passwords import TOO_COMMON, hash_secret, is_complex
from .permissions import ADMINISTRATORS, ALL_USERS, group_ids
from .store import Row, Store

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ALL_USERS_FIXED = "You cannot add or remove users to/from the 'All Users' group."
LAST_ADMINISTRATOR = "You cannot remove the last member of the 'Admin' group!"


def require_email(body: dict[str, Any]) -> str:
    """The address, in lower case as Metabase keeps it."""
    email = body.get("email")
    if not isinstance(email, str) or not EMAIL.fullmatch(email):
        raise malformed({"email": "value must be a valid email address."})
    return email.lower()


def require_password(instance: Instance, body: dict[str, Any]) -> str:
    """A password that the complexity rule allows."""
    password = body.get("password")
    if not isinstance(password, str) or not is_complex(password, instance.options.password_complexity):
        raise malformed({"password": TOO_COMMON})
    return password


def add_user(
    instance: Instance,
    email: str,
    first_name: str | None,
    last_name: str | None,
    *,
    password: str | None = None,
    kind: str = "personal",
) -> int:
    """A new user in All Users; without a password nobody can sign in as them."""
    store = instance.store
    hashed = hash_secret(password) if password else None
    columns = "email, first_name, last_name, password, type, date_joined"
    with store.change():
        user_id = store.run(
            f"INSERT INTO user ({columns}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            email, first_name, last_name, hashed, kind, instance.timestamp(),
        )  # fmt: skip
        store.run("INSERT INTO membership (group_id, user_id) VALUES (?, ?)", ALL_USERS, user_id)
    return user_id


def set_memberships(store: Store, user_id: int, groups: list[int]) -> None:
    """The person's groups become these, and no others; All Users must be among them."""
    wanted = set(groups)
    if ALL_USERS not in wanted:
        raise Refused(400, ALL_USERS_FIXED)
    known = {row["id"] for row in store.rows("SELECT id FROM permissions_group")}
    if unknown := sorted(wanted - known):
        raise malformed({"user_group_memberships": f"no group has the id {unknown[0]}"})
    with store.change():
        has = set(group_ids(store, user_id))
        for group in sorted(has - wanted):
            leave_group(store, user_id, group)
        for group in sorted(wanted - has):
            join_group(store, user_id, group)


def join_group(store: Store, user_id: int, group: int) -> None:
    """Adds one membership; the Administrators group makes an administrator."""
    store.run("INSERT OR IGNORE INTO membership (group_id, user_id) VALUES (?, ?)", group, user_id)
    if group == ADMINISTRATORS:
        store.run("UPDATE user SET is_superuser = 1 WHERE id = ?", user_id)


def leave_group(store: Store, user_id: int, group: int) -> None:
    """Removes one membership; somebody must stay an administrator."""
    if group == ALL_USERS:
        raise Refused(400, ALL_USERS_FIXED)
    if group == ADMINISTRATORS:
        sql = (
            "SELECT count(*) AS n FROM user WHERE is_superuser = 1 AND is_active = 1 AND type = 'personal' AND id <> ?"
        )
        if (store.row(sql, user_id) or {})["n"] == 0:
            raise Refused(400, LAST_ADMINISTRATOR)
        store.run("UPDATE user SET is_superuser = 0 WHERE id = ?", user_id)
    store.run("DELETE FROM membership WHERE user_id = ? AND group_id = ?", user_id, group)


def shown(user: Row) -> dict[str, Any]:
    """A user as every operation shows it; never the password."""
    name = " ".join(filter(None, (user["first_name"], user["last_name"])))
    return {
        "id": user["id"],
        "email": user["email"],
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "common_name": name or user["email"],
        "date_joined": user["date_joined"],
        "last_login": user["last_login"],
        "is_superuser": bool(user["is_superuser"]),
        "is_active": bool(user["is_active"]),
        "is_qbnewb": False,
        "is_datasetnewb": False,
        "locale": user["locale"],
        "login_attributes": json.loads(user["login_attributes"]) if user["login_attributes"] else None,
        "jwt_attributes": None,
        "sso_source": None,
        "tenant_id": None,
    }
