"""The broker: accounts just in time, groups by role, passwords that nobody knows, and people it does not touch."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace

import jwt
import pytest

from infra.metabase.secrets import generate
from tests.worker.deployment import PUBLIC, Deployment
from tests.worker.fake_metabase import API_KEY
from tests.worker.messages import Reply
from tests.worker.people import PAGE, bearer, cookie_of, seal, session_of
from tests.worker.runtime import Answer, Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"


def first_request(runtime: Runtime, role: str = "analyst", target: str = DASHBOARD, **headers: str) -> Answer:
    """A request of a person who has a session but none of Metabase yet."""
    value = seal(runtime.deployment, "session", session_of(role, metabase=None))
    return runtime.ask("GET", target, {"Cookie": f"__Host-mbgate={value}", **headers})


def calls(runtime: Runtime) -> list[str]:
    return [f"{seen.method} {seen.target}" for seen in runtime.world.of("origin") if seen.target != DASHBOARD]


def test_a_new_person_gets_an_account_groups_and_a_session(gateway: Runtime) -> None:
    """The admin key goes with the broker's calls, and not with signing in."""
    assert first_request(gateway).status == 200
    assert calls(gateway) == [
        "GET /api/user?query=analyst%40acme.test&status=all",
        "POST /api/user",
        "PUT /api/user/10/password",
        "POST /api/session",
    ]
    for seen in gateway.world.of("origin"):
        is_admin_call = seen.target.startswith("/api/user")
        assert seen.values("x-api-key") == ([API_KEY] if is_admin_call else [])
    assert gateway.world.metabase.users[10]["user_group_memberships"] == [{"id": 1}, {"id": 5}]
    assert len(gateway.world.metabase.passwords[10]) >= 43


def test_each_call_proves_that_the_broker_made_it(gateway: Runtime) -> None:
    """Under the gateway's key, for Metabase alone, for a minute at most; nobody's e-mail or role is in it."""
    first_request(gateway)
    key = jwt.PyJWK(json.loads(gateway.deployment.assertion_keys[0]), "ES256").key.public_key()
    made = [seen for seen in gateway.world.of("origin") if seen.target != DASHBOARD]
    for seen in made:
        [proof] = seen.values("mbgate-assertion")
        claims = jwt.decode(proof, key, ["ES256"], audience="metabase", issuer=PUBLIC)
        assert claims["sub"] == "mbgate-broker"
        assert claims["exp"] - claims["iat"] == 60
        assert set(claims) == {"iss", "sub", "aud", "iat", "exp"}
    assert len(made) == 4


def test_a_known_person_keeps_password_and_groups(gateway: Runtime) -> None:
    """Setting a password would end their other sessions."""
    first_request(gateway)
    gateway.forget()
    assert first_request(gateway).status == 200
    assert calls(gateway) == [
        "GET /api/user?query=analyst%40acme.test&status=all",
        "GET /api/user/10",
        "POST /api/session",
    ]
    assert gateway.world.metabase.password_changes == 1
    assert gateway.world.metabase.failures == {}


def test_groups_follow_the_role(gateway: Runtime) -> None:
    """The full list, with All Users, and only where it differs; sessions of the former role end with it."""
    first_request(gateway)
    [user] = gateway.world.metabase.users.values()
    user["user_group_memberships"] = [{"id": 1}, {"id": 6}, {"id": 7}]
    gateway.world.metabase.sessions["of-former-role"] = user["id"]
    assert first_request(gateway).status == 200
    assert user["user_group_memberships"] == [{"id": 1}, {"id": 5}]
    assert "of-former-role" not in gateway.world.metabase.sessions


def test_an_account_that_nobody_used_is_taken_over_without_a_wrong_guess(gateway: Runtime) -> None:
    """Ten wrong passwords would lock the person out for an hour."""
    gateway.world.metabase.add("analyst@acme.test", groups=(1, 5))
    assert first_request(gateway).status == 200
    assert gateway.world.metabase.failures == {}


