"""Mode `access`: Cloudflare Access says who asks, and the Worker verifies every word of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.worker.deployment import PUBLIC, TEAM, signer
from tests.worker.people import PAGE, access_token, open_cookie, seal, session_of
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"
NAME = "__Host-mbgate"


def via(token: str, **headers: str) -> dict[str, str]:
    return {"Cf-Access-Jwt-Assertion": token, **headers}


def test_the_first_request_opens_metabase_and_the_next_makes_one_sub_request(behind_access: Runtime) -> None:
    """The broker runs once; then the cookie holds the Metabase session."""
    first = behind_access.ask("GET", DASHBOARD, via(access_token()))
    assert first.status == 200
    cookie = first.cookie(NAME)
    assert cookie
    session = open_cookie(behind_access.deployment, cookie)
    assert (session["sub"], session["email"], session["role"]) == ("access-analyst", "analyst@acme.test", "analyst")
    behind_access.forget()
    second = behind_access.ask("GET", DASHBOARD, via(access_token(), Cookie=f"{NAME}={cookie}"))
    assert (second.status, second.cookies) == (200, [])
    [seen] = behind_access.world.of("origin")
    assert seen.values("cf-access-jwt-assertion") == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"aud": ["other"]}, "token-audience-foreign"),
        ({"aud": []}, "token-audience-foreign"),
        ({"iss": "https://evil.cloudflareaccess.com"}, "token-issuer-foreign"),
        ({"type": "org"}, "token-type-foreign"),
        ({"type": None}, "token-type-foreign"),
        ({"exp": 1}, "token-expired"),
        ({"nbf": 4102444800}, "token-not-yet-valid"),
        ({"email": "a@b@c.d"}, "token-claims-invalid"),
        ({"email": None}, "token-claims-invalid"),
        ({"sub": ""}, "token-claims-invalid"),
    ],
    ids=str,
)
def test_every_claim_is_checked(behind_access: Runtime, change: dict[str, Any], reason: str) -> None:
    """Audience, issuer, kind, times, and who it is."""
    answer = behind_access.ask("GET", DASHBOARD, via(access_token(**change)))
    assert (answer.status, answer.json["reason"]) == (401, reason)
    assert behind_access.world.of("origin") == []


def test_without_a_token_there_is_no_identity(behind_access: Runtime) -> None:
    """Neither the cookie of Access, nor our own, nor a bearer token, nor the e-mail header stands in for it."""
    own = seal(behind_access.deployment, "session", session_of("exec", metabase="x"))
    for headers in (
        {},
        {"Cookie": f"CF_Authorization={access_token('exec')}"},
        {"Cookie": f"{NAME}={own}"},
        {"Authorization": f"Bearer {access_token('exec')}"},
        {"Cf-Access-Authenticated-User-Email": "exec@acme.test"},
    ):
        answer = behind_access.ask("GET", DASHBOARD, headers)
        assert (answer.status, answer.json["reason"]) == (401, "access-token-missing")
    page = behind_access.ask("GET", "/dashboard/1", PAGE)
    assert page.status == 401
    assert "Sign in first" in page.body.decode()
    assert behind_access.world.of("origin") == []


def test_two_tokens_are_none(behind_access: Runtime) -> None:
    """Which one Access meant can't be told."""
    token = access_token("exec")
    answer = behind_access.ask("GET", DASHBOARD, [("Cf-Access-Jwt-Assertion", token)] * 2)
    assert answer.status == 401


def test_a_cookie_of_somebody_else_holds_nothing(behind_access: Runtime) -> None:
    """The Metabase session of another person is not used, and is replaced."""
    behind_access.world.metabase.sessions["of-exec"] = behind_access.world.metabase.add("exec@acme.test")["id"]
    for change in ({}, {"email": "analyst@acme.test"}, {"sub": "access-analyst"}):
        stolen = session_of("exec", metabase="of-exec", role="analyst", **change)
        cookie = f"{NAME}={seal(behind_access.deployment, 'session', stolen)}"
        answer = behind_access.ask("GET", DASHBOARD, via(access_token(), Cookie=cookie))
        assert answer.status == 200
        assert behind_access.world.of("origin")[-1].values("x-metabase-session") != ["of-exec"]
        assert answer.cookie(NAME)


def test_a_doubled_cookie_is_a_deny_here_too(behind_access: Runtime) -> None:
    """Somebody may have planted one of the two."""
    own = f"{NAME}={seal(behind_access.deployment, 'session', session_of('analyst', metabase='x'))}"
    answer = behind_access.ask("GET", DASHBOARD, via(access_token(), Cookie=f"{own}; {own}"))
    assert (answer.status, answer.json["reason"]) == (401, "session-cookie-duplicated")


def test_groups_come_from_the_token_of_this_request(behind_access: Runtime) -> None:
    """A role that was lost is lost at once; what the cookie says of groups does not count."""
    value = session_of("exec", metabase="x", sub="access-visitor", email="visitor@acme.test")
    cookie = f"{NAME}={seal(behind_access.deployment, 'session', value)}"
    answer = behind_access.ask("GET", DASHBOARD, via(access_token("visitor"), Cookie=cookie))
    assert (answer.status, answer.json["reason"]) == (403, "role-not-mapped")


def test_a_service_token_is_a_machine_with_a_role_of_its_own(behind_access: Runtime) -> None:
    """It has neither cookie nor e-mail."""
    now = int(time.time())
    claims = {"iss": TEAM, "aud": ["aud-tag"], "type": "app", "sub": "", "iat": now, "exp": now + 60}
    answer = behind_access.ask("GET", DASHBOARD, via(signer("access").sign({**claims, "common_name": "bot.access"})))
    assert (answer.status, answer.cookies) == (200, [])
    [event] = behind_access.events(1)
    assert (event["principal"], event["principal_kind"], event["role"]) == ("bot.access", "machine", "bot")
    other = behind_access.ask("GET", DASHBOARD, via(signer("access").sign({**claims, "common_name": "other.access"})))
    assert (other.status, other.json["reason"]) == (403, "role-not-mapped")


@pytest.mark.parametrize(
    "change", [{"common_name": "bot.access"}, {"custom": {"common_name": "bot.access"}}, {"custom": None}], ids=str
)
def test_a_person_is_never_taken_for_a_machine(behind_access: Runtime, change: dict[str, Any]) -> None:
    """Not by a name that an identity provider or a client certificate says of them."""
    answer = behind_access.ask("GET", DASHBOARD, via(access_token("visitor", **change)))
    assert (answer.status, answer.json["reason"]) == (403, "role-not-mapped")


def test_signing_in_is_accesss_and_signing_out_leads_there(behind_access: Runtime) -> None:
    """No endpoint of the other mode answers."""
    for name in ("sign-in", "callback"):
        assert behind_access.ask("GET", f"/_gateway/{name}").status == 404
    answer = behind_access.ask("POST", "/_gateway/sign-out", via(access_token(), Origin=PUBLIC), b"")
    assert (answer.status, answer.headers["location"]) == (302, "/cdn-cgi/access/logout")
    assert answer.cookie(NAME) == ""


def test_another_site_changes_nothing(behind_access: Runtime) -> None:
    """Access's cookie goes with cross-site requests where it is set so; the Worker refuses them all the same."""
    headers = via(access_token("engineer"), **{"Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"})
    body = '{"database":1,"type":"native","native":{"query":"drop table x"}}'
    assert behind_access.ask("POST", "/api/dataset", headers, body).json["reason"] == "origin-foreign"
    assert behind_access.world.of("origin") == []
