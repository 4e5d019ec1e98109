"""A role's own session limits: shorter than the stack's, on every way in, and never a loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.worker.deployment import PUBLIC, Deployment
from tests.worker.fakes import World
from tests.worker.people import (
    PAGE,
    access_token,
    bearer,
    cookie_of,
    finish_sign_in,
    open_cookie,
    seal,
    session_of,
    start_sign_in,
)
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

NAME = "__Host-mbgate"
DASHBOARD = "/api/dashboard/1"
IDLE, ABSOLUTE = 900, 3600
LIMITS = {"idle_seconds": IDLE, "absolute_seconds": ABSOLUTE}
ROLES = {"analyst": {"session": LIMITS}, "engineer": {"session": {"idle_seconds": None, "absolute_seconds": ABSOLUTE}}}
LOGOUT = "/cdn-cgi/access/logout"


@pytest.fixture(scope="module")
def of_oidc(world: World) -> Iterator[Runtime]:
    runtime = Runtime(Deployment(roles=ROLES), world)
    runtime.warm()
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def of_access(world: World) -> Iterator[Runtime]:
    runtime = Runtime(Deployment(mode="access", roles=ROLES), world)
    runtime.warm()
    yield runtime
    runtime.close()


@pytest.fixture
def limited(of_oidc: Runtime) -> Runtime:
    """Analysts may idle for a quarter of an hour and stay for one; engineers stay for one; others as the stack says."""
    of_oidc.world.reset()
    of_oidc.forget()
    return of_oidc


@pytest.fixture
def behind(of_access: Runtime) -> Runtime:
    """The same behind Access."""
    of_access.world.reset()
    of_access.forget()
    return of_access


@pytest.mark.parametrize(
    ("role", "ages", "status"),
    [
        ("analyst", {"iat": ABSOLUTE - 5, "seen": 1}, 200),
        ("analyst", {"iat": ABSOLUTE, "seen": 1}, 401),
        ("analyst", {"iat": 40_000, "seen": 0}, 401),
        ("analyst", {"iat": IDLE + 5, "seen": IDLE - 5}, 200),
        ("analyst", {"iat": IDLE + 5, "seen": IDLE + 5}, 401),
        ("engineer", {"iat": ABSOLUTE - 5, "seen": 3000}, 200),
        ("engineer", {"iat": ABSOLUTE, "seen": 1}, 401),
        ("exec", {"iat": 40_000, "seen": 3500}, 200),
    ],
    ids=str,
)
def test_the_shorter_limit_holds(limited: Runtime, role: str, ages: dict[str, int], status: int) -> None:
    """Although the session itself is alive: another role goes on with the same one."""
    now = int(time.time())
    answer = limited.ask("GET", DASHBOARD, cookie_of(limited, role, **{name: now - age for name, age in ages.items()}))
    assert answer.status == status
    assert (status == 200) == bool(limited.world.of("origin"))
    if status == 401:
        assert answer.json["reason"] == "session-expired"
        assert answer.cookie(NAME) == ""


@pytest.mark.parametrize("iat", [None, "x", {}, []], ids=str)
def test_a_session_without_a_time_is_over(limited: Runtime, iat: Any) -> None:
    """What is no number is no time within a limit."""
    answer = limited.ask("GET", DASHBOARD, cookie_of(limited, "analyst", iat=iat))
    assert (answer.status, answer.json["reason"]) == (401, "session-expired")


def test_whoever_is_active_stays(limited: Runtime) -> None:
    """Renewed after a quarter of the shorter limit; by the stack's alone it would be renewed too late."""
    now = int(time.time())
    assert limited.ask("GET", DASHBOARD, cookie_of(limited, "analyst", seen=now - IDLE // 4 + 10)).cookies == []
    assert limited.ask("GET", DASHBOARD, cookie_of(limited, "exec", seen=now - IDLE // 4 - 10)).cookies == []
    session = session_of("analyst", metabase="session-of-analyst")
    cookie_of(limited, "analyst")
    for _ in range(5):
        session = {**session, **{name: session[name] - IDLE * 2 // 3 for name in ("iat", "seen", "exp")}}
        cookie = {"Cookie": f"{NAME}={seal(limited.deployment, 'session', session)}"}
        answer = limited.ask("GET", DASHBOARD, cookie)
        assert answer.status == 200
        renewed = open_cookie(limited.deployment, answer.cookie(NAME) or "")
        assert renewed["seen"] >= now
        assert (renewed["iat"], renewed["exp"]) == (session["iat"], session["exp"])
        session = renewed


def test_signing_in_again_starts_anew(limited: Runtime) -> None:
    """A page leads to sign-in, which leads back to it, and there it is."""
    old = cookie_of(limited, "analyst", iat=int(time.time()) - ABSOLUTE)
    first = limited.ask("GET", "/dashboard/1?tab=2", {**PAGE, **old})
    assert (first.status, first.headers["location"]) == (302, "/_gateway/sign-in?return_to=%2Fdashboard%2F1%3Ftab%3D2")
    assert first.cookie(NAME) == ""
    done = finish_sign_in(limited, start_sign_in(limited, "/dashboard/1?tab=2"), "analyst")
    cookie = done.cookie(NAME) or ""
    assert open_cookie(limited.deployment, cookie)["iat"] >= int(time.time()) - 5
    page = limited.ask("GET", done.headers["location"], {**PAGE, "Cookie": f"{NAME}={cookie}"})
    assert page.status == 200


def test_our_own_pages_know_it_too(limited: Runtime) -> None:
    """The denied page says that the session has ended, whoami refuses; signing out works."""
    old = cookie_of(limited, "analyst", iat=int(time.time()) - ABSOLUTE)
    denied = limited.ask("GET", "/_gateway/denied", {**PAGE, **old})
    assert (denied.status, denied.cookie(NAME)) == (401, "")
    assert "Your session has ended" in denied.body.decode()
    assert "analyst@acme.test" not in denied.body.decode()
    me = limited.ask("GET", "/_gateway/whoami", old)
    assert (me.status, me.json["reason"]) == (401, "session-expired")
    assert limited.ask("POST", "/_gateway/sign-out", {**old, "Origin": PUBLIC}, b"").status == 302


@pytest.mark.parametrize("path", ["/api/dashboard/3", "/api/unheard-of", DASHBOARD])
def test_it_comes_before_what_the_rules_say(limited: Runtime, path: str) -> None:
    """And the trail names no rule as if it had allowed something."""
    old = cookie_of(limited, "analyst", iat=int(time.time()) - ABSOLUTE)
    assert limited.ask("GET", path, old).json["reason"] == "session-expired"
    [event] = limited.events(1)
    told = {name: event[name] for name in ("effect", "reason", "rule", "principal", "role")}
    assert told == {
        "effect": "deny",
        "reason": "session-expired",
        "rule": None,
        "principal": "analyst@acme.test",
        "role": "analyst",
    }


def test_machines_have_no_session(limited: Runtime) -> None:
    """However long ago their token was made: its own end is what counts."""
    headers = {"Authorization": f"Bearer {bearer(iat=int(time.time()) - 90_000)}"}
    assert limited.ask("GET", DASHBOARD, headers).status == 200


def via(token: str, cookie: str | None = None, **headers: str) -> dict[str, str]:
    own = {"Cookie": f"{NAME}={cookie}"} if cookie else {}
    return {"Cf-Access-Jwt-Assertion": token, **own, **headers}


def kept(runtime: Runtime, **times: Any) -> str:
    """The cookie of the person whom Access names."""
    runtime.world.metabase.sessions["kept"] = runtime.world.metabase.add("analyst@acme.test")["id"]
    return seal(runtime.deployment, "session", session_of("analyst", metabase="kept", sub="access-analyst", **times))


def test_behind_access_an_old_sign_in_leads_to_its_sign_out(behind: Runtime) -> None:
    """Access would go on with it without asking; after signing in there, the limit starts anew."""
    now = int(time.time())
    old = access_token(iat=now - ABSOLUTE, nbf=now - ABSOLUTE)
    refused = behind.ask("GET", DASHBOARD, via(old))
    assert (refused.status, refused.json["reason"]) == (401, "session-expired")
    page = behind.ask("GET", "/dashboard/1", via(old, **PAGE))
    assert page.status == 401
    assert "location" not in page.headers
    assert f'href="{LOGOUT}"' in page.body.decode()
    assert "Sign out first" in page.body.decode()
    for path in ("/_gateway/denied", "/_gateway/whoami"):
        assert behind.ask("GET", path, via(old, **PAGE)).status == 401
    assert behind.world.of("origin") == []
    alive = access_token(iat=now - ABSOLUTE + 5)
    assert behind.ask("GET", DASHBOARD, via(alive, kept(behind))).status == 200


def test_behind_access_the_stacks_limits_hold_too(behind: Runtime) -> None:
    """In a role without limits of its own as in none; Access's own session may be longer."""
    now = int(time.time())
    for role in ("exec", "visitor"):
        token = access_token(role, iat=now - 40_000, nbf=now - 40_000)
        here = {"sub": f"access-{role}", "iat": now - 40_000}
        for seen, status in ((3500, 200 if role == "exec" else 403), (3700, 401)):
            cookie = cookie_of(behind, role, seen=now - seen, **here)["Cookie"].removeprefix(f"{NAME}=")
            assert behind.ask("GET", DASHBOARD, via(token, cookie)).status == status
        lost = behind.ask("GET", DASHBOARD, via(token))
        assert (lost.status, lost.json["reason"]) == (401, "session-expired")
        ended = access_token(role, iat=now - 43_200, nbf=now - 43_200)
        assert behind.ask("GET", DASHBOARD, via(ended, cookie)).json["reason"] == "session-expired"
    young = via(access_token("exec", iat=now - 3500, nbf=now - 3500))
    assert behind.ask("GET", DASHBOARD, young).status == 200


@pytest.mark.parametrize("idle", [IDLE + 5, 2 * ABSOLUTE])
def test_behind_access_whoever_was_idle_signs_in_again(behind: Runtime, idle: int) -> None:
    """Opening the page once more does not help, also where the stack's limit has passed as well; signing in does."""
    now = int(time.time())
    cookie = kept(behind, iat=now - 8000, seen=now - idle)
    before = access_token(iat=now - 2000)
    for own in (cookie, None, "x", seal(behind.deployment, "session", session_of("exec", metabase=None))):
        answer = behind.ask("GET", DASHBOARD, via(before, own))
        assert (answer.status, answer.json["reason"]) == (401, "session-expired")
        page = behind.ask("GET", "/dashboard/1", via(before, own, **PAGE))
        assert page.status == 401
        assert f'href="{LOGOUT}"' in page.body.decode()
    again = behind.ask("GET", DASHBOARD, via(access_token(iat=now - 3), cookie))
    assert again.status == 200
    assert open_cookie(behind.deployment, again.cookie(NAME) or "")["seen"] >= now


def test_behind_access_whoever_is_active_stays(behind: Runtime) -> None:
    """The cookie is renewed in time; another's, or none, says nothing of this person, who was last seen by Access."""
    now = int(time.time())
    token = access_token(iat=now - 2000)
    answer = behind.ask("GET", DASHBOARD, via(token, kept(behind, seen=now - IDLE // 3)))
    assert answer.status == 200
    assert open_cookie(behind.deployment, answer.cookie(NAME) or "")["seen"] >= now
    other = seal(behind.deployment, "session", session_of("exec", metabase=None, seen=now))
    for lost in (via(token, other), via(token)):
        assert behind.ask("GET", DASHBOARD, lost).json["reason"] == "session-expired"
    other = seal(behind.deployment, "session", session_of("exec", metabase=None, seen=now - IDLE - 5))
    fresh = access_token(iat=now - IDLE + 5)
    assert behind.ask("GET", DASHBOARD, via(fresh, other)).status == 200
    assert behind.ask("GET", DASHBOARD, via(fresh)).status == 200


def test_behind_access_signing_out_lifts_no_limit(behind: Runtime) -> None:
    """The page after it takes the cookie away; Access's token, were it still used, stays as old as it is."""
    now = int(time.time())
    token, cookie = access_token(iat=now - 2000), kept(behind, iat=now - 2000, seen=now - IDLE - 5)
    assert behind.ask("GET", "/_gateway/signed-out", via(token, cookie, **PAGE)).cookie(NAME) == ""
    answer = behind.ask("GET", DASHBOARD, via(token))
    assert (answer.status, answer.json["reason"]) == (401, "session-expired")
    assert behind.world.of("origin") == []
