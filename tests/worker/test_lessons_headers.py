"""Lessons 14 to 18, 32 and 36: which headers reach the origin, and what never leaves. Named after the holes."""

from __future__ import annotations

import jwt
import pytest

from tests.worker.deployment import PUBLIC
from tests.worker.people import PAGE, cookie_of, finish_sign_in, open_cookie, start_sign_in
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"
FORGED = [
    "X-Metabase-Session",
    "X_Metabase_Session",
    "x.metabase.session",
    "X-Api-Key",
    "X_API_KEY",
    "Mbgate-Assertion",
    "MBGATE_ASSERTION",
    "Mbgate-Request-Id",
    "Cf-Access-Jwt-Assertion",
    "Cf-Access-Authenticated-User-Email",
    "CF_Access_Client_Secret",
    "X-Forwarded-Email",
    "X_Forwarded_Email",
    "X-Forwarded-User",
    "X-Forwarded-Groups",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-For",
    "Forwarded",
    "X-Real-Ip",
    "True-Client-Ip",
    "Remote-User",
    "Remote_Email",
    "Remote-Groups",
    "X-Remote-User",
    "X-User",
    "X-User-Id",
    "X-Email",
    "X-Acme-User",
    "X_Acme_Email",
    "X-Auth-Request-Groups",
    "X-Webauth-User",
    "X-Authenticated-Userid",
    "X-Amzn-Oidc-Data",
    "X-CSRF-Token",
    "Via",
]


@pytest.mark.parametrize("name", FORGED)
def test_lessons_14_15_17_forged_identity_headers_never_arrive(gateway: Runtime, name: str) -> None:
    """CVE-2025-64484, CVE-2026-33433, -39858, -54763, -88011, -35051, -33495: any spelling, whatever else is sent."""
    answer = gateway.ask("GET", DASHBOARD, {**cookie_of(gateway, "analyst"), name: "forged"})
    assert answer.status == 200
    [seen] = gateway.world.of("origin")
    assert "forged" not in [value for _, value in seen.headers]


def test_lessons_14_15_17_ours_arrive_exactly_once(gateway: Runtime) -> None:
    """The whole identity set is rebuilt, and nothing of the client's cookies and tokens goes with it."""
    headers = [
        *cookie_of(gateway, "analyst").items(),
        ("X-Metabase-Session", "a"),
        ("x-metabase-session", "b"),
        ("Mbgate-Assertion", "c"),
        ("CF-Connecting-IP", "192.0.2.7"),
        ("X-Forwarded-For", "203.0.113.1, 10.0.0.1"),
    ]
    gateway.ask("GET", DASHBOARD, headers)
    [seen] = gateway.world.of("origin")
    assert seen.values("x-metabase-session") == ["session-of-analyst"]
    assert seen.values("x-forwarded-for") == ["192.0.2.7"]
    assert seen.values("x-forwarded-host") == ["bi.example.com"]
    assert seen.values("x-forwarded-proto") == ["https"]
    assert seen.values("cookie") == seen.values("authorization") == []
    [assertion] = seen.values("mbgate-assertion")
    keys = jwt.PyJWKSet.from_dict(gateway.ask("GET", "/_gateway/jwks.json").json)
    key = keys[jwt.get_unverified_header(assertion)["kid"]]
    claims = jwt.decode(assertion, key.key, ["ES256"], audience="metabase", issuer=PUBLIC)
    told = {name: claims[name] for name in ("sub", "email", "role", "team", "rid")}
    [request_id] = seen.values("mbgate-request-id")
    assert told == {
        "sub": "sub-analyst",
        "email": "analyst@acme.test",
        "role": "analyst",
        "team": "sales",
        "rid": told["rid"],
    }
    assert request_id
    assert claims["scope"] == {"group": "Analysts", "collections": {"Sales": "read"}, "attributes": {}}
    assert 0 < claims["exp"] - claims["iat"] <= 60


def test_lesson_16_connection_deletes_no_header_of_ours(gateway: Runtime) -> None:
    """CVE-2024-45410, CVE-2026-29054, GHSA-w9mr-28mw-j8hg: ours are set last; what it names of the client's goes."""
    named = "close, X-Metabase-Session, mbgate-assertion, X-Custom"
    headers = {
        **cookie_of(gateway, "analyst"),
        "Connection": named,
        "X-Custom": "1",
        "TE": "trailers",
        "Upgrade": "h2c",
    }
    assert gateway.ask("GET", DASHBOARD, headers).status == 200
    [seen] = gateway.world.of("origin")
    assert len(seen.values("x-metabase-session")) == len(seen.values("mbgate-assertion")) == 1
    assert seen.values("x-custom") == seen.values("te") == seen.values("upgrade") == []


def test_lessons_18_32_no_page_and_no_answer_holds_a_credential(gateway: Runtime) -> None:
    """CVE-2026-41181, CVE-2024-39315, -47616: not on the denied page, not in whoami, not in a redirect."""
    answer = finish_sign_in(gateway, start_sign_in(gateway), "analyst")
    cookie = answer.cookie("__Host-mbgate")
    assert cookie
    session = open_cookie(gateway.deployment, cookie)
    secrets = [session["metabase"], session["hint"], "secret-access-token", cookie]
    own = {**PAGE, "Cookie": f"__Host-mbgate={cookie}"}
    denied = gateway.ask("GET", "/dashboard/3", own)
    pages = [
        gateway.ask("GET", denied.headers["location"], own),
        gateway.ask("GET", "/_gateway/whoami", own),
        gateway.ask("GET", "/_gateway/sign-out", own),
        gateway.ask("GET", DASHBOARD, own),
        answer,
    ]
    for page in pages:
        assert not [secret for secret in secrets if secret.encode() in page.body]
    assert session["metabase"] not in denied.headers["location"]


def test_lesson_36_the_assertion_tells_the_origin_who_came_through(gateway: Runtime) -> None:
    """CVE-2025-49825: what reaches the origin around the gateway lacks a proof that a sidecar there can demand."""
    for role in ("analyst", "exec"):
        gateway.ask("GET", DASHBOARD, cookie_of(gateway, role))
    first, second = gateway.world.of("origin")
    assert first.values("mbgate-assertion") != second.values("mbgate-assertion")
    keys = gateway.ask("GET", "/_gateway/jwks.json").json["keys"]
    assert len(keys) == 2
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in keys)
