"""Lessons 13 and 24: nobody is sent elsewhere. Each test is named after the hole that taught it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.worker.deployment import HOST, PUBLIC
from tests.worker.messages import Reply
from tests.worker.people import cookie_of, finish_sign_in, start_sign_in
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

EVIL_RETURNS = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%09/evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "/_gateway/sign-out",
    "/_gateway",
    "/x/../_gateway/sign-in",
    "/;evil",
    "@evil.example",
    "/" + "a" * 3000,
]


@pytest.mark.parametrize("target", EVIL_RETURNS)
def test_lesson_13_signing_in_returns_to_a_path_of_ours(gateway: Runtime, target: str) -> None:
    """CVE-2021-21291, GHSA-j7px-6hwj-hpjg, GHSA-5m6c-jp6f-2vcv, GHSA-qqxw-m5fj-f7gv: all else is the start page."""
    started = start_sign_in(gateway, target)
    answer = finish_sign_in(gateway, started, "analyst")
    assert (answer.status, answer.headers["location"]) == (302, "/")


def test_lesson_13_a_good_path_is_kept(gateway: Runtime) -> None:
    """The way back to the page that somebody wanted, with its query."""
    answer = finish_sign_in(gateway, start_sign_in(gateway, "/dashboard/1-x?tab=2&a=%2F"), "analyst")
    assert answer.headers["location"] == "/dashboard/1-x?tab=2&a=%2F"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/dashboard/1?a=1", "/dashboard/1?a=1"),
        ("http://metabase.internal:3000/dashboard/1", "/dashboard/1"),
        (f"https://{HOST}/dashboard/1", "/dashboard/1"),
        ("https://evil.example/", "/"),
        ("//evil.example/x", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http://metabase.internal:3000//evil.example", "/evil.example"),
    ],
)
def test_lesson_13_nor_does_the_origin_redirect_elsewhere(gateway: Runtime, location: str, expected: str) -> None:
    """The origin's redirects stay on this host and are never followed by the Worker."""
    gateway.world.metabase.answers["/api/dashboard/1"] = Reply(302, b"", {"location": location})
    answer = gateway.ask("GET", "/api/dashboard/1", cookie_of(gateway, "analyst"))
    assert (answer.status, answer.headers["location"]) == (302, expected)
    assert len(gateway.world.of("origin")) == 1


def test_lesson_24_the_redirect_uri_is_one_exact_string(gateway: Runtime) -> None:
    """CVE-2024-52289: it comes from the configuration and never from the request."""
    started = start_sign_in(gateway, "/" + quote("redirect_uri=https://evil.example", safe=""))
    assert started.query["redirect_uri"] == f"{PUBLIC}/_gateway/callback"
