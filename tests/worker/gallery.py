"""Every page that the gateway makes itself, as somebody meets it: shown by a real deployment."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from tests.worker.fakes import World
from tests.worker.messages import Reply
from tests.worker.people import PAGE, access_token, cookie_of, start_sign_in
from tests.worker.runtime import Answer, Runtime

Show = Callable[[Runtime, dict[str, str]], Answer]

LOGO = (
    "data:image/svg+xml;base64,"
    "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAxNTIgNDAiPjxyZWN0IHdpZHRoPSI0MCIgaGVpZ2h0PSI0"
    "MCIgcng9IjEwIiBmaWxsPSIjMGY3NjZlIi8+PHBhdGggZD0iTTEwIDI4IDE4IDE2bDYgOCA2LTEyIiBmaWxsPSJub25lIiBzdHJva2U9IiNmZmYiIHN0"
    "cm9rZS13aWR0aD0iMy41IiBzdHJva2UtbGluZWNhcD0icm91bmQiIHN0cm9rZS1saW5lam9pbj0icm91bmQiLz48ZyBmaWxsPSJub25lIiBzdHJva2U9"
    "IiMxMzRlNGEiIHN0cm9rZS13aWR0aD0iNCIgc3Ryb2tlLWxpbmVjYXA9InJvdW5kIj48cGF0aCBkPSJNNTYgMzAgNjQgMTBsOCAyME01OSAyM2gxME04"
    "OCAyOGE4IDggMCAxIDEgMC0xMiIvPjxwYXRoIGQ9Ik05OCAzMFYxNnExMi01IDEyIDZ2OG0wLThxMTItMTEgMTIgMHY4TTEzMiAyMmgxM2E3IDcgMCAx"
    "IDAtMiA1Ii8+PC9nPjwvc3ZnPg=="
)
"""A mark and a word, as a company would have it."""

BRAND = {
    "logo": LOGO,
    "color": "#0f766e",
    "support_url": "mailto:bi-team@acme.test",
    "support_text": "the BI team",
}


def denied(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """Somebody with a role asked for what the role may not open."""
    return _followed(gateway, "/dashboard/3-board", {**headers, **cookie_of(gateway, "analyst")})


def without_role(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """Somebody without any role."""
    return _followed(gateway, "/dashboard/1", {**headers, **cookie_of(gateway, "visitor")})


def stranger(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """Somebody who is not signed in opened another's link to a denied page."""
    return gateway.ask("GET", "/_gateway/denied", headers)


def expired(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """A page of ours after the session's end."""
    return gateway.ask("GET", "/_gateway/denied", {**headers, **cookie_of(gateway, "analyst", exp=1)})


def sign_in_failed(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """The provider said no."""
    started = start_sign_in(gateway, "/dashboard/1?tab=2")
    query = urlencode({"error": "access_denied", "state": started.query["state"]})
    return gateway.ask("GET", f"/_gateway/callback?{query}", {**headers, **started.headers})


def provider_down(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """The provider gave a code and takes it back from nobody."""
    started = start_sign_in(gateway, "/dashboard/1?tab=2")
    gateway.world.provider.down = True
    query = urlencode({"code": "c", "state": started.query["state"]})
    answer = gateway.ask("GET", f"/_gateway/callback?{query}", {**headers, **started.headers})
    gateway.world.provider.down = False
    return answer


def unreachable(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """Metabase is away."""
    gateway.world.metabase.answers["/dashboard/1"] = Reply(530, b"error code: 1033")
    return gateway.ask("GET", "/dashboard/1?a=1&b=2", {**headers, **cookie_of(gateway, "analyst")})


def deactivated(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """Metabase's account is switched off."""
    world: World = gateway.world
    for user in [one for one in world.metabase.users.values() if one["email"] == "analyst@acme.test"]:
        user["is_active"] = False
    if not any(user["email"] == "analyst@acme.test" for user in world.metabase.users.values()):
        world.metabase.add("analyst@acme.test", groups=(1, 5), active=False)
    return gateway.ask("GET", "/dashboard/1", {**headers, **cookie_of(gateway, "analyst", metabase=None)})


def malformed(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """A broken link."""
    return gateway.ask("GET", "/dashboard//1", headers)


def signed_out(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """After signing out."""
    return gateway.ask("GET", "/_gateway/signed-out", {**headers, **_by_access(gateway)})


def sign_out(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """The question before."""
    return gateway.ask("GET", "/_gateway/sign-out", {**headers, **_by_access(gateway)})


def problems(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """All reasons."""
    return gateway.ask("GET", "/_gateway/problems", headers)


def access_missing(gateway: Runtime, headers: dict[str, str]) -> Answer:
    """Mode `access`: the request has no token."""
    return gateway.ask("GET", "/dashboard/1?tab=2", headers)


PAGES: dict[str, tuple[Show, int]] = {
    "denied": (denied, 403),
    "without-role": (without_role, 403),
    "stranger": (stranger, 403),
    "expired": (expired, 401),
    "sign-in-failed": (sign_in_failed, 400),
    "provider-down": (provider_down, 503),
    "unreachable": (unreachable, 503),
    "deactivated": (deactivated, 403),
    "malformed": (malformed, 400),
    "signed-out": (signed_out, 200),
    "sign-out": (sign_out, 200),
    "problems": (problems, 200),
}
"""By name: how it is met, and its status."""

BEHIND_ACCESS: dict[str, tuple[Show, int]] = {
    "signed-out": (signed_out, 200),
    "sign-out": (sign_out, 200),
    "access-missing": (access_missing, 401),
}
"""Those that are others in mode `access`."""


def in_language(tag: str) -> dict[str, str]:
    """A navigation of somebody who reads that language."""
    return {**PAGE, "Accept-Language": f"{tag}-XX,{tag};q=0.9,fr;q=0.8"}


def _by_access(gateway: Runtime) -> dict[str, str]:
    return {"Cf-Access-Jwt-Assertion": access_token()} if gateway.deployment.mode == "access" else {}


def _followed(gateway: Runtime, path: str, headers: dict[str, str]) -> Answer:
    first = gateway.ask("GET", path, headers)
    assert first.status == 302, first.status
    return gateway.ask("GET", first.headers["location"], headers)
