"""Metabase's user attributes: the policies' values on the account, and no Metabase session opened with others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.worker.deployment import Deployment, policy_table
from tests.worker.fakes import World
from tests.worker.people import access_token, bearer, cookie_of, finish_sign_in, open_cookie, start_sign_in
from tests.worker.runtime import Answer, Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"
NAME = "__Host-mbgate"


def role(name: str, **attributes: str) -> dict[str, Any]:
    return {"metabase": {**policy_table()["roles"][name]["metabase"], "attributes": attributes}}


ROLES = {
    "analyst": role("analyst", team="department"),
    "engineer": role("engineer", team="department", site="place"),
    "bot": role("bot", team="team"),
}


@pytest.fixture(scope="module")
def both_modes(world: World) -> Iterator[dict[str, Runtime]]:
    found = {mode: Runtime(Deployment(mode=mode, roles=ROLES), world) for mode in ("oidc", "access")}
    for runtime in found.values():
        runtime.warm()
    yield found
    for runtime in found.values():
        runtime.close()


@pytest.fixture
def runtime(both_modes: dict[str, Runtime]) -> Runtime:
    """Analysts have one attribute, engineers two, others none."""
    return fresh(both_modes["oidc"])


@pytest.fixture
def behind(both_modes: dict[str, Runtime]) -> Runtime:
    """The same behind Access."""
    return fresh(both_modes["access"])


def fresh(runtime: Runtime) -> Runtime:
    runtime.world.reset()
    runtime.forget()
    return runtime


def sign_in(runtime: Runtime, name: str = "analyst", **claims: Any) -> str:
    """The cookie of a sign-in with these claims."""
    cookie = finish_sign_in(runtime, start_sign_in(runtime), name, **claims).cookie(NAME)
    assert cookie
    return cookie


def account(runtime: Runtime) -> dict[str, Any]:
    """The one account that there is."""
    [user] = runtime.world.metabase.users.values()
    return user


def ask(runtime: Runtime, cookie: str) -> Answer:
    return runtime.ask("GET", DASHBOARD, {"Cookie": f"{NAME}={cookie}"})


def used(runtime: Runtime) -> list[str]:
    """The Metabase sessions with which the dashboard was asked for, in order."""
    seen = [one for one in runtime.world.of("origin") if one.target == DASHBOARD]
    return [value for one in seen for value in one.values("x-metabase-session")]


def broker_calls(runtime: Runtime) -> list[str]:
    return [f"{one.method} {one.target}" for one in runtime.world.of("origin") if one.target.startswith("/api/user")]


def test_a_new_account_has_them_from_the_start(runtime: Runtime) -> None:
    """The session of the same role and attributes is used on; an attribute of another role is not there."""
    cookie = sign_in(runtime, department="sales")
    assert account(runtime)["login_attributes"] == {"team": "sales"}
    runtime.forget()
    for _ in range(2):
        assert ask(runtime, cookie).status == 200
    assert used(runtime) == [open_cookie(runtime.deployment, cookie)["metabase"]] * 2
    assert broker_calls(runtime) == []


def test_signing_in_with_another_claim_changes_the_account(runtime: Runtime) -> None:
    """And ends what was opened with the former one: it would show another team's rows."""
    first = sign_in(runtime, department="sales")
    second = sign_in(runtime, department="shop")
    assert account(runtime)["login_attributes"] == {"team": "shop"}
    sessions = [open_cookie(runtime.deployment, cookie)["metabase"] for cookie in (first, second)]
    assert set(runtime.world.metabase.sessions) == {sessions[1]}
    assert ask(runtime, second).status == 200
    # The former sign-in goes on with its own claims, under a session of its own.
    again = ask(runtime, first)
    assert (again.status, account(runtime)["login_attributes"]) == (200, {"team": "sales"})
    assert sessions[1] not in runtime.world.metabase.sessions
    assert open_cookie(runtime.deployment, again.cookie(NAME) or "")["attributes"] == {"team": "sales"}


def test_what_an_administrator_set_stays(runtime: Runtime) -> None:
    """Only the names that the policies set are theirs; of those, what a former role gave goes."""
    user = runtime.world.metabase.add("analyst@acme.test", groups=(1, 5))
    user["login_attributes"] = {"region": "north", "team": 7, "site": "b2", "constructor": "x"}
    sign_in(runtime, department="sales")
    assert user["login_attributes"] == {"region": "north", "team": "sales", "constructor": "x"}
    runtime.forget()
    sign_in(runtime, department="sales")
    assert [one for one in broker_calls(runtime) if one.startswith("PUT")] == []


