"""Machines at Access: service tokens, their policies, and headers that a client may not forge."""

from __future__ import annotations

import pytest

from tests.edge.browser import Browser
from tests.edge.shielded import GOOD, address, claims_of, sign_in
from tests.edge.world import World


def test_forged_access_headers_are_replaced(access: World) -> None:
    forged = {"Cf-Access-Jwt-Assertion": "forged", "Cf-Access-Authenticated-User-Email": "boss@acme.test"}
    answer = access.get("/", host="app.localhost", headers={**GOOD, **forged})
    headers = dict(answer.json()["headers"])
    assert "cf-access-authenticated-user-email" not in headers
    claims_of(access, headers["cf-access-jwt-assertion"], "app")
    assert not [name for name in headers if name.startswith("cf-access-client")]


def test_a_service_token_passes_with_its_own_jwt(access: World) -> None:
    answer = access.get("/", host="app.localhost", headers=GOOD)
    assert answer.status_code == 200
    claims = claims_of(access, dict(answer.json()["headers"])["cf-access-jwt-assertion"], "app")
    assert (claims["common_name"], claims["sub"], claims["type"]) == ("bot.access", "", "app")
    assert "email" not in claims


@pytest.mark.parametrize(
    ("host", "name", "secret", "status"),
    [
        ("app", "bot", "s", 200),
        ("app", "bot", "o", 200),
        ("app", "bot", "x", 401),
        ("app", "nobody", "s", 401),
        ("app", "expired", "s", 401),
        ("app", "off", "s", 401),
        ("app", "other", "s", 403),
        ("app", "other", "o", 401),
        ("bots", "other", "s", 200),
        ("domain", "bot", "s", 403),
    ],
)
def test_service_tokens(access: World, host: str, name: str, secret: str, status: int) -> None:
    headers = {"CF-Access-Client-Id": f"{name}.access", "CF-Access-Client-Secret": secret * 64}
    assert access.get("/", host=f"{host}.localhost", headers=headers).status_code == status


@pytest.mark.parametrize(
    "more",
    [
        ("CF-Access-Client-Id: bot.access",),
        (f"CF-Access-Client-Secret: {'s' * 64}",),
        ("CF-Access-Client-Id: bot.access", "cf-access-client-id: bot.access", f"CF-Access-Client-Secret: {'s' * 64}"),
        (
            "CF-Access-Client-Id: bot.access",
            f"CF-Access-Client-Secret: {'s' * 64}",
            f"CF-Access-Client-Secret: {'s' * 64}",
        ),
    ],
)
def test_half_or_repeated_service_token_headers_are_refused(access: World, more: tuple[str, ...]) -> None:
    assert access.raw("/", *more, host="app.localhost")[0] == 401


def test_a_persons_cookie_does_not_help_a_bad_service_token(access: World) -> None:
    browser = Browser()
    sign_in(access, browser, address(access, "app"))
    bad = {**GOOD, "CF-Access-Client-Secret": "x" * 64}
    assert browser.request("GET", address(access, "app"), headers=bad).status_code == 401
