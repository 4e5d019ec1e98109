"""First boot without a browser, and the permission graphs: what the provider's Metabase resources do.

Each function can be run again after it was interrupted at any point, and then finishes what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .client import ADMINISTRATORS, ALL_USERS, MetabaseClient, MetabaseError

GRAPH_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Administrator:
    """The account that owns the deployment; its password is generated and never used by a person."""

    email: str
    password: str
    site_name: str


def set_up(client: MetabaseClient, admin: Administrator, key_name: str) -> dict[str, Any]:
    """Makes the first administrator and an API key in the Administrators group → `apiKey`, `apiKeyId`, `version`.

    A Metabase that was set up by an earlier, interrupted run is signed in to with the same password; the key of that
    name is made anew, since Metabase shows a key only once (`POST /api/api-key`).
    """
    properties = client.properties()
    client.as_session(_first_session(client, admin, properties))
    for key in client.call("GET", "/api/api-key"):
        if key["name"] == key_name:
            client.call("DELETE", f"/api/api-key/{key['id']}")
    made = client.call("POST", "/api/api-key", json={"name": key_name, "group_id": ADMINISTRATORS})
    client.call("DELETE", "/api/session", ok=(401, 404))
    version = (properties.get("version") or {}).get("tag", "unknown")
    return {"apiKey": made["unmasked_key"], "apiKeyId": made["id"], "version": version}


def _first_session(client: MetabaseClient, admin: Administrator, properties: Mapping[str, Any]) -> str:
    if not properties.get("has-user-setup"):
        user = {
            "email": admin.email,
            "password": admin.password,
            "first_name": "mbgate",
            "last_name": "deployment",
            "site_name": admin.site_name,
        }
        prefs = {"site_name": admin.site_name, "allow_tracking": False}
        body = {"token": properties.get("setup-token"), "user": user, "prefs": prefs}
        answer = client.call("POST", "/api/setup", json=body)
        return str(answer["id"])
    session = client.sign_in(admin.email, admin.password)
    if session is None:
        raise MetabaseError(
            f"Metabase is set up already, not by this stack: `{admin.email}` can't sign in with its password",
            code="metabase-foreign",
            help="give the stack a Metabase of its own, or reset that person's password to the stack's",
        )
    return session


def rename_administrator(client: MetabaseClient, old: str, new: str) -> None:
    """Gives the deployment's administrator another address; password and key stay."""
    found = client.call("GET", "/api/user", params={"query": old})["data"]
    for user in found:
        if user["email"].lower() == old.lower():
            client.call("PUT", f"/api/user/{user['id']}", json={"email": new})


def revoke_key(client: MetabaseClient, key_id: int) -> None:
    """Deletes the stack's own API key; a key that is gone already is fine."""
    client.call("DELETE", f"/api/api-key/{key_id}", ok=(403, 404))


def ensure_group(client: MetabaseClient, name: str) -> int:
    """The id of the permissions group of that name, made where it is missing."""
    existing = client.groups().get(name)
    if existing is not None:
        return existing
    return int(client.call("POST", "/api/permissions/group", json={"name": name})["id"])


def ensure_collections(client: MetabaseClient, names: set[str]) -> dict[str, list[int]]:
    """Collection name → its id and its descendants' ids; a missing top-level collection is made."""
    found = client.collections()
    for name in sorted(names - {"root"} - {c["name"] for c in found}):
        found.append(client.call("POST", "/api/collection", json={"name": name, "parent_id": None}))
    ids: dict[str, list[int]] = {}
    for name in names - {"root"}:
        top = [c for c in found if c["name"] == name and c.get("location", "/") == "/"]
        if len(top) != 1:
            raise MetabaseError(
                f"{len(top)} top-level collections are named `{name}`",
                help="rename one so that the name is unique",
            )
        below = f"/{top[0]['id']}/"
        ids[name] = [top[0]["id"], *(c["id"] for c in found if str(c.get("location", "")).startswith(below))]
    return ids


def apply_permissions(
    client: MetabaseClient,
    *,
    collections: Mapping[str, Mapping[str, str]],
    data: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """Makes Metabase's own graphs say what the policies say, and nothing else for these groups and All Users.

    `collections` is group name → collection name → `read`/`write`; `data` is group name → database id, or `*` for
    all others → `create-queries` level.
    Returns what was applied, with ids.
    """
    groups = client.groups()
    names = {name for wanted in collections.values() for name in wanted}
    ids = ensure_collections(client, names)
    everything = [str(c["id"]) for c in client.collections()] + ["root"]
    wanted = {str(ALL_USERS): dict.fromkeys(everything, "none")}
    for group, grants in collections.items():
        entry = dict.fromkeys(everything, "none")
        for name, level in grants.items():
            entry.update({str(i): level for i in (ids[name] if name != "root" else ["root"])})
        wanted[str(groups[group])] = entry
    levels = {str(ALL_USERS): {}, **{str(groups[group]): by_id for group, by_id in data.items()}}
    _put_graph(client, "/api/collection/graph", lambda _: wanted)
    databases = [str(d["id"]) for d in client.call("GET", "/api/database")["data"]]
    _put_graph(
        client,
        "/api/permissions/graph",
        lambda _: {g: {d: {"create-queries": _level(by_id, d)} for d in databases} for g, by_id in levels.items()},
    )
    return observe_permissions(client, list(wanted))


def _level(by_id: Mapping[str, str], database: str) -> str:
    return by_id.get(database, by_id.get("*", "no"))


def _put_graph(client: MetabaseClient, path: str, wanted: Any) -> None:
    """GET, change, PUT with the revision read; 409 means that someone else was faster, so read again."""
    for _ in range(GRAPH_TRIES):
        graph = client.call("GET", path)
        body = {"revision": graph["revision"], "groups": wanted(graph)}
        if client.call("PUT", path, json=body, ok=(409,)) is not None:
            return
    raise MetabaseError(f"`PUT {path}` met a newer revision {GRAPH_TRIES} times", help="run the deployment again")


def observe_permissions(client: MetabaseClient, group_ids: list[str]) -> dict[str, Any]:
    """What Metabase grants these groups now: collection id → level, database id → level; refusals are left out."""
    collections = client.call("GET", "/api/collection/graph")["groups"]
    data = client.call("GET", "/api/permissions/graph")["groups"]
    # Only groups still named by Metabase can have grants; group 2 (Administrators) is never reported as managed.
    return {
        group: {
            "collections": {k: v for k, v in sorted(collections.get(group, {}).items()) if v != "none"},
            "data": {
                k: v.get("create-queries", "no")
                for k, v in sorted(data.get(group, {}).items())
                if v.get("create-queries", "no") != "no"
            },
        }
        for group in group_ids
    }
