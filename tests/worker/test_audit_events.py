"""One event for each answer: complete, in one line, with nothing secret in it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from infra.access.table import digest
from tests.worker.deployment import PUBLIC, Deployment, policy_table
from tests.worker.people import PAGE, bearer, cookie_of, finish_sign_in, start_sign_in
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

FIELDS = [
    "type",
    "v",
    "time",
    "request_id",
    "principal",
    "principal_kind",
    "issuer",
    "role",
    "team",
    "method",
    "path",
    "route",
    "actions",
    "resource_kind",
    "resource_id",
    "effect",
    "reason",
    "rule",
    "policy_digest",
    "worker_version",
    "status",
    "latency_ms",
    "country",
]


def test_an_allowed_request(gateway: Runtime) -> None:
    """Who, in which role, what, by which rule, under which policy and version."""
    headers = {**cookie_of(gateway, "analyst"), "CF-IPCountry": "NL"}
    answer = gateway.ask("GET", "/api/dashboard/1?secret=1", headers)
    [event] = gateway.events(1)
    assert list(event) == FIELDS
    expected = {
        "type": "mbgate.access",
        "principal": "analyst@acme.test",
        "principal_kind": "person",
        "issuer": "workforce",
        "role": "analyst",
        "team": "sales",
        "method": "GET",
        "path": "/api/dashboard/1",
        "route": "dashboard-read",
        "actions": ["dashboard:view"],
        "resource_kind": "dashboard",
        "resource_id": "1",
        "effect": "allow",
        "reason": "rule-allowed",
        "rule": "analyst-dashboards",
        "policy_digest": digest(policy_table()),
        "worker_version": "version-1",
        "status": 200,
        "country": "NL",
        "request_id": answer.headers["mbgate-request-id"],
    }
    assert {name: event[name] for name in expected} == expected
    assert event["time"].endswith("Z")
    assert event["latency_ms"] >= 0


def test_each_answer_has_exactly_one(gateway: Runtime) -> None:
    """Refusals, own pages, faults and forwarded requests alike."""
    cookie = cookie_of(gateway, "analyst")
    wanted = [
        ("/api/dashboard/1", cookie, "allow", 200),
        ("/api/dashboard/3", cookie, "deny", 403),
        ("/dashboard/3", {**PAGE, **cookie}, "deny", 302),
        ("/api/dashboard/1", {}, "deny", 401),
        ("/dashboard/1", PAGE, "deny", 302),
        ("/a//b", cookie, "deny", 400),
        ("/_gateway/whoami", cookie, "allow", 200),
        ("/_gateway/nothing", cookie, "deny", 404),
        ("/_gateway/denied", PAGE, "allow", 403),
        ("/_gateway/signed-out", {}, "allow", 200),
        ("/api/dashboard/1", {"Authorization": "Bearer a.b.c"}, "deny", 401),
    ]
    for path, headers, _, _ in wanted:
        gateway.ask("GET", path, headers)
    gateway.ask("GET", "/", {}, host="evil.example")
    events = gateway.events(len(wanted) + 1)
    assert [(e["effect"], e["status"]) for e in events] == [(e, s) for _, _, e, s in wanted] + [("deny", 421)]
    assert len({event["request_id"] for event in events}) == len(events)
    sent = {point["blobs"][0] for point in gateway.points(len(events))}
    assert sent == {event["request_id"] for event in events}


def test_data_points_fit_the_sink(gateway: Runtime) -> None:
    """Twenty blobs, twenty doubles and one index at most, and no nulls."""
    gateway.ask("GET", "/api/dashboard/1", cookie_of(gateway, "analyst"))
    [point] = gateway.points(1)
    assert point["indexes"] == ["analyst@acme.test"]
    assert len(point["blobs"]) <= 20
    assert all(isinstance(blob, str) for blob in point["blobs"])
    assert point["doubles"][0] == 200


def test_signing_in_and_out_are_told(gateway: Runtime) -> None:
    """With the person, although no rule is asked."""
    signed_in = finish_sign_in(gateway, start_sign_in(gateway), "analyst")
    cookie = f"__Host-mbgate={signed_in.cookie('__Host-mbgate')}"
    gateway.ask("POST", "/_gateway/sign-out", {"Cookie": cookie, "Origin": PUBLIC}, b"")
    reasons = [(event["reason"], event["principal"]) for event in gateway.events(3)]
    assert reasons[1:] == [("signed-in", "analyst@acme.test"), ("signed-out", "analyst@acme.test")]


def test_nothing_secret_is_in_any_event(gateway: Runtime) -> None:
    """No token, cookie, query string, body, code, or Metabase session, from signing in to SQL."""
    started = start_sign_in(gateway, "/dashboard/1?q=hidden-query")
    done = finish_sign_in(gateway, started, "engineer")
    value = done.cookie("__Host-mbgate") or ""
    own = {"Cookie": f"__Host-mbgate={value}", "Content-Type": "application/json"}
    token = bearer()
    gateway.ask("POST", "/api/dataset", own, '{"database":1,"type":"native","native":{"query":"select hidden_body"}}')
    gateway.ask("GET", "/api/dashboard/1?x=hidden-query", {"Authorization": f"Bearer {token}"})
    gateway.ask("GET", f"/_gateway/callback?code=hidden-code&state={started.query['state']}", started.headers)
    logged = "\n".join(gateway.lines) + json.dumps(gateway.world.points)
    gateway.events(5)
    secrets = [value, started.cookie, token, "hidden", started.query["state"], *gateway.world.metabase.sessions]
    assert [secret for secret in secrets if secret in logged] == []


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/auth/reset_password/7_0f8fad5b-d9cb-469f-a165-70867728950e", "/auth/reset_password/7_…"),
        ("/public/dashboard/0F8FAD5B-D9CB-469F-A165-70867728950E", "/public/dashboard/…"),
        ("/embed/dashboard/eyJhbGciOiJIUzI1NiJ9.eyJyZXNvdXJjZSI6e30.c2lnbmF0dXJl", "/embed/dashboard/…"),
        ("/dashboard/1-sales-overview", "/dashboard/1-sales-overview"),
        ("/dashboard/entity/abcdefghij0123456789x", "/dashboard/entity/abcdefghij0123456789x"),
        ("/app/dist/app-main.0123456789abcdef.js", "/app/dist/app-main.0123456789abcdef.js"),
    ],
)
def test_paths_that_open_something_by_themselves_are_cut(gateway: Runtime, path: str, logged: str) -> None:
    """Reset tokens, public links and signed embeds are secrets in a path; titles and file names are not."""
    gateway.ask("GET", path, cookie_of(gateway, "analyst"))
    assert [event["path"] for event in gateway.events(1)] == [logged]


def test_an_event_is_one_line_of_bounded_size(gateway: Runtime) -> None:
    """Whatever a client sends, a log line can hold it."""
    gateway.ask("GET", "/" + "a" * 10_000, {**cookie_of(gateway, "analyst"), "CF-IPCountry": "X" * 5000})
    [event] = gateway.events(1)
    assert len(event["path"]) <= 512
    assert len(json.dumps(event)) < 4096


def test_a_broken_sink_stops_nothing(deploy: Callable[[Deployment], Runtime]) -> None:
    """The line is written all the same, and the person gets an answer."""
    runtime = deploy(Deployment(without=("AUDIT",)))
    assert runtime.ask("GET", "/api/dashboard/1", cookie_of(runtime, "analyst")).status == 200
    runtime.events(1)
    assert [one["reason"] for one in runtime.logged() if one["type"] == "mbgate.fault"] == ["audit-sink-failed"]
