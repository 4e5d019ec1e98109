"""Signing people in: the code flow, what an ID token must say, and what a session is afterwards."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

import pytest

from infra.metabase.secrets import generate
from tests.worker.deployment import ISSUER, PUBLIC, SECRET, Deployment, signer
from tests.worker.messages import Reply
from tests.worker.people import PAGE, cookie_of, finish_sign_in, id_claims, open_cookie, seal, session_of, start_sign_in
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

NAME = "__Host-mbgate"
DASHBOARD = "/api/dashboard/1"


def test_the_whole_way(gateway: Runtime) -> None:
    """A page leads to the provider and back to itself; the account is made, the cookie opens the dashboard."""
    first = gateway.ask("GET", "/dashboard/1?tab=2", PAGE)
    assert (first.status, first.headers["location"]) == (302, "/_gateway/sign-in?return_to=%2Fdashboard%2F1%3Ftab%3D2")
    started = start_sign_in(gateway, "/dashboard/1?tab=2")
    assert started.query["scope"] == "openid profile email groups"
    assert started.query["response_type"] == "code"
    done = finish_sign_in(gateway, started, "analyst")
    assert (done.status, done.headers["location"]) == (302, "/dashboard/1?tab=2")
    assert done.cookie("__Host-mbgate-tx") == ""
    [user] = gateway.world.metabase.users.values()
    assert user["email"] == "analyst@acme.test"
    assert user["user_group_memberships"] == [{"id": 1}, {"id": 5}]
    answer = gateway.ask("GET", DASHBOARD, {"Cookie": f"{NAME}={done.cookie(NAME)}"})
    assert answer.status == 200
    assert answer.cookies == []


def test_the_client_proves_itself_by_basic_with_encoded_parts(gateway: Runtime) -> None:
    """RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined."""
    finish_sign_in(gateway, start_sign_in(gateway), "analyst")
    [exchange] = gateway.world.of("outside")
    scheme, value = exchange.values("authorization")[0].split(" ")
    assert scheme == "Basic"
    assert base64.b64decode(value).decode() == f"{quote_plus('mb gate')}:{quote_plus(SECRET)}"
    form = dict(parse_qsl(exchange.body.decode()))
    assert (form["grant_type"], form["redirect_uri"]) == ("authorization_code", f"{PUBLIC}/_gateway/callback")
    assert "client_secret" not in form


def test_the_session_holds_what_policies_read_and_nothing_else(gateway: Runtime) -> None:
    """A claim that no rule and no team needs is not kept; the cookie has every protection."""
    done = finish_sign_in(gateway, start_sign_in(gateway), "analyst")
    [line] = [one for one in done.cookies if one.startswith(f"{NAME}=")]
    assert line.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200")
    session = open_cookie(gateway.deployment, done.cookie(NAME) or "")
    assert session["claims"] == {"groups": ["bi-analysts"], "department": "sales"}
    assert "confidential" not in str(session).replace(session["hint"], "")
    assert len(line) < 4096


def test_a_person_without_a_role_is_signed_in_and_unknown_to_metabase(gateway: Runtime) -> None:
    """No broker call is made for them; they are told why, without a loop."""
    done = finish_sign_in(gateway, start_sign_in(gateway, "/dashboard/1"), "visitor")
    own = {**PAGE, "Cookie": f"{NAME}={done.cookie(NAME)}"}
    denied = gateway.ask("GET", done.headers["location"], own)
    page = gateway.ask("GET", denied.headers["location"], own)
    assert page.status == 403
    assert "No role yet" in page.body.decode()
    assert "location" not in page.headers
    assert gateway.world.of("origin") == []
    assert gateway.world.metabase.users == {}


ID_TOKENS: list[tuple[dict[str, Any], str]] = [
    ({"iss": f"{ISSUER}/"}, "token-issuer-foreign"),
    ({"iss": None}, "token-issuer-foreign"),
    ({"aud": "other"}, "token-audience-foreign"),
    ({"aud": []}, "token-audience-foreign"),
    ({"aud": ["mb gate", "x"]}, "token-audience-foreign"),
    ({"azp": "x"}, "token-audience-foreign"),
    ({"exp": 1}, "token-expired"),
    ({"exp": None}, "token-claims-invalid"),
    ({"exp": "9999999999"}, "token-claims-invalid"),
    ({"iat": 1_000_000_000}, "token-expired"),
    ({"iat": int(time.time()) + 3600}, "token-not-yet-valid"),
    ({"iat": None}, "token-claims-invalid"),
    ({"nonce": "x"}, "token-nonce-foreign"),
    ({"nonce": None}, "token-claims-invalid"),
    ({"sub": ""}, "token-claims-invalid"),
    ({"sub": None}, "token-claims-invalid"),
]


@pytest.mark.parametrize(("change", "reason"), ID_TOKENS, ids=lambda value: str(value)[:40])
def test_id_tokens_are_checked_in_full(gateway: Runtime, change: dict[str, Any], reason: str) -> None:
    """OpenID Connect Core 3.1.3.7; the log has the reason, the page does not."""
    answer = finish_sign_in(gateway, start_sign_in(gateway), "analyst", **change)
    assert (answer.status, answer.cookie(NAME)) == (400, None)
    assert answer.cookie("__Host-mbgate-tx") == ""
    event = gateway.events(2)[-1]
    assert (event["effect"], event["reason"]) == ("deny", reason)
    assert gateway.world.of("origin") == []


def test_the_second_algorithm_of_the_list_is_accepted(gateway: Runtime) -> None:
    """ES256 beside RS256, each under its own key."""
    done = finish_sign_in(gateway, start_sign_in(gateway), "analyst", by=signer("idp-ec", "ES256"))
    assert done.cookie(NAME)


@pytest.mark.parametrize(
    "query",
    [
        {"state": "other"},
        {"state": None},
        {"code": None},
        {"code": "unknown-code"},
        {"iss": "https://evil.example"},
        {"error": "access_denied"},
    ],
    ids=str,
)
def test_the_providers_answer_must_be_ours(gateway: Runtime, query: dict[str, str | None]) -> None:
    """State, code and the issuer of RFC 9207: one of them wrong, and nobody is signed in."""
    started = start_sign_in(gateway)
    gateway.world.provider.codes["the-code"] = signer("idp").sign(id_claims("analyst", started.query["nonce"]))
    given = {"code": "the-code", "state": started.query["state"], "iss": ISSUER, **query}
    text = urlencode({name: value for name, value in given.items() if value is not None})
    answer = gateway.ask("GET", f"/_gateway/callback?{text}", started.headers)
    assert (answer.status, answer.cookie(NAME)) == (400, None)


def test_a_doubled_parameter_is_refused(gateway: Runtime) -> None:
    """Which of two states was checked can't be told."""
    started = start_sign_in(gateway)
    gateway.world.provider.codes["the-code"] = signer("idp").sign(id_claims("analyst", started.query["nonce"]))
    state = started.query["state"]
    answer = gateway.ask("GET", f"/_gateway/callback?code=the-code&state={state}&state=x", started.headers)
    assert (answer.status, answer.cookie(NAME)) == (400, None)
    assert gateway.world.of("outside") == []


