"""Lessons 11, 12, 19, 20, 22, 23, 31 and 33 to 35: people and sessions. Named after the holes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from infra.metabase.secrets import generate
from tests.worker.deployment import ISSUER, PUBLIC, Deployment
from tests.worker.people import PAGE, cookie_of, finish_sign_in, open_cookie, seal, session_of, start_sign_in
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"


@pytest.mark.parametrize(
    "email", ["exec@acme.test@evil.example", "a b@acme.test", "@acme.test", "acme.test", "", 7, None]
)
def test_lesson_11_an_address_with_two_readings_is_refused(gateway: Runtime, email: Any) -> None:
    """CVE-2026-40574: one local part, one domain, compared exactly."""
    answer = finish_sign_in(gateway, start_sign_in(gateway), "exec", email=email)
    assert (answer.status, answer.cookie("__Host-mbgate")) == (400, None)
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_lesson_11_an_unverified_address_is_refused(gateway: Runtime, verified: Any) -> None:
    """Metabase accounts are found by address, so it must be proven."""
    answer = finish_sign_in(gateway, start_sign_in(gateway), "exec", email_verified=verified)
    assert (answer.status, answer.cookie("__Host-mbgate")) == (400, None)
    assert gateway.world.of("origin") == []


def test_lesson_12_showing_sign_in_clears_the_session(gateway: Runtime) -> None:
    """CVE-2026-34454: on the way there, and at sign-in itself."""
    old = {"Cookie": f"__Host-mbgate={seal(gateway.deployment, 'session', session_of('exec', metabase='x', exp=1))}"}
    first = gateway.ask("GET", "/dashboard/1", {**PAGE, **old})
    assert first.headers["location"].startswith("/_gateway/sign-in?")
    second = gateway.ask("GET", first.headers["location"], PAGE)
    for answer in (first, second):
        assert answer.cookie("__Host-mbgate") == ""


BROKEN = ["", "x", "!!!!", "A" * 100, "AQ", "A" * 3801, "%41", "a b", '"quoted"', "é"]


@pytest.mark.parametrize("value", BROKEN)
def test_lesson_22_a_malformed_cookie_is_a_deny(gateway: Runtime, value: str) -> None:
    """CVE-2026-25748: with a reason of its own, never an anonymous pass."""
    headers = [("Cookie", f"__Host-mbgate={value}".encode().decode("latin-1"))]
    answer = gateway.ask("GET", DASHBOARD, headers)
    assert (answer.status, answer.json["reason"]) == (401, "session-cookie-malformed")
    assert answer.cookie("__Host-mbgate") == ""
    assert gateway.world.of("origin") == []


def test_lesson_22_a_doubled_cookie_is_a_deny(gateway: Runtime) -> None:
    """Cookie tossing: which of the two would count can't be told."""
    cookie = cookie_of(gateway, "analyst")["Cookie"]
    for doubled in (f"{cookie}; {cookie}", f"{cookie}; __Host-mbgate=x", f"__Host-mbgate=; {cookie}"):
        answer = gateway.ask("GET", DASHBOARD, {"Cookie": doubled})
        assert (answer.status, answer.json["reason"]) == (401, "session-cookie-duplicated")
    answer = gateway.ask("GET", DASHBOARD, [("Cookie", cookie), ("Cookie", cookie)])
    assert answer.status == 401


@pytest.mark.parametrize("purpose", ["transaction", "denied"])
def test_lesson_20_a_value_sealed_for_something_else_is_no_session(gateway: Runtime, purpose: str) -> None:
    """CVE-2026-71326, -71327: purposes, gateways and audiences are told apart, never by concatenation alone."""
    value = session_of("exec", metabase="x")
    for sealed in (
        seal(gateway.deployment, purpose, value),
        seal(
            Deployment(session_keys=gateway.deployment.session_keys, public_url="https://pr-1.example.com"),
            "session",
            value,
        ),
        seal(Deployment(session_keys=gateway.deployment.session_keys, mode="access"), "session", value),
        seal(gateway.deployment, "session", value, key=generate("aes256")),
    ):
        answer = gateway.ask("GET", DASHBOARD, {"Cookie": f"__Host-mbgate={sealed}"})
        assert (answer.status, answer.json["reason"]) == (401, "session-cookie-malformed")


def test_lesson_23_an_exception_is_a_deny(gateway: Runtime) -> None:
    """CVE-2024-47070: a session whose content breaks the code answers nothing, and its content is not logged."""
    broken = session_of("exec", metabase="x", claims=None)
    answer = gateway.ask("GET", DASHBOARD, {"Cookie": f"__Host-mbgate={seal(gateway.deployment, 'session', broken)}"})
    assert (answer.status, answer.json["reason"]) == (500, "internal-fault")
    assert gateway.world.of("origin") == []
    [event] = gateway.events(1)
    assert (event["effect"], event["reason"], event["status"]) == ("deny", "internal-fault", 500)
    [fault] = [one for one in gateway.logged() if one["type"] == "mbgate.fault"]
    assert set(fault) == {"type", "reason", "error", "request_id"}


