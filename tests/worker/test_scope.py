"""What a role's people may see, as the origin is told; and what only opens under a condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from tests.worker.deployment import Deployment, policy_table
from tests.worker.fakes import World
from tests.worker.people import PAGE, bearer, cookie_of, finish_sign_in, open_cookie, start_sign_in
from tests.worker.runtime import Answer, Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"
ANALYST = policy_table()["roles"]["analyst"]
ROLES: dict[str, dict[str, Any]] = {
    "analyst": {
        "metabase": {**ANALYST["metabase"], "attributes": {"team": "department", "unit": "cost_center"}},
        "allow": [
            *ANALYST["allow"],
            {
                "id": "own-figures",
                "actions": ["dashboard:view"],
                "on": {"dashboard": ["4", "1"]},
                "locked": {"r": "region"},
            },
            {
                "id": "board",
                "actions": ["dashboard:view"],
                "on": {"dashboard": ["5"]},
                "requires_approval": {"by": ["exec"], "seconds": 3600},
            },
        ],
    },
    "engineer": {"metabase": None},
    "bot": {"metabase": {"group": "Bots", "collections": {}, "attributes": {"team": "team"}}},
}
CLAIMS = {"groups": ["bi-analysts"], "department": "sales", "cost_center": "4711"}


@pytest.fixture(scope="module")
def deployed_conditional(world: World) -> Iterator[Runtime]:
    runtime = Runtime(Deployment(roles=ROLES), world)
    runtime.warm()
    yield runtime
    runtime.close()


@pytest.fixture
def conditional(deployed_conditional: Runtime) -> Runtime:
    """Analysts have attributes, and rules with conditions."""
    deployed_conditional.world.reset()
    deployed_conditional.forget()
    return deployed_conditional


def scope_of(runtime: Runtime) -> Any:
    """What the last assertion says."""
    [assertion] = runtime.world.of("origin")[-1].values("mbgate-assertion")
    return jwt.decode(assertion, options={"verify_signature": False})["scope"]


def test_attributes_are_the_persons_own(conditional: Runtime) -> None:
    """And a changed claim is another assertion, also within the life of the former one."""
    for team in ("sales", "shop", "sales"):
        cookie = cookie_of(conditional, "analyst", claims={**CLAIMS, "department": team})
        assert conditional.ask("GET", DASHBOARD, cookie).status == 200
        assert scope_of(conditional) == {
            "group": "Analysts",
            "collections": {"Sales": "read"},
            "attributes": {"team": team, "unit": "4711"},
        }
    conditional.ask("GET", DASHBOARD, cookie_of(conditional, "engineer"))
    assert scope_of(conditional) is None


def test_a_machines_attributes_are_its_tokens(conditional: Runtime) -> None:
    """By the same rule."""
    assert conditional.ask("GET", DASHBOARD, {"Authorization": f"Bearer {bearer(team='ops')}"}).status == 200
    assert scope_of(conditional)["attributes"] == {"team": "ops"}
    refused = conditional.ask("GET", DASHBOARD, {"Authorization": f"Bearer {bearer()}"})
    assert (refused.status, refused.json["reason"]) == (403, "attribute-missing")


def test_the_session_keeps_the_claims_that_it_takes(conditional: Runtime) -> None:
    """Those of attributes and of locked parameters, and no other."""
    started = start_sign_in(conditional)
    done = finish_sign_in(conditional, started, "analyst", cost_center="4711", region="north", salary="1")
    cookie = done.cookie("__Host-mbgate") or ""
    assert open_cookie(conditional.deployment, cookie)["claims"] == {**CLAIMS, "region": "north"}
    assert conditional.ask("GET", DASHBOARD, {"Cookie": f"__Host-mbgate={cookie}"}).status == 200
    assert scope_of(conditional)["attributes"] == {"team": "sales", "unit": "4711"}


@pytest.mark.parametrize("value", [None, "", 4711, ["4711"], {"a": 1}, True], ids=str)
def test_without_the_claim_nothing_opens(conditional: Runtime, value: Any) -> None:
    """What is missing or no text limits nothing, so nobody passes with it; the page offers no way that is none."""
    own = cookie_of(conditional, "analyst", claims={**CLAIMS, "cost_center": value})
    answer = conditional.ask("GET", DASHBOARD, own)
    assert (answer.status, answer.json["reason"]) == (403, "attribute-missing")
    page = denied(conditional, "/dashboard/1", own)
    assert "Your account lacks something" in page
    assert 'href="/dashboard/' not in page
    assert conditional.world.of("origin") == []


def denied(runtime: Runtime, path: str, own: dict[str, str]) -> str:
    first: Answer = runtime.ask("GET", path, {**PAGE, **own})
    assert first.status == 302
    page = runtime.ask("GET", first.headers["location"], {**PAGE, **own})
    assert page.status == 403
    return page.body.decode()


@pytest.mark.parametrize(
    ("path", "reason", "rule", "title"),
    [
        ("/dashboard/4", "resource-locked", "own-figures", "Only with your own figures"),
        ("/dashboard/5", "approval-required", "board", "Somebody must agree first"),
    ],
)
def test_a_condition_is_named(conditional: Runtime, path: str, reason: str, rule: str, title: str) -> None:
    """With its rule; and what opens under a condition only is not offered as a way on."""
    own = cookie_of(conditional, "analyst", claims=CLAIMS)
    answer = conditional.ask("GET", f"/api{path}", own)
    assert (answer.status, answer.json["reason"], answer.json["rule"]) == (403, reason, rule)
    page = denied(conditional, path, own)
    assert title in page
    assert rule in page
    assert re.findall(r'href="(/dashboard/[^"]+)"', page) == ["/dashboard/1"]
    assert conditional.world.of("origin") == []


def test_a_page_offers_nothing_that_a_deny_rule_takes(deploy: Callable[[Deployment], Runtime]) -> None:
    """Neither one that it lists, nor one that a rule of another action takes with it; the landing page included."""
    listing = [{"id": "boards", "actions": ["dashboard:view"], "on": {"dashboard": [str(n) for n in range(1, 20)]}}]
    for denied_ids, expected in ((["2", "3"], [1, *range(4, 11)]), (["1"], range(2, 10)), ("*", []), (None, [])):
        on = {} if denied_ids is None else {"on": {"dashboard": denied_ids}}
        change = {
            "allow": [*(r for r in ANALYST["allow"] if "dashboard:view" not in r["actions"]), *listing],
            "deny": [{"id": "some", "actions": ["dashboard:view"], **on}],
        }
        runtime = deploy(Deployment(roles={"analyst": change}))
        page = denied(runtime, "/dashboard/77", cookie_of(runtime, "analyst"))
        assert re.findall(r'href="(/[^"]*)"', page) == [f"/dashboard/{number}" for number in expected]


def test_a_machine_is_offered_no_page_that_it_lacks(conditional: Runtime) -> None:
    """Its role has no landing page."""
    own = {"Authorization": f"Bearer {bearer(team='ops')}"}
    page = denied(conditional, "/dashboard/3", own)
    assert re.findall(r'href="(/[^"]*)"', page) == ["/dashboard/1", "/dashboard/2"]