def test_another_browser_can_not_finish_a_sign_in(gateway: Runtime) -> None:
    """Without the transaction cookie, with somebody else's, with two, or with an old one."""
    started, other = start_sign_in(gateway), start_sign_in(gateway)
    gateway.world.provider.codes["the-code"] = signer("idp").sign(id_claims("analyst", started.query["nonce"]))
    query = urlencode({"code": "the-code", "state": started.query["state"]})
    old = seal(gateway.deployment, "transaction", {"state": started.query["state"], "exp": 1})
    for cookie in ("", f"__Host-mbgate-tx={other.cookie}", f"__Host-mbgate-tx={old}", f"{NAME}={started.cookie}"):
        answer = gateway.ask("GET", f"/_gateway/callback?{query}", {**PAGE, "Cookie": cookie})
        assert (answer.status, answer.cookie(NAME)) == (400, None)
    two = f"__Host-mbgate-tx={started.cookie}; __Host-mbgate-tx={other.cookie}"
    assert gateway.ask("GET", f"/_gateway/callback?{query}", {**PAGE, "Cookie": two}).status == 400
    assert gateway.world.of("outside") == []


def test_a_provider_that_is_down_is_told_apart(gateway: Runtime) -> None:
    """Nobody is at fault: the page says so and offers to start again."""
    gateway.world.provider.down = True
    answer = finish_sign_in(gateway, start_sign_in(gateway), "analyst")
    assert answer.status == 503
    assert "Signing in is not possible right now" in answer.body.decode()
    assert 'href="/_gateway/sign-in?return_to=%2F"' in answer.body.decode()


