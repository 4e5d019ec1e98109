"""What a session knows: the claims that policies read when the person signed in, by the word of one issuer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.worker.deployment import Deployment, policy_table
from tests.worker.people import PAGE, access_token, finish_sign_in, open_cookie, seal, session_of, start_sign_in
from tests.worker.runtime import Answer, Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"
NAME = "__Host-mbgate"
ANALYST = policy_table()["roles"]["analyst"]
TRAINEES = {"issuer": "workforce", "claims": {"groups": "bi-trainees", "level": "two"}}
MATCH = {"match": [*ANALYST["match"], TRAINEES]}
LOCK = {"id": "own", "actions": ["dashboard:view"], "on": {"dashboard": ["4"]}, "locked": {"level": "level"}}
LOCKED = {"allow": [*ANALYST["allow"], LOCK]}
GIVEN = {"metabase": {**ANALYST["metabase"], "attributes": {"level": "level"}}}


def sign_in(runtime: Runtime) -> str:
    cookie = finish_sign_in(runtime, start_sign_in(runtime), "analyst", level="two").cookie(NAME)
    assert cookie
    return cookie


def ask(runtime: Runtime, cookie: str, path: str = DASHBOARD, **headers: str) -> Answer:
    return runtime.ask("GET", path, {"Cookie": f"{NAME}={cookie}", **headers})


def reason(answer: Answer) -> str:
    return str(answer.json["reason"])


@pytest.mark.parametrize("change", [MATCH, LOCKED, GIVEN], ids=["match", "locked", "attributes"])
def test_policies_that_read_another_claim_end_the_sessions_that_lack_it(
    deploy: Callable[[Deployment], Runtime], change: dict[str, Any]
) -> None:
    """Nobody knows whether the person had it: they sign in once more. Policies that read less ask nobody."""
    plain = deploy(Deployment())
    old = sign_in(plain)
    assert open_cookie(plain.deployment, old)["kept"] == plain.deployment.kept_claims()
    assert ask(plain, old).status == 200
    more = deploy(replace(plain.deployment, roles={"analyst": change}))
    assert (ask(more, old).status, reason(ask(more, old))) == (401, "session-expired")
    page = ask(more, old, "/dashboard/1", **PAGE)
    assert (page.status, page.cookie(NAME)) == (302, "")
    assert page.headers["location"].startswith("/_gateway/sign-in?")
    assert more.world.of("origin") == []
    renewed = sign_in(more)
    assert ask(more, renewed).status == 200
    less = deploy(plain.deployment)
    assert ask(less, renewed).status == 200
    assert ask(less, old).status == 200


@pytest.mark.parametrize("kept", [None, "groups", {}, [], ["groups"], {"length": 9}], ids=str)
def test_a_session_that_does_not_say_what_it_kept_is_over(gateway: Runtime, kept: Any) -> None:
    """As those of the versions before it was said."""
    cookie = seal(gateway.deployment, "session", session_of("analyst", metabase="x", kept=kept))
    assert reason(ask(gateway, cookie)) == "session-expired"


def test_behind_access_the_claims_are_the_tokens(deploy: Callable[[Deployment], Runtime]) -> None:
    """They are all there on each request; only Metabase is asked for a new session."""
    deployment = Deployment(mode="access", roles={"analyst": MATCH})
    runtime = deploy(deployment)
    value = session_of("analyst", metabase="x", sub="access-analyst", kept=["groups"])
    own = {"Cookie": f"{NAME}={seal(deployment, 'session', value)}", "Cf-Access-Jwt-Assertion": access_token()}
    answer = runtime.ask("GET", DASHBOARD, own)
    assert answer.status == 200
    assert open_cookie(deployment, answer.cookie(NAME) or "")["kept"] == deployment.kept_claims()


def test_another_provider_of_the_same_name_inherits_nobody(deploy: Callable[[Deployment], Runtime]) -> None:
    """The policies' name of it stays, and so do the client's id and the keys; whose subjects were meant does not."""
    before = deploy(Deployment())
    cookie = sign_in(before)
    assert ask(before, cookie).status == 200
    moved = deploy(replace(before.deployment, issuer="https://login.example.org"))
    answer = ask(moved, cookie)
    assert (answer.status, reason(answer), answer.cookie(NAME)) == (401, "session-cookie-malformed", "")
    assert moved.world.of("origin") == []
    # Nor does what a page told one person count as told to another of the same subject.
    told = {"reason": "rule-denied", "role": "analyst", "id": "r", "kind": "person", "issuer": "workforce"}
    why = seal(before.deployment, "denied", {**told, "sub": "sub-analyst", "exp": 4102444800})
    own = seal(moved.deployment, "session", session_of("analyst", metabase=None))
    assert b"rule-denied" not in ask(moved, own, f"/_gateway/denied?why={why}", **PAGE).body
    assert b"rule-denied" in ask(deploy(before.deployment), cookie, f"/_gateway/denied?why={why}", **PAGE).body
