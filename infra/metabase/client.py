"""The part of Metabase's HTTP API that deploying needs (https://www.metabase.com/docs/latest/api), over httpx.

Every call either returns the documented answer or raises `MetabaseError`, which names the operation and the status but
never a credential.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from infra.errors import MbgateError

ALL_USERS = 1
ADMINISTRATORS = 2


class MetabaseError(MbgateError):
    """Metabase could not be reached, or refused what a deployment needs."""

    default_code = "metabase-refused"


class MetabaseClient:
    """Calls one Metabase, as an administrator when given an API key."""

    def __init__(self, url: str, api_key: str | None = None, timeout_seconds: float = 30.0) -> None:
        headers = {"x-api-key": api_key} if api_key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds, trust_env=False)
        self._url = url

    def __enter__(self) -> MetabaseClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, *, json: Any = None, params: Any = None, ok: tuple[int, ...] = ()) -> Any:
        """Answers the parsed body (None when empty); statuses of 400 and above raise unless listed in `ok`."""
        try:
            response = self._http.request(method, path, json=json, params=params)
        except httpx.HTTPError as error:
            raise MetabaseError(
                f"`{method} {path}` did not reach Metabase at `{self._url}`: {type(error).__name__}",
                code="metabase-unreachable",
                help="check that Metabase runs and that `mbgate:metabase.adminUrl` is right",
            ) from None
        if response.status_code >= 400 and response.status_code not in ok:
            raise MetabaseError(
                f"`{method} {path}` was answered with status {response.status_code}: {response.text[:200].strip()}"
            )
        if response.status_code >= 400:
            return None
        return response.json() if response.content and "json" in response.headers.get("content-type", "") else None

    def wait_until_ready(self, seconds: float, report: Callable[[str], None] = lambda _: None) -> None:
        """Waits for `GET /api/health` to be 200; a starting Metabase answers 503 with its progress."""
        deadline = time.monotonic() + seconds
        last = "no answer"
        while True:
            try:
                response = self._http.get("/api/health")
                if response.status_code == 200:
                    return
                last = response.text[:120]
            except httpx.HTTPError as error:
                last = type(error).__name__
            if time.monotonic() > deadline:
                raise MetabaseError(
                    f"Metabase at `{self._url}` was not ready after {seconds:.0f} s; its last answer: {last}",
                    code="metabase-not-ready",
                    help="look at its log; a first boot migrates its database and can take minutes",
                )
            report(last)
            time.sleep(0.5)

    def properties(self) -> dict[str, Any]:
        """`GET /api/session/properties`: the set-up token while nobody is set up, the version, the features."""
        return dict(self.call("GET", "/api/session/properties"))

    def sign_in(self, email: str, password: str) -> str | None:
        """`POST /api/session` → the session id, or None where the password is not accepted."""
        answer = self.call("POST", "/api/session", json={"username": email, "password": password}, ok=(401,))
        return answer.get("id") if isinstance(answer, dict) else None

    def as_session(self, session: str) -> None:
        """Further calls are made with this session."""
        self._http.headers["X-Metabase-Session"] = session

    def groups(self) -> dict[str, int]:
        """Group name → id."""
        return {group["name"]: group["id"] for group in self.call("GET", "/api/permissions/group")}

    def collections(self) -> list[dict[str, Any]]:
        """All shared collections with `id`, `name`, `location` (`/` or `/3/`); personal and trash ones are left out."""
        found = self.call("GET", "/api/collection")
        return [
            c
            for c in found
            if isinstance(c.get("id"), int) and not c.get("personal_owner_id") and c.get("type") != "trash"
        ]
