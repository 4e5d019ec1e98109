"""Lessons 21, 26 to 30, 32 and 37: tokens. Each test is named after the hole that taught it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.worker.deployment import ISSUER, PUBLIC, Deployment, signer
from tests.worker.people import bearer, cookie_of, finish_sign_in, open_cookie, start_sign_in
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"


def test_lesson_21_a_verified_token_is_remembered_for_its_own_policy_only(
    deploy: Callable[[Deployment], Runtime],
) -> None:
    """CVE-2026-33496, -33729, -48096, -34972: a gateway with another audience takes nothing from what was verified."""
    token = {"Authorization": f"Bearer {bearer()}"}
    first, second = deploy(Deployment()), deploy(Deployment(bearer_audience="https://other.example.com"))
    assert [first.ask("GET", DASHBOARD, token).status for _ in range(2)] == [200, 200]
    refused = second.ask("GET", DASHBOARD, token)
    assert (refused.status, refused.json["reason"]) == (401, "token-audience-foreign")


def test_lesson_26_the_algorithm_is_the_keys_and_not_the_headers(gateway: Runtime) -> None:
    """CVE-2026-22817, -22818: none, an HMAC under the public key, another algorithm of the same key."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": PUBLIC, "sub": "bot", "groups": ["bot-engineers"], "exp": now + 300}
    public = signer("idp").key.public_key()
    tokens = [
        jwt.encode(claims, None, "none", headers={"kid": "idp"}),
        jwt.encode(claims, signer("idp").key, "RS512", headers={"kid": "idp"}),
        jwt.encode(claims, signer("idp").key, "PS256", headers={"kid": "idp"}),
        jwt.encode(claims, "k" * 32, "HS256", headers={"kid": "idp"}),
        jwt.encode(claims, str(public.public_numbers().n), "HS256", headers={"kid": "idp"}),
        signer("other").sign(claims, kid="idp"),
        signer("other").sign(claims, kid="idp", jwk=signer("other").public),
        signer("other").sign(claims, kid="other", jku="https://evil.example/jwks"),
        signer("idp").sign(claims, crit=["x"], x=1),
    ]
    for token in tokens:
        assert gateway.ask("GET", DASHBOARD, {"Authorization": f"Bearer {token}"}).status == 401
    assert gateway.world.of("origin") == gateway.world.of("outside") == []