def test_lesson_31_the_role_is_worked_out_on_each_request(gateway: Runtime) -> None:
    """CVE-2021-41230: the cookie's claims count, not the role that was noted beside them."""
    value = session_of("visitor", metabase="x", role="exec")
    answer = gateway.ask("GET", DASHBOARD, {"Cookie": f"__Host-mbgate={seal(gateway.deployment, 'session', value)}"})
    assert (answer.status, answer.json["reason"]) == (403, "role-not-mapped")


@pytest.mark.parametrize(
    "query", ["?post_logout_redirect_uri=https://evil.example", "?return_to=//evil.example", "?rd=/x"]
)
def test_lesson_33_signing_out_goes_to_the_provider_and_back_here(gateway: Runtime, query: str) -> None:
    """CVE-2022-23527, CVE-2024-24814: no parameter of the request chooses where."""
    cookie = cookie_of(gateway, "analyst")
    answer = gateway.ask("POST", f"/_gateway/sign-out{query}", {**cookie, "Origin": PUBLIC}, b"")
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"{ISSUER}/end?client_id=mb+gate&post_logout_redirect_uri=")
    assert "evil" not in answer.headers["location"]
    assert answer.cookie("__Host-mbgate") == ""


def test_lesson_33_crafted_cookies_cost_little(gateway: Runtime) -> None:
    """CVE-2023-28625: thousands of cookies, and a huge one, are refused at once."""
    many = "; ".join(f"__Host-mbgate{i}=x" for i in range(1500))
    started = time.monotonic()
    for cookie in (many, "__Host-mbgate=" + "A" * 30_000, ";" * 30_000):
        assert gateway.ask("GET", DASHBOARD, {"Cookie": cookie}).status == 401
    assert time.monotonic() - started < 2


def test_lesson_34_another_role_gets_another_metabase_session(gateway: Runtime) -> None:
    """CVE-2024-28197: what was opened for the former role is not used for the new one."""
    cookie = cookie_of(gateway, "engineer", role="analyst")
    answer = gateway.ask("GET", DASHBOARD, cookie)
    assert answer.status == 200
    last = gateway.world.of("origin")[-1]
    assert last.values("x-metabase-session") not in ([], ["session-of-engineer"])
    renewed = answer.cookie("__Host-mbgate")
    assert renewed
    assert open_cookie(gateway.deployment, renewed)["role"] == "engineer"


def test_lesson_35_signing_out_ends_the_session_in_this_browser(gateway: Runtime) -> None:
    """CVE-2024-21492: the cookie goes here, and the provider is asked to end its own."""
    signed_in = finish_sign_in(gateway, start_sign_in(gateway), "analyst")
    cookie = f"__Host-mbgate={signed_in.cookie('__Host-mbgate')}"
    answer = gateway.ask("POST", "/_gateway/sign-out", {"Cookie": cookie, "Origin": PUBLIC}, b"")
    assert answer.cookies == ["__Host-mbgate=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"]
    assert "id_token_hint=" in answer.headers["location"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}, 302),
    ],
)
def test_lesson_33_another_site_signs_nobody_out(gateway: Runtime, headers: dict[str, str], status: int) -> None:
    """A link or a form elsewhere must not end a session; the page with the button asks first."""
    answer = gateway.ask("POST", "/_gateway/sign-out", {**cookie_of(gateway, "analyst"), **headers}, b"")
    assert answer.status == status
    assert (answer.cookie("__Host-mbgate") == "") == (status == 302)
    assert gateway.ask("GET", "/_gateway/sign-out", cookie_of(gateway, "analyst")).cookies == []


@pytest.mark.parametrize("missing", ["SESSION_KEY_CURRENT", "ASSERTION_KEY_CURRENT", "BROKER", "ORIGIN"])
def test_lesson_19_a_missing_secret_fails_closed(deploy: Callable[[Deployment], Runtime], missing: str) -> None:
    """CVE-2026-54762: without its bindings the gateway answers nothing but refusals, and tells nobody why."""
    runtime = deploy(Deployment(without=(missing,)))
    answer = runtime.ask("GET", "/api/dashboard/1", cookie_of(runtime, "exec", metabase=None))
    assert answer.status in (401, 500, 503)
    assert missing.encode() not in answer.body
    assert [seen for seen in runtime.world.of("origin") if seen.target == "/api/dashboard/1"] == []


def test_lesson_19_a_missing_client_secret_signs_nobody_in(deploy: Callable[[Deployment], Runtime]) -> None:
    """The provider is not even asked."""
    runtime = deploy(Deployment(without=("OIDC_CLIENT_SECRET",)))
    answer = finish_sign_in(runtime, start_sign_in(runtime), "exec")
    assert (answer.status, answer.cookie("__Host-mbgate")) == (500, None)
    assert runtime.world.of("outside") == []


@pytest.mark.parametrize("key", ["", "c2hvcnQ", "undefined"])
def test_lesson_19_nor_does_a_key_of_the_wrong_size(deploy: Callable[[Deployment], Runtime], key: str) -> None:
    """A short key is a fault, not a weaker cookie."""
    runtime = deploy(Deployment(session_keys=(key, "")))
    answer = runtime.ask("GET", "/_gateway/sign-in")
    assert answer.status == 500
    assert answer.cookies == []