def test_metabase_being_down_does_not_stop_signing_in(gateway: Runtime) -> None:
    """The page after it asks for a Metabase session again, once it is back."""
    gateway.world.metabase.answers["/api/user"] = Reply(502, b"")
    done = finish_sign_in(gateway, start_sign_in(gateway, "/dashboard/1"), "analyst")
    assert (done.status, done.headers["location"]) == (302, "/dashboard/1")
    own = {**PAGE, "Cookie": f"{NAME}={done.cookie(NAME)}"}
    assert gateway.ask("GET", "/dashboard/1", own).status == 503
    gateway.world.metabase.answers.clear()
    again = gateway.ask("GET", "/dashboard/1", own)
    assert again.status == 200
    assert open_cookie(gateway.deployment, again.cookie(NAME) or "")["metabase"]


def test_idle_and_absolute_limits(gateway: Runtime) -> None:
    """An hour without a request, twelve hours in all; a session is renewed after a quarter of the idle limit."""
    now = int(time.time())
    for times, status, renewed in [
        ({"seen": now - 60}, 200, False),
        ({"seen": now - 1000}, 200, True),
        ({"seen": now - 3590}, 200, True),
        ({"seen": now - 3605}, 401, False),
        ({"exp": now - 1}, 401, False),
        ({"exp": now + 30, "seen": now - 1000}, 200, True),
    ]:
        answer = gateway.ask("GET", DASHBOARD, cookie_of(gateway, "analyst", **times))
        assert answer.status == status, times
        assert bool(answer.cookie(NAME)) == renewed, times
        if renewed:
            session = open_cookie(gateway.deployment, answer.cookie(NAME) or "")
            assert session["exp"] == times.get("exp", session["exp"])
            assert session["seen"] >= now


def test_rotation_signs_nobody_out(deploy: Callable[[Deployment], Runtime]) -> None:
    """A cookie of the previous key opens and is renewed under the current one; the key before that opens nothing."""
    old, new, newest = (generate("aes256") for _ in range(3))
    before = Deployment(session_keys=(old, ""))
    after = deploy(replace(before, session_keys=(new, old)))
    value = session_of("analyst", metabase="session-of-analyst")
    cookie_of(after, "analyst")
    first = after.ask("GET", DASHBOARD, {"Cookie": f"{NAME}={seal(before, 'session', value)}"})
    assert first.status == 200
    renewed = first.cookie(NAME)
    assert renewed
    assert open_cookie(after.deployment, renewed)["sub"] == "sub-analyst"
    last = deploy(replace(before, session_keys=(newest, new)))
    cookie_of(last, "analyst")
    assert last.ask("GET", DASHBOARD, {"Cookie": f"{NAME}={renewed}"}).status == 200
    assert last.ask("GET", DASHBOARD, {"Cookie": f"{NAME}={seal(before, 'session', value)}"}).status == 401


def test_a_renewed_cookie_is_never_cached(gateway: Runtime) -> None:
    """Not even with a file that everybody gets and caches keep."""
    path = "/app/dist/a.js"
    gateway.world.metabase.answers[path] = Reply(200, b"x", {"cache-control": "public, max-age=31536000, immutable"})
    fresh = gateway.ask("GET", path, cookie_of(gateway, "analyst"))
    assert (fresh.headers["cache-control"], fresh.cookies) == ("public, max-age=31536000, immutable", [])
    stale = gateway.ask("GET", path, cookie_of(gateway, "analyst", seen=int(time.time()) - 1000))
    assert stale.cookie(NAME)
    assert stale.headers["cache-control"] == "private, no-store"


def test_whoami_tells_a_program_who_it_is(gateway: Runtime) -> None:
    """JSON with the role of this very moment; without a session a 401, also for a browser."""
    me = gateway.ask("GET", "/_gateway/whoami", cookie_of(gateway, "analyst")).json
    assert (me["kind"], me["email"], me["role"]) == ("person", "analyst@acme.test", "analyst")
    refused = gateway.ask("GET", "/_gateway/whoami", PAGE)
    assert (refused.status, refused.headers["content-type"]) == (401, "application/problem+json")


@pytest.mark.parametrize("name", ["nothing", "sign-in/", "../x", "toString", "__proto__", "constructor"])
def test_other_own_endpoints_do_not_exist(gateway: Runtime, name: str) -> None:
    """Neither by a made-up name nor by one that every object has."""
    assert gateway.ask("GET", f"/_gateway/{name}", cookie_of(gateway, "exec")).status in (400, 404)
    assert gateway.ask("DELETE", "/_gateway/whoami", cookie_of(gateway, "exec")).status == 404
    assert gateway.world.of("origin") == []