def test_addresses_are_compared_whole_and_without_case(gateway: Runtime) -> None:
    """Metabase's search finds parts of addresses too."""
    gateway.world.metabase.add("not-analyst@acme.test")
    gateway.world.metabase.add("analyst@acme.test.evil.example")
    mine = gateway.world.metabase.add("Analyst@Acme.Test", groups=(1, 5))
    assert first_request(gateway).status == 200
    assert list(gateway.world.metabase.passwords) == [mine["id"]]


@pytest.mark.parametrize(
    ("groups", "active", "reason", "title"),
    [
        ((1, 2), True, "user-is-administrator", "Administrators do not sign in here"),
        ((1, 5), False, "user-deactivated", "Your Metabase account is deactivated"),
    ],
)
def test_administrators_and_deactivated_people_are_left_alone(
    gateway: Runtime, groups: tuple[int, ...], active: bool, reason: str, title: str
) -> None:
    """Nothing of them is changed, and they are told on a page."""
    user = gateway.world.metabase.add("analyst@acme.test", groups=groups, active=active)
    before = dict(user)
    call = first_request(gateway)
    assert (call.status, call.json["reason"]) == (403, reason)
    page = first_request(gateway, target="/dashboard/1", **PAGE)
    assert (page.status, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert title in page.body.decode()
    assert user == before
    assert gateway.world.metabase.passwords == {}
    assert not [one for one in calls(gateway) if one.startswith(("PUT", "POST"))]


def test_an_administrator_that_only_the_membership_shows(gateway: Runtime) -> None:
    """The list may be older than the person's own record."""
    user = gateway.world.metabase.add("analyst@acme.test", groups=(1, 2))
    user["is_superuser"] = False
    assert first_request(gateway).json["reason"] == "user-is-administrator"
    assert gateway.world.metabase.passwords == {}


def test_a_new_broker_key_sets_each_password_once(deploy: Callable[[Deployment], Runtime]) -> None:
    """At the person's next sign-in, after one refusal; then it is the known one."""
    before = deploy(Deployment())
    assert first_request(before).status == 200
    users, passwords = dict(before.world.metabase.users), dict(before.world.metabase.passwords)
    after = deploy(replace(before.deployment, broker_key=generate("aes256")))
    after.world.metabase.users, after.world.metabase.passwords = users, passwords
    assert [first_request(after).status for _ in range(3)] == [200, 200, 200]
    assert after.world.metabase.password_changes == 1
    assert after.world.metabase.failures == {"analyst@acme.test": 1}


def test_twenty_first_sign_ins_at_once_make_one_account(gateway: Runtime) -> None:
    """And none of them is a wrong password, so that nobody is locked out."""
    gateway.world.metabase.delay = 0.05
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(first_request(gateway).status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 20
    assert gateway.world.metabase.created == 1
    assert gateway.world.metabase.failures.get("analyst@acme.test", 0) < 5


@pytest.mark.parametrize(
    ("reply", "status", "reason"),
    [
        (Reply(200, {"mfa_required": True}, {"content-type": "application/json"}), 403, "second-factor-required"),
        (
            Reply(401, {"errors": {"x": "Too many attempts!"}}, {"content-type": "application/json"}),
            503,
            "origin-throttled",
        ),
        (Reply(401, b"Too many attempts! Wait.", {"content-type": "text/plain"}), 503, "origin-throttled"),
        (Reply(200, {}, {"content-type": "application/json"}), 503, "origin-unreachable"),
        (Reply(200, b"<html>", {"content-type": "text/html"}), 503, "origin-unreachable"),
        (Reply(200, {"id": "a\r\nb: c"}, {"content-type": "application/json"}), 503, "broker-failed"),
        (Reply(500, b"boom"), 503, "origin-unreachable"),
    ],
    ids=["mfa", "throttled", "throttled-text", "no-id", "html", "two-lines", "error"],
)
def test_a_session_needs_an_id(gateway: Runtime, reply: Reply, status: int, reason: str) -> None:
    """The status alone says nothing; each refusal has a reason of its own."""
    gateway.world.metabase.answers["/api/session"] = reply
    answer = first_request(gateway)
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert [seen for seen in gateway.world.of("origin") if seen.target == DASHBOARD] == []


@pytest.mark.parametrize(
    "groups", [{}, {"analyst": [2]}, {"analyst": [5, 2]}, {"analyst": None}, {"constructor": [5]}], ids=str
)
def test_no_deployment_makes_an_administrator(
    deploy: Callable[[Deployment], Runtime], groups: dict[str, list[int]]
) -> None:
    """A role without a group, or with Metabase's administrators, opens nothing."""
    runtime = deploy(Deployment(groups=groups))
    answer = first_request(runtime)
    assert (answer.status, answer.json["reason"]) == (403, "role-without-group")
    assert runtime.world.of("origin") == []


@pytest.mark.parametrize("key", ["", "short", "A" * 42])
def test_a_weak_broker_key_derives_nothing(deploy: Callable[[Deployment], Runtime], key: str) -> None:
    """Everybody could work such passwords out."""
    runtime = deploy(Deployment(broker_key=key))
    assert first_request(runtime).status == 503
    assert runtime.world.metabase.passwords == {}


def test_a_wrong_admin_key_is_no_user_list(deploy: Callable[[Deployment], Runtime]) -> None:
    """The gateway says that Metabase can't be reached; the broker's log says which call was refused."""
    runtime = deploy(Deployment())
    runtime.world.metabase.answers["/api/user"] = Reply(401, b"Unauthenticated", {"content-type": "text/plain"})
    assert first_request(runtime).status == 503
    [fault] = [one for one in runtime.logged() if one["type"] == "mbgate.fault"]
    assert fault["error"] == "GET /api/user was answered with 401"
    assert API_KEY not in "\n".join(runtime.lines)


def test_it_serves_nothing_over_http(gateway: Runtime) -> None:
    """No route, no hostname; and were there one, only 404."""
    for path in ("/", "/api/user", "/openSession"):
        answer = gateway.ask("POST", path, {}, b"{}", port="broker")
        assert (answer.status, answer.body) == (404, b"")


def test_what_a_person_is_called_is_data(gateway: Runtime) -> None:
    """Names and addresses with signs of their own break neither query nor document."""
    value = session_of("analyst", metabase=None, email="a+b&status=x@acme.test", name='Ann "O\'Neil" <x> Ümlaut')
    cookie = seal(gateway.deployment, "session", value)
    assert gateway.ask("GET", DASHBOARD, {"Cookie": f"__Host-mbgate={cookie}"}).status == 200
    [user] = gateway.world.metabase.users.values()
    assert user["email"] == "a+b&status=x@acme.test"


def test_machines_have_accounts_that_are_nobodys_address(gateway: Runtime) -> None:
    """Not even a verified address in its token makes a machine that person; each role has an account of its own."""
    for role in ("engineer", "exec"):
        token = bearer(role, sub="bot two/é", email="exec@acme.test", email_verified=True)
        assert gateway.ask("GET", DASHBOARD, {"Authorization": f"Bearer {token}"}).status == 200
    emails = [user["email"] for user in gateway.world.metabase.users.values()]
    assert len(set(emails)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}@machines\.mbgate\.invalid", email) for email in emails)


def test_nothing_secret_is_logged(gateway: Runtime) -> None:
    """Neither the admin key, nor a password, nor a Metabase session, nor a cookie."""
    cookie = cookie_of(gateway, "analyst")["Cookie"]
    gateway.ask("GET", DASHBOARD, {"Cookie": cookie})
    first_request(gateway, "engineer")
    gateway.world.metabase.answers["/api/session"] = Reply(500, b"boom")
    first_request(gateway, "exec")
    logged = "\n".join(gateway.lines) + str(gateway.world.points)
    secrets = [
        API_KEY,
        cookie.split("=")[1],
        *gateway.world.metabase.passwords.values(),
        *gateway.world.metabase.sessions,
    ]
    assert [secret for secret in secrets if secret in logged] == []
