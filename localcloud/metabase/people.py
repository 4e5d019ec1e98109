"""Users, groups, memberships and the permission graphs."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .auth import ADMINISTRATORS, ALL_USERS, Refused, groups_of, hash_password, require_admin, require_user
from .context import body_of, context_of, need
from .permissions import collection_graph, data_graph, put_graph
from .store import Store


def user_answer(store: Store, user: dict[str, Any]) -> dict[str, Any]:
    """A user as `GET /api/user/:id` shows it; never the password."""
    name = " ".join(filter(None, (user["first_name"], user["last_name"])))
    return {
        "id": user["id"],
        "email": user["email"],
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "common_name": name or user["email"],
        "is_superuser": bool(user["is_superuser"]),
        "is_active": bool(user["is_active"]),
        "user_group_memberships": [{"id": group} for group in groups_of(store, user["id"])],
        "locale": None,
        "login_attributes": None,
    }


def _user(store: Store, user_id: int) -> dict[str, Any]:
    user = store.row("SELECT * FROM user WHERE id = ? AND kind = 'personal'", user_id)
    if user is None:
        raise Refused(404, "Not found.")
    return user


async def current(request: Request) -> Response:
    """GET /api/user/current"""
    store = context_of(request).store
    return JSONResponse(user_answer(store, require_user(store, request)))


async def index(request: Request) -> Response:
    """GET /api/user?query=&status=&limit=&offset=: `data` and `total`"""
    store = context_of(request).store
    require_admin(store, request)
    query, status = f"%{request.query_params.get('query', '')}%", request.query_params.get("status", "active")
    states = {"active": (1,), "deactivated": (0,), "all": (0, 1)}.get(status)
    if states is None:
        raise Refused(400, {"errors": {"status": "active, deactivated or all"}})
    if request.query_params.get("include_deactivated") == "true":
        states = (0, 1)
    rows = store.rows(
        "SELECT * FROM user WHERE kind = 'personal' "
        "AND (email LIKE ? OR first_name LIKE ? OR last_name LIKE ?) ORDER BY id",
        query, query, query,
    )  # fmt: skip
    found = [user_answer(store, row) for row in rows if row["is_active"] in states]
    limit, offset = request.query_params.get("limit"), int(request.query_params.get("offset", 0))
    page = found[offset:][: int(limit)] if limit else found[offset:]
    return JSONResponse({"data": page, "total": len(found), "limit": int(limit) if limit else None, "offset": offset})


async def show(request: Request) -> Response:
    """GET /api/user/{id}: one's own, or anyone's for administrators"""
    store = context_of(request).store
    asking = require_user(store, request)
    if asking["id"] != request.path_params["id"] and not asking["is_superuser"]:
        raise Refused(403, "You don't have permissions to do that.")
    return JSONResponse(user_answer(store, _user(store, request.path_params["id"])))


async def create(request: Request) -> Response:
    """POST /api/user; a password in it is ignored"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    need(body, "email")
    with store.change():
        if store.row("SELECT 1 AS x FROM user WHERE email = ?", body["email"]):
            raise Refused(400, {"errors": {"email": "Email address already in use."}})
        user_id = store.run(
            "INSERT INTO user (email, first_name, last_name) VALUES (?, ?, ?)",
            body["email"].lower(), body.get("first_name"), body.get("last_name"),
        )  # fmt: skip
        _set_memberships(store, user_id, body.get("user_group_memberships") or [{"id": ALL_USERS}])
    return JSONResponse(user_answer(store, _user(store, user_id)))


def _set_memberships(store: Store, user_id: int, memberships: list[dict[str, Any]]) -> None:
    wanted = {int(m["id"]) for m in memberships}
    if ALL_USERS not in wanted:
        raise Refused(400, {"errors": {"user_group_memberships": "must include All Users"}})
    known = {r["id"] for r in store.rows("SELECT id FROM grp")}
    if wanted - known:
        raise Refused(400, {"errors": {"user_group_memberships": f"no such group: {sorted(wanted - known)}"}})
    store.run("DELETE FROM membership WHERE user_id = ?", user_id)
    for group in sorted(wanted):
        store.run("INSERT INTO membership (group_id, user_id) VALUES (?, ?)", group, user_id)
    store.run("UPDATE user SET is_superuser = ? WHERE id = ?", int(ADMINISTRATORS in wanted), user_id)


async def update(request: Request) -> Response:
    """PUT /api/user/{id}"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    user = _user(store, request.path_params["id"])
    with store.change():
        for name in ("email", "first_name", "last_name"):
            if name in body:
                store.run(f"UPDATE user SET {name} = ? WHERE id = ?", body[name], user["id"])  # noqa: S608 - a constant
        if body.get("user_group_memberships") is not None:
            _set_memberships(store, user["id"], body["user_group_memberships"])
    return JSONResponse(user_answer(store, _user(store, user["id"])))


async def set_password(request: Request) -> Response:
    """PUT /api/user/{id}/password: ends every session of that user"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    need(body, "password")
    user = _user(store, request.path_params["id"])
    with store.change():
        store.run("UPDATE user SET password = ? WHERE id = ?", hash_password(body["password"]), user["id"])
        store.run("DELETE FROM session WHERE user_id = ?", user["id"])
    return Response(status_code=204)


async def reactivate(request: Request) -> Response:
    """PUT /api/user/{id}/reactivate"""
    store = context_of(request).store
    require_admin(store, request)
    user = _user(store, request.path_params["id"])
    if user["is_active"]:
        raise Refused(400, {"message": "Not able to reactivate an active user"})
    store.run("UPDATE user SET is_active = 1 WHERE id = ?", user["id"])
    return JSONResponse(user_answer(store, _user(store, user["id"])))


