"""The part of Metabase's HTTP API that deploying needs (https://www.metabase.com/docs/latest/api), over httpx.

Every call either returns the documented answer or raises `MetabaseError`, which names the operation and the status but
never a credential.
"""

from __future__ import annotations

import time
from typing import Any

import httpx

from infra.errors import MbgateError

from . import progress
from .connection import Connection

ALL_USERS = 1
ADMINISTRATORS = 2
POLL_SECONDS = 0.5
KEY_REFUSED = "metabase-key-refused"
UNREACHABLE = ("metabase-unreachable", "metabase-not-ready")
REACH = (
    "check that Metabase and the Tunnel's connector run, and that `mbgate:metabase.adminHostname` (or `adminUrl`) is "
    "right"
)


class MetabaseError(MbgateError):
    """Metabase could not be reached, or refused what a deployment needs."""

    default_code = "metabase-refused"


class MetabaseClient:
    """Calls one Metabase, as an administrator when given an API key."""

    def __init__(self, connection: Connection, api_key: str | None = None, timeout_seconds: float = 30.0) -> None:
        self._http = connection.client({"x-api-key": api_key} if api_key else {}, timeout_seconds)
        self._url = f"https://{connection.host}" if connection.host else connection.url

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
                help=REACH,
            ) from None
        if not _is_metabase(response):
            raise MetabaseError(
                f"`{method} {path}` was not answered by Metabase at `{self._url}`: {_told(response)}",
                code="metabase-unreachable",
                help=REACH,
            )
        if response.status_code >= 400 and response.status_code not in ok:
            raise MetabaseError(
                f"`{method} {path}` was answered with status {response.status_code}: {response.text[:200].strip()}",
                code=KEY_REFUSED if response.status_code == 401 else None,
            )
        if response.status_code >= 400:
            return None
        return response.json() if response.content and "json" in response.headers.get("content-type", "") else None

    def wait_until_ready(self, seconds: float) -> None:
        """Waits for Metabase to answer `GET /api/health` with 200, and says every new state on the way.

        A starting Metabase answers 503 with its progress; before it, a tunnel without a connector and an Access
        application that is a moment old answer in its place.
        """
        deadline = time.monotonic() + seconds
        last = ""
        while True:
            state = self._state()
            if state is None:
                return
            if state != last:
                progress.report(f"waiting for Metabase: {state}")
            last = state
            if time.monotonic() > deadline:
                raise MetabaseError(
                    f"Metabase at `{self._url}` was not ready after {seconds:.0f} s; its last answer: {last}",
                    code="metabase-not-ready",
                    help="look at its log and at the connector's; a first boot can take minutes",
                )
            time.sleep(POLL_SECONDS)

    def _state(self) -> str | None:
        """None where Metabase is ready, else what answers."""
        try:
            response = self._http.get("/api/health")
        except httpx.HTTPError as error:
            return f"no answer ({type(error).__name__})"
        if not _is_metabase(response):
            return _told(response)
        if response.status_code == 200:
            return None
        try:
            health = response.json()
            return f"{health['status']}, {round(float(health['progress']) * 100)} %"
        except (ValueError, KeyError, TypeError):
            return f"status {response.status_code}"

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


def _is_metabase(response: httpx.Response) -> bool:
    """Metabase names its version on what it answers; what stands before it only refuses, or is not there.

    While it starts, it answers 503 with its progress as JSON, without a version.
    """
    starting = response.status_code == 503 and response.headers.get("content-type", "").startswith("application/json")
    return "x-metabase-version" in response.headers or response.is_success or starting


def _told(response: httpx.Response) -> str:
    """Who answers in Metabase's place, as far as the status tells."""
    who = {
        302: "Access sends to its sign-in page: it does not take the deployment's service token",
        401: "the sidecar or Access refuses the deployment's proof",
        403: "Access refuses the deployment's service token",
        404: "the Tunnel has no route for this hostname",
        502: "the connector does not reach Metabase",
        530: "the Tunnel has no connector",
    }
    return f"status {response.status_code}, {who.get(response.status_code, 'not from Metabase')}"
