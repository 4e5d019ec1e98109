"""Sessions and API keys, and which of a request's credentials counts.

Precedence as in Metabase: embedded-session cookie with its anti-CSRF header, `metabase.SESSION` cookie,
`X-Metabase-Session` header; where that session is not valid, `X-Api-Key`. An `Authorization` header says nothing here:
the OAuth server that would read it is newer than this version.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .instance import Instance
from .passwords import hash_secret, is_secret
from .store import Row, Store

SESSION_COOKIE, EMBEDDED_COOKIE, TIMEOUT_COOKIE = "metabase.SESSION", "metabase.EMBEDDED_SESSION", "metabase.TIMEOUT"
ANTI_CSRF_HEADER = "x-metabase-anti-csrf-token"
PREFIX_LENGTH = 7


def identify(instance: Instance, request: Request) -> Row | None:
    """The active user whose credential the request carries."""
    key, anti_csrf = session_key(request)
    user = _user_of_session(instance, key, anti_csrf) if key else None
    if user is None and (api_key := request.headers.get("x-api-key")):
        user = _user_of_key(instance.store, api_key)
    return user


def session_key(request: Request) -> tuple[str | None, str | None]:
    """The session that the request names, and the anti-CSRF token of an embedded one."""
    embedded, token = request.cookies.get(EMBEDDED_COOKIE), request.headers.get(ANTI_CSRF_HEADER)
    if embedded is not None and token is not None:
        return embedded, token
    return request.cookies.get(SESSION_COOKIE) or request.headers.get("x-metabase-session") or None, None


def _digest(key: str) -> str:
    return hashlib.sha512(key.encode()).hexdigest()


def _user_of_session(instance: Instance, key: str, anti_csrf: str | None) -> Row | None:
    oldest = instance.now() - instance.options.max_session_minutes * 60
    return instance.store.row(
        "SELECT user.* FROM session JOIN user ON user.id = session.user_id WHERE session.key_hash = ? "
        "AND session.created_at > ? AND session.anti_csrf_token IS ? AND user.is_active = 1",
        _digest(key), oldest, anti_csrf,
    )  # fmt: skip


def _user_of_key(store: Store, key: str) -> Row | None:
    sql = "SELECT user.*, key_hash FROM api_key JOIN user ON user.id = user_id WHERE key_prefix = ? AND is_active = 1"
    row = store.row(sql, key[:PREFIX_LENGTH])
    hashed = row.pop("key_hash") if row else None
    return row if is_secret(key, hashed) else None


def open_session(instance: Instance, user_id: int) -> str:
    """A new session's key; only its digest is kept."""
    key = str(uuid.uuid4())
    with instance.store.change():
        instance.store.run("INSERT INTO session VALUES (?, ?, ?, NULL)", _digest(key), user_id, instance.now())
        instance.store.run("UPDATE user SET last_login = ? WHERE id = ?", instance.timestamp(), user_id)
    return key


def end_session(store: Store, key: str) -> bool:
    """False where there was none."""
    return store.changed("DELETE FROM session WHERE key_hash = ?", _digest(key)) > 0


def end_sessions(store: Store, user_id: int) -> None:
    """Every session of a user."""
    store.run("DELETE FROM session WHERE user_id = ?", user_id)


def set_cookies(response: Response, instance: Instance, key: str, *, remember: bool = False) -> Response:
    """The session cookie (for scripts invisible) and the timeout cookie."""
    age = instance.options.max_session_minutes * 60
    lasting: dict[str, Any] = {"max_age": age} if remember else {}
    response.set_cookie(SESSION_COOKIE, key, path="/", httponly=True, samesite="lax", **lasting)
    response.set_cookie(TIMEOUT_COOKIE, "alive", path="/", samesite="lax", max_age=age)
    return response


def clear_cookies(response: Response) -> Response:
    """Forgets all three cookies."""
    for name in (SESSION_COOKIE, EMBEDDED_COOKIE, TIMEOUT_COOKIE):
        response.delete_cookie(name, path="/")
    return response


def new_api_key(store: Store) -> tuple[str, dict[str, str]]:
    """A key and what is kept of it: hash, prefix and mask. No two keys share a prefix, which finds the hash."""
    while True:
        key = f"mb_{secrets.token_urlsafe(32)}"
        if store.row("SELECT 1 AS x FROM api_key WHERE key_prefix = ?", key[:PREFIX_LENGTH]) is None:
            break
    prefix = key[:PREFIX_LENGTH]
    return key, {
        "key_hash": hash_secret(key),
        "key_prefix": prefix,
        "masked_key": prefix + "*" * (len(key) - PREFIX_LENGTH),
    }