def test_another_role_takes_its_attributes_and_leaves_none(runtime: Runtime) -> None:
    """From two of them to one, then to a role that has none."""
    for groups, more, expected in (
        ("bi-engineers", {"place": "b2"}, {"team": "sales", "site": "b2"}),
        ("bi-analysts", {"place": "b2"}, {"team": "sales"}),
        ("bi-execs", {}, {}),
    ):
        sign_in(runtime, "ann", groups=[groups], department="sales", **more)
        assert account(runtime)["login_attributes"] == expected


def test_without_the_claim_nobody_asks_metabase(runtime: Runtime) -> None:
    """Signing in works, and the page that follows says what is missing."""
    cookie = sign_in(runtime, "engineer", place=None)
    assert runtime.world.of("origin") == []
    assert ask(runtime, cookie).json["reason"] == "attribute-missing"


def test_where_policies_set_none_the_account_keeps_its_own(gateway: Runtime) -> None:
    """Not even an empty list is sent."""
    user = gateway.world.metabase.add("analyst@acme.test", groups=(1, 7))
    user["login_attributes"] = {"team": "by hand"}
    sign_in(gateway)
    assert user["login_attributes"] == {"team": "by hand"}
    sign_in(gateway, "exec")
    bodies = [one.body for one in gateway.world.of("origin") if one.target.startswith("/api/user")]
    assert b"login_attributes" not in b"".join(bodies)


def test_behind_access_the_claims_of_the_token_count(behind: Runtime) -> None:
    """They change while the cookie lives: its Metabase session is not used any more."""

    def via(team: str, cookie: str | None = None) -> Answer:
        own = {"Cookie": f"{NAME}={cookie}"} if cookie else {}
        custom = {"groups": ["bi-analysts"], "department": team}
        return behind.ask("GET", DASHBOARD, {"Cf-Access-Jwt-Assertion": access_token(custom=custom), **own})

    first = via("sales").cookie(NAME)
    assert first
    old = open_cookie(behind.deployment, first)["metabase"]
    same = via("sales", first)
    assert (same.status, same.cookies, used(behind)) == (200, [], [old, old])
    behind.forget()
    changed = via("shop", first)
    assert (changed.status, account(behind)["login_attributes"]) == (200, {"team": "shop"})
    assert old not in used(behind)
    renewed = open_cookie(behind.deployment, changed.cookie(NAME) or "")
    assert (renewed["attributes"], renewed["claims"]["department"]) == ({"team": "shop"}, "shop")
    assert renewed["metabase"] == used(behind)[-1]


@pytest.mark.parametrize(
    "attributes", [None, {}, "sales", {"team": "shop"}, {"team": ["sales"]}, {"team": "sales", "x": "y"}]
)
def test_a_cookie_with_other_attributes_holds_nothing(runtime: Runtime, attributes: Any) -> None:
    """As with another role."""
    own = cookie_of(runtime, "analyst", attributes=attributes)
    assert runtime.ask("GET", DASHBOARD, own).status == 200
    assert "session-of-analyst" not in used(runtime)


def test_a_machines_session_is_for_its_tokens_attributes(runtime: Runtime) -> None:
    """Two tokens of one machine, in turn: never the session of the other."""
    teams: dict[str, set[str]] = {"a": set(), "b": set()}
    for team in ("a", "b", "a", "b", "b"):
        runtime.forget()
        answer = runtime.ask("GET", DASHBOARD, {"Authorization": f"Bearer {bearer(team=team)}"})
        assert (answer.status, account(runtime)["login_attributes"]) == (200, {"team": team})
        teams[team].add(used(runtime)[-1])
    assert not teams["a"] & teams["b"]


def test_many_requests_at_once_after_a_change_all_pass(runtime: Runtime) -> None:
    """Each finds the former attributes and ends the sessions of the others; whoever is ended asks once more."""
    runtime.world.metabase.add("analyst@acme.test", groups=(1, 5))["login_attributes"] = {"team": "shop"}
    own = cookie_of(runtime, "analyst", attributes={"team": "shop"})
    runtime.world.metabase.delay = 0.05
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(runtime.ask("GET", DASHBOARD, own).status)) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 10
    assert account(runtime)["login_attributes"] == {"team": "sales"}
