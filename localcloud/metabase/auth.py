"""Who a request is: session cookie, session header, API key, in Metabase's order; passwords; throttling."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from .store import Store

ALL_USERS, ADMINISTRATORS = 1, 2
SESSION_SECONDS = 20160 * 60
COOKIE = "metabase.SESSION"
THROTTLE_SECONDS = 3600
PER_NAME, PER_ADDRESS = 10, 50


class Refused(Exception):
    """An answer other than success: status and body as Metabase gives them."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


def hash_password(password: str) -> str:
    """Salted scrypt, as `salt$hash`."""
    salt = secrets.token_hex(8)
    return f"{salt}${_scrypt(password, salt)}"


def _scrypt(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=1024, r=8, p=1).hex()


def password_matches(password: str, stored: str | None) -> bool:
    """Constant-time comparison; an account without a password matches none."""
    if not stored:
        return False
    salt, hashed = stored.split("$")
    return hmac.compare_digest(_scrypt(password, salt), hashed)


@dataclass
class Throttle:
    """Counts failures only, by user name and by address, for an hour."""

    failures: dict[str, list[float]] = field(default_factory=dict)

    def check(self, key: str, limit: int) -> None:
        """Raises where there were too many."""
        now = time.time()
        recent = [at for at in self.failures.get(key, []) if now - at < THROTTLE_SECONDS]
        self.failures[key] = recent
        if len(recent) >= limit:
            raise Refused(
                401, {"errors": {"username": "Too many attempts! You must wait some time before trying again."}}
            )

    def failed(self, *keys: str) -> None:
        """Counts one failure for each key."""
        for key in keys:
            self.failures.setdefault(key, []).append(time.time())


def open_session(store: Store, throttle: Throttle, username: str, password: str, address: str) -> str:
    """`POST /api/session` → a session id."""
    name_key, address_key = f"name {username.lower()}", f"address {address}"
    throttle.check(name_key, PER_NAME)
    throttle.check(address_key, PER_ADDRESS)
    user = store.row("SELECT * FROM user WHERE email = ? AND is_active = 1 AND kind = 'personal'", username)
    if user is None or not password_matches(password, user["password"]):
        throttle.failed(name_key, address_key)
        raise Refused(401, {"errors": {"password": "did not match stored password"}})
    return new_session(store, user["id"])


def new_session(store: Store, user_id: int) -> str:
    """A session for a user."""
    session = str(uuid.uuid4())
    store.run("INSERT INTO session VALUES (?, ?, ?)", session, user_id, time.time())
    return session


def new_api_key(store: Store, name: str, group_id: int) -> dict[str, Any]:
    """A key is a user of its own in one group; only its hash is kept."""
    key = f"mb_{secrets.token_urlsafe(32)}"
    with store.change():
        email = f"api-key-user-{uuid.uuid4()}@api-key.invalid"
        superuser = int(group_id == ADMINISTRATORS)
        user_id = store.run(
            "INSERT INTO user (email, first_name, last_name, is_superuser, kind) VALUES (?, ?, '', ?, 'api-key')",
            email, name, superuser,
        )  # fmt: skip
        for group in {ALL_USERS, group_id}:
            store.run("INSERT INTO membership (group_id, user_id) VALUES (?, ?)", group, user_id)
        masked, digest = key[:7] + "*" * 20, hashlib.sha256(key.encode()).hexdigest()
        key_id = store.run(
            "INSERT INTO api_key (name, group_id, user_id, hash, masked) VALUES (?, ?, ?, ?, ?)",
            name, group_id, user_id, digest, masked,
        )  # fmt: skip
    return {"id": key_id, "name": name, "unmasked_key": key, "masked_key": masked, "group": {"id": group_id}}


def user_of(store: Store, request: Request) -> dict[str, Any] | None:
    """The request's user, in Metabase's order of credentials: cookie, session header, API key."""
    session = request.cookies.get(COOKIE) or request.headers.get("x-metabase-session")
    if session:
        return store.row(
            "SELECT user.* FROM session JOIN user ON user.id = session.user_id "
            "WHERE session.id = ? AND session.created > ? AND user.is_active = 1",
            session, time.time() - SESSION_SECONDS,
        )  # fmt: skip
    key = request.headers.get("x-api-key")
    if key:
        digest = hashlib.sha256(key.encode()).hexdigest()
        return store.row("SELECT user.* FROM api_key JOIN user ON user.id = api_key.user_id WHERE hash = ?", digest)
    return None


def require_user(store: Store, request: Request) -> dict[str, Any]:
    """The user, or 401 as Metabase answers it: the bare word."""
    user = user_of(store, request)
    if user is None:
        raise Refused(401, "Unauthenticated")
    return user


def require_admin(store: Store, request: Request) -> dict[str, Any]:
    """An administrator, or 403."""
    user = require_user(store, request)
    if not user["is_superuser"]:
        raise Refused(403, "You don't have permissions to do that.")
    return user


def groups_of(store: Store, user_id: int) -> list[int]:
    """The ids of a user's groups."""
    return [r["group_id"] for r in store.rows("SELECT group_id FROM membership WHERE user_id = ? ORDER BY 1", user_id)]