@pytest.mark.parametrize("audience", [None, "", "mb gate"])
def test_lesson_27_without_an_audience_of_its_own_no_bearer_passes(
    deploy: Callable[[Deployment], Runtime], audience: str | None
) -> None:
    """CVE-2025-62610, CVE-2023-22482, CVE-2026-55689: an empty one is no wildcard, the client's is for ID tokens."""
    runtime = deploy(Deployment(bearer_audience=audience))
    for aud in ([], "", None, "mb gate", PUBLIC):
        token = bearer(aud=aud)
        answer = runtime.ask("GET", DASHBOARD, {"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.json["reason"]) == (401, "bearer-not-accepted")


@pytest.mark.parametrize("aud", [None, "", [], ["other"], "https://bi.example.com/", {"a": 1}])
def test_lessons_27_30_a_token_without_our_audience_is_refused(gateway: Runtime, aud: Any) -> None:
    """CVE-2020-26160, CVE-2024-51744: missing, empty, an array without us."""
    now = int(time.time())
    claims: dict[str, Any] = {"iss": ISSUER, "sub": "bot", "groups": ["bot-engineers"], "exp": now + 300}
    claims |= {} if aud is None else {"aud": aud}
    token = jwt.api_jws.encode(json.dumps(claims).encode(), signer("idp").key, "RS256", {"kid": "idp"})
    assert gateway.ask("GET", DASHBOARD, {"Authorization": f"Bearer {token}"}).status == 401


def test_lesson_29_pkce_is_always_sent_and_bound(gateway: Runtime) -> None:
    """CVE-2025-4143, -4144: S256; verifier, state and nonce are fresh each time, and the verifier stays here."""
    first, second = start_sign_in(gateway), start_sign_in(gateway)
    for name in ("state", "nonce", "code_challenge"):
        assert len(first.query[name]) >= 32
        assert first.query[name] != second.query[name]
    assert first.query["code_challenge_method"] == "S256"
    verifier = open_cookie(gateway.deployment, first.cookie, "transaction")["verifier"]
    assert verifier not in str(first.query)
    finish_sign_in(gateway, first, "analyst")
    [exchange] = gateway.world.of("outside")
    assert f"code_verifier={verifier}" in exchange.body.decode()


@pytest.mark.parametrize("token", ["." * 5000, "a" * 9000 + ".b.c", "a.b", "a.b.c.d.e", "..", "e30.e30.", "é.b.c"])
def test_lesson_30_size_and_dots_of_a_token_are_capped(gateway: Runtime, token: str) -> None:
    """CVE-2025-30204, -27144: before anything is decoded."""
    value = f"Bearer {token}".encode().decode("latin-1")
    answer = gateway.ask("GET", DASHBOARD, {"Authorization": value})
    assert (answer.status, answer.json["reason"]) == (401, "token-malformed")


def test_lesson_32_a_service_token_is_bound_to_its_audience(behind_access: Runtime) -> None:
    """CVE-2024-47616: one of another application of the same team opens nothing."""
    now = int(time.time())
    claims = {"iss": "https://acme.cloudflareaccess.com", "type": "app", "sub": "", "common_name": "bot.access"}
    times = {"iat": now, "exp": now + 60}
    for aud, status in ((["aud-tag"], 200), (["origin-tag"], 401)):
        token = signer("access").sign({**claims, **times, "aud": aud})
        assert behind_access.ask("GET", DASHBOARD, {"Cf-Access-Jwt-Assertion": token}).status == status


def test_lesson_37_an_unknown_key_id_costs_no_fetch(gateway: Runtime) -> None:
    """go-oidc#482, mod_auth_openidc 2026-08: made-up key ids ask nobody for anything."""
    for number in range(10):
        token = bearer(by=signer("other"), header={"kid": f"made-up-{number}"})
        answer = gateway.ask("GET", DASHBOARD, {"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.json["reason"]) == (401, "token-key-unknown")
    assert gateway.world.of("outside") == gateway.world.of("origin") == []


@pytest.mark.parametrize(
    "value",
    ["Basic {0}", "DPoP {0}", "Token {0}", "Bearer", "Bearer  {0}", "Bearer {0} x", "Bearer{0}", "Bearer\t{0}", "{0}"],
)
def test_lesson_28_only_bearer_is_a_scheme(gateway: Runtime, value: str) -> None:
    """CVE-2026-47673: any other form is a wrong credential, not a missing one: the cookie beside it does not help."""
    headers = {**cookie_of(gateway, "engineer"), "Authorization": value.format(bearer())}
    answer = gateway.ask("GET", "/api/dashboard/1", headers)
    assert (answer.status, answer.json["reason"]) == (401, "bearer-malformed")
    assert gateway.world.of("origin") == []


def test_machines_make_one_sub_request_too(gateway: Runtime) -> None:
    """Their Metabase session is opened once an isolate and role."""
    headers = {"Authorization": f"Bearer {bearer(sub='bot-one')}"}
    assert gateway.ask("GET", DASHBOARD, headers).status == 200
    made = len(gateway.world.of("origin"))
    assert made > 1
    for _ in range(3):
        answer = gateway.ask("GET", DASHBOARD, headers)
        assert (answer.status, answer.cookies) == (200, [])
    assert len(gateway.world.of("origin")) == made + 3
    [user] = gateway.world.metabase.users.values()
    assert user["email"].endswith("@machines.mbgate.invalid")
