"""Health, set-up, sessions, settings, API keys."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .auth import COOKIE, Refused, hash_password, new_api_key, new_session, open_session, require_admin, user_of
from .context import VERSION, body_of, context_of, need
from .sample import load_sample_content
from .store import Store


async def health(_: Request) -> Response:
    """GET /api/health"""
    return JSONResponse({"status": "ok"})


def _has_user(store: Store) -> bool:
    return store.row("SELECT 1 AS x FROM user WHERE kind = 'personal'") is not None


async def properties(request: Request) -> Response:
    """GET /api/session/properties: public settings; the set-up token only while nobody is set up"""
    context = context_of(request)
    done = _has_user(context.store)
    user = user_of(context.store, request)
    found: dict[str, Any] = {
        "has-user-setup": done,
        "setup-token": None if done else context.setup_token,
        "version": {"tag": VERSION, "date": "2026-09-01", "branch": "release-x.58.x", "hash": "0000000"},
        "token-features": {"sso_jwt": False, "sandboxes": False, "audit_app": False},
        "site-name": context.store.setting("site-name", "Metabase"),
        "site-locale": "en",
        "enable-password-login": True,
        "google-auth-enabled": False,
        "engines": {"sqlite": {"driver-name": "SQLite"}} if user else {},
    }
    return JSONResponse(found)


async def setup(request: Request) -> Response:
    """POST /api/setup"""
    context, body = context_of(request), await body_of(request)
    if _has_user(context.store):
        raise Refused(
            403, "The /api/setup route can only be used to create the first user, however a user currently exists."
        )
    if body.get("token") != context.setup_token:
        raise Refused(400, {"errors": {"token": "Token does not match the setup token."}})
    user, prefs = body.get("user") or {}, body.get("prefs") or {}
    need(user, "email", "password")
    need(prefs, "site_name")
    if len(user["password"]) < 8:
        raise Refused(400, {"errors": {"password": "password is too common."}})
    store = context.store
    with store.change():
        user_id = store.run(
            "INSERT INTO user (email, first_name, last_name, password, is_superuser) VALUES (?, ?, ?, ?, 1)",
            user["email"], user.get("first_name"), user.get("last_name"), hash_password(user["password"]),
        )  # fmt: skip
        for group in (1, 2):
            store.run("INSERT INTO membership (group_id, user_id) VALUES (?, ?)", group, user_id)
        store.set_setting("site-name", prefs["site_name"])
        load_sample_content(store)
        session = new_session(store, user_id)
    return _session_answer(session)


def _session_answer(session: str) -> Response:
    response = JSONResponse({"id": session})
    response.set_cookie(COOKIE, session, httponly=True, samesite="lax", path="/", max_age=14 * 86400)
    return response


async def sign_in(request: Request) -> Response:
    """POST /api/session"""
    context, body = context_of(request), await body_of(request)
    need(body, "username", "password")
    address = request.headers.get("x-forwarded-for", "").split(",")[-1].strip() or "local"
    return _session_answer(open_session(context.store, context.throttle, body["username"], body["password"], address))


async def sign_out(request: Request) -> Response:
    """DELETE /api/session"""
    session = request.cookies.get(COOKIE) or request.headers.get("x-metabase-session")
    if not session or user_of(context_of(request).store, request) is None:
        raise Refused(401, "Unauthenticated")
    context_of(request).store.run("DELETE FROM session WHERE id = ?", session)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


async def forgot_password(_: Request) -> Response:
    """POST /api/session/forgot_password: always 204, so that nobody learns which addresses exist"""
    return Response(status_code=204)


async def reset_password(_: Request) -> Response:
    """POST /api/session/reset_password: no token is ever valid here"""
    raise Refused(400, {"errors": {"password": "Invalid reset token"}})


async def list_settings(request: Request) -> Response:
    """GET /api/setting"""
    store = context_of(request).store
    require_admin(store, request)
    keys = store.rows("SELECT name FROM setting ORDER BY name")
    return JSONResponse([{"key": k["name"], "value": store.setting(k["name"]), "is_env_setting": False} for k in keys])


async def get_setting(request: Request) -> Response:
    """GET /api/setting/{key}"""
    store = context_of(request).store
    require_admin(store, request)
    return JSONResponse(store.setting(request.path_params["key"]))


async def put_setting(request: Request) -> Response:
    """PUT /api/setting/{key}"""
    store = context_of(request).store
    require_admin(store, request)
    store.set_setting(request.path_params["key"], (await body_of(request)).get("value"))
    return Response(status_code=204)


def _key_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "masked_key": row["masked"],
        "group": {"id": row["group_id"], "name": row["group_name"]},
    }


async def list_keys(request: Request) -> Response:
    """GET /api/api-key"""
    store = context_of(request).store
    require_admin(store, request)
    rows = store.rows(
        "SELECT api_key.*, grp.name AS group_name FROM api_key JOIN grp ON grp.id = group_id ORDER BY api_key.id"
    )
    return JSONResponse([_key_row(row) for row in rows])


async def make_key(request: Request) -> Response:
    """POST /api/api-key; the key is shown this once"""
    store, body = context_of(request).store, await body_of(request)
    require_admin(store, request)
    need(body, "name", "group_id")
    if store.row("SELECT 1 AS x FROM api_key WHERE name = ?", body["name"]):
        raise Refused(400, {"errors": {"name": "An API key with this name already exists."}})
    return JSONResponse(new_api_key(store, body["name"], body["group_id"]))


async def delete_key(request: Request) -> Response:
    """DELETE /api/api-key/{id}"""
    store = context_of(request).store
    require_admin(store, request)
    row = store.row("SELECT * FROM api_key WHERE id = ?", int(request.path_params["id"]))
    if row is None:
        raise Refused(404, "Not found.")
    with store.change():
        store.run("DELETE FROM api_key WHERE id = ?", row["id"])
        store.run("UPDATE user SET is_active = 0 WHERE id = ?", row["user_id"])
    return Response(status_code=204)


def new_setup_token() -> str:
    """A UUID, as Metabase makes one."""
    return str(uuid.uuid4())


ROUTES = [
    Route("/api/health", health),
    Route("/api/session/properties", properties),
    Route("/api/setup", setup, methods=["POST"]),
    Route("/api/session", sign_in, methods=["POST"]),
    Route("/api/session", sign_out, methods=["DELETE"]),
    Route("/api/session/forgot_password", forgot_password, methods=["POST"]),
    Route("/api/session/reset_password", reset_password, methods=["POST"]),
    Route("/api/setting", list_settings),
    Route("/api/setting/{key}", get_setting, methods=["GET"]),
    Route("/api/setting/{key}", put_setting, methods=["PUT"]),
    Route("/api/api-key", list_keys, methods=["GET"]),
    Route("/api/api-key", make_key, methods=["POST"]),
    Route("/api/api-key/{id:int}", delete_key, methods=["DELETE"]),
]