async def deactivate(request: Request) -> Response:
    """DELETE /api/user/{id}"""
    store = context_of(request).store
    require_admin(store, request)
    user = _user(store, request.path_params["id"])
    with store.change():
        store.run("UPDATE user SET is_active = 0 WHERE id = ?", user["id"])
        store.run("DELETE FROM session WHERE user_id = ?", user["id"])
    return JSONResponse({"success": True})


async def groups(request: Request) -> Response:
    """GET /api/permissions/group"""
    store = context_of(request).store
    require_admin(store, request)
    rows = store.rows(
        "SELECT grp.id, grp.name, count(membership.id) AS member_count FROM grp "
        "LEFT JOIN membership ON membership.group_id = grp.id GROUP BY grp.id ORDER BY grp.id"
    )
    return JSONResponse(rows)


async def create_group(request: Request) -> Response:
    """POST /api/permissions/group"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    need(body, "name")
    if store.row("SELECT 1 AS x FROM grp WHERE name = ?", body["name"]):
        raise Refused(400, {"errors": {"name": "A group with that name already exists."}})
    return JSONResponse({"id": store.run("INSERT INTO grp (name) VALUES (?)", body["name"]), "name": body["name"]})


def _group(store: Store, group_id: int) -> dict[str, Any]:
    group = store.row("SELECT * FROM grp WHERE id = ?", group_id)
    if group is None:
        raise Refused(404, "Not found.")
    return group


async def show_group(request: Request) -> Response:
    """GET /api/permissions/group/{id} with its members"""
    store = context_of(request).store
    require_admin(store, request)
    group = _group(store, request.path_params["id"])
    members = store.rows(
        "SELECT user.id AS user_id, email, first_name, last_name, membership.id AS membership_id FROM membership "
        "JOIN user ON user.id = user_id WHERE group_id = ? AND user.kind = 'personal'",
        group["id"],
    )
    return JSONResponse({**group, "members": members})


async def rename_group(request: Request) -> Response:
    """PUT /api/permissions/group/{id}"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    group = _group(store, request.path_params["id"])
    need(body, "name")
    store.run("UPDATE grp SET name = ? WHERE id = ?", body["name"], group["id"])
    return JSONResponse({"id": group["id"], "name": body["name"]})


async def delete_group(request: Request) -> Response:
    """DELETE /api/permissions/group/{id}"""
    store = context_of(request).store
    require_admin(store, request)
    group = _group(store, request.path_params["id"])
    if group["id"] in (ALL_USERS, ADMINISTRATORS):
        raise Refused(400, "You can't delete that group.")
    with store.change():
        for table in ("membership", "collection_permission", "data_permission"):
            store.run(f"DELETE FROM {table} WHERE group_id = ?", group["id"])  # noqa: S608 - constants
        store.run("DELETE FROM grp WHERE id = ?", group["id"])
    return Response(status_code=204)


async def memberships(request: Request) -> Response:
    """GET /api/permissions/membership: user id → memberships"""
    store = context_of(request).store
    require_admin(store, request)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in store.rows("SELECT id, group_id, user_id FROM membership ORDER BY id"):
        entry = {"membership_id": row["id"], "group_id": row["group_id"], "user_id": row["user_id"]}
        found.setdefault(str(row["user_id"]), []).append(entry)
    return JSONResponse(found)


async def get_collection_graph(request: Request) -> Response:
    """GET /api/collection/graph"""
    require_admin(context_of(request).store, request)
    return JSONResponse(collection_graph(context_of(request).store))


async def put_collection_graph(request: Request) -> Response:
    """PUT /api/collection/graph"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    put_graph(store, "collection", body)
    return JSONResponse(collection_graph(store))


async def get_data_graph(request: Request) -> Response:
    """GET /api/permissions/graph"""
    require_admin(context_of(request).store, request)
    return JSONResponse(data_graph(context_of(request).store))


async def put_data_graph(request: Request) -> Response:
    """PUT /api/permissions/graph"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    put_graph(store, "data", body)
    return JSONResponse(data_graph(store))


ROUTES = [
    Route("/api/user/current", current),
    Route("/api/user", index, methods=["GET"]),
    Route("/api/user", create, methods=["POST"]),
    Route("/api/user/{id:int}", show, methods=["GET"]),
    Route("/api/user/{id:int}", update, methods=["PUT"]),
    Route("/api/user/{id:int}", deactivate, methods=["DELETE"]),
    Route("/api/user/{id:int}/password", set_password, methods=["PUT"]),
    Route("/api/user/{id:int}/reactivate", reactivate, methods=["PUT"]),
    Route("/api/permissions/group", groups, methods=["GET"]),
    Route("/api/permissions/group", create_group, methods=["POST"]),
    Route("/api/permissions/group/{id:int}", show_group, methods=["GET"]),
    Route("/api/permissions/group/{id:int}", rename_group, methods=["PUT"]),
    Route("/api/permissions/group/{id:int}", delete_group, methods=["DELETE"]),
    Route("/api/permissions/membership", memberships, methods=["GET"]),
    Route("/api/permissions/graph", get_data_graph, methods=["GET"]),
    Route("/api/permissions/graph", put_data_graph, methods=["PUT"]),
    Route("/api/collection/graph", get_collection_graph, methods=["GET"]),
    Route("/api/collection/graph", put_collection_graph, methods=["PUT"]),
]
