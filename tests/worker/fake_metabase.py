"""Metabase's API as far as broker and gateway call it."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.worker.messages import Reply, Seen

API_KEY = "mb_test_key"


class Metabase:
    """Metabase's API as far as broker and gateway call it; anything else is echoed to whoever holds a session."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users: dict[int, dict[str, Any]] = {}
        self.passwords: dict[int, str] = {}
        self.sessions: dict[str, int] = {}
        self.answers: dict[str, Reply | Callable[[Seen], Reply]] = {}
        self.failures: dict[str, int] = {}
        self.second_factor = False
        self.created = self.password_changes = 0
        self.delay = 0.0

    def add(self, email: str, *, active: bool = True, groups: tuple[int, ...] = (1,)) -> dict[str, Any]:
        """A person who has an account already."""
        with self.lock:
            number = len(self.users) + 10
            user = {
                "id": number,
                "email": email,
                "is_active": active,
                "is_superuser": 2 in groups,
                "last_login": None,
                "user_group_memberships": [{"id": group} for group in groups],
                "login_attributes": None,
            }
            self.users[number] = user
            return user

    def handle(self, seen: Seen) -> Reply:
        """The answer to one request."""
        path = urlsplit(seen.target).path
        answer = self.answers.get(path)
        if answer is not None:
            return answer(seen) if callable(answer) else answer
        if path == "/api/session" and seen.method == "POST":
            return self._open_session(json.loads(seen.body))
        if path.startswith("/api/user") and seen.values("x-api-key"):
            return (
                self._people(seen, path)
                if seen.values("x-api-key") == [API_KEY]
                else self._json(401, "Unauthenticated")
            )
        if (seen.values("x-metabase-session") or [""])[0] not in self.sessions:
            return self._json(401, "Unauthenticated")
        return self._json(200, {"path": seen.target, "method": seen.method, "body": seen.body.decode("latin-1")})

    def _json(self, status: int, body: Any) -> Reply:
        kind = "text/plain" if isinstance(body, str) else "application/json;charset=utf-8"
        text = body if isinstance(body, str) else json.dumps(body)
        return Reply(status, text.encode(), {"content-type": kind, "x-metabase-version": "v0.63.0"})

    def _open_session(self, body: dict[str, Any]) -> Reply:
        email, password = body["username"], body["password"]
        with self.lock:
            if self.failures.get(email, 0) >= 10:
                return self._json(401, {"errors": {"username": "Too many attempts! You must wait 3600 seconds."}})
            user = next((u for u in self.users.values() if u["email"] == email), None)
            if user is None or self.passwords.get(user["id"]) != password:
                self.failures[email] = self.failures.get(email, 0) + 1
                return self._json(401, {"errors": {"password": "did not match stored password"}})
            if self.second_factor:
                return self._json(200, {"mfa_required": True})
            user["last_login"] = "2026-11-24T00:00:00Z"
            session = str(uuid.uuid4())
            self.sessions[session] = user["id"]
            return self._json(200, {"id": session})

    def _people(self, seen: Seen, path: str) -> Reply:
        time.sleep(self.delay)
        body = json.loads(seen.body) if seen.body else {}
        with self.lock:
            if path == "/api/user" and seen.method == "GET":
                query = parse_qs(urlsplit(seen.target).query)["query"][0].lower()
                return self._json(200, {"data": [u for u in self.users.values() if query in u["email"].lower()]})
            if path == "/api/user":
                if any(user["email"] == body["email"] for user in self.users.values()):
                    return self._json(400, {"errors": {"email": "Email address already in use."}})
                self.created += 1
                made = self.add(body["email"], groups=tuple(g["id"] for g in body["user_group_memberships"]))
                made["login_attributes"] = body.get("login_attributes")
                return self._json(200, made)
            found = re.fullmatch(r"/api/user/(\d+)(/password)?", path)
            user = self.users.get(int(found[1])) if found else None
            if user is None or found is None:
                return self._json(404, "Not found.")
            if found[2]:
                self.password_changes += 1
                self.passwords[user["id"]] = body["password"]
                self.sessions = {s: number for s, number in self.sessions.items() if number != user["id"]}
                return Reply(204)
            if seen.method == "PUT":
                user.update(body)
            return self._json(200, user)
