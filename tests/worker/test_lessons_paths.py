"""Lessons 1 to 10, 25, 28 and 38: a request has one meaning, or none. Named after the holes."""

from __future__ import annotations

import pytest

from tests.worker.deployment import HOST, PROTO
from tests.worker.people import cookie_of
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "path", ["/public/../admin", "/api/dashboard/../dashboard/3", "/./admin", "/api/dashboard/1/.."]
)
def test_lesson_01_dot_segments_are_refused_before_the_decision(gateway: Runtime, path: str) -> None:
    """CVE-2026-33494: what would be decided on is not what the origin would serve."""
    answer = gateway.ask("GET", path, cookie_of(gateway, "exec"))
    assert (answer.status, answer.json["reason"]) == (400, "path-malformed")
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize(
    "path", ["/%2e%2e/admin", "/api/dashboard/%31", "/api%2fcard/1", "/api/card/1%00", "/a%zz", "/a%"]
)
def test_lesson_02_encoded_characters_are_refused(gateway: Runtime, path: str) -> None:
    """CVE-2025-66490, -32431, -47952: no encoded form of a plain character has a meaning here."""
    assert gateway.ask("GET", path, cookie_of(gateway, "exec")).status == 400
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize(
    "target", ["/api/dashboard/1", "/api/dashboard/1?x=%2e%2e/..&y=%2F#", "/dashboard/1-caf%C3%A9", "/api/dashboard/1/"]
)
def test_lesson_03_the_origin_gets_the_path_that_was_decided_on(gateway: Runtime, target: str) -> None:
    """CVE-2026-40912, -48020, -65600: nothing is rewritten after the decision."""
    answer = gateway.ask("GET", target, cookie_of(gateway, "exec"))
    assert answer.status == 200
    [seen] = gateway.world.of("origin")
    assert seen.target == target.rstrip("#")


def test_lesson_04_a_number_sign_hides_nothing(gateway: Runtime) -> None:
    """CVE-2023-47106, CVE-2026-41059, CVE-2021-32779: workerd cuts it off; decision and origin see the same."""
    cookie = cookie_of(gateway, "analyst")
    gateway.ask("GET", "/api/dashboard/1#/../3", cookie)
    assert [seen.target for seen in gateway.world.of("origin")] == ["/api/dashboard/1"]
    assert gateway.ask("GET", "/api/dashboard/3#/1", cookie).status == 403


@pytest.mark.parametrize("path", ["//api/card/1", "//evil.example/api/card/1", "/api//card/1", "/api/dashboard/1//"])
def test_lesson_05_empty_segments_are_refused(gateway: Runtime, path: str) -> None:
    """CVE-2026-26205: `//x` could be read as an authority."""
    assert gateway.ask("GET", path, cookie_of(gateway, "exec")).status == 400
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize("path", ["/api%2Fcard/1", "/api%5Ccard/1", "/api\\card/1", "/api/card/1;x=1"])
def test_lesson_06_other_separators_are_refused(gateway: Runtime, path: str) -> None:
    """CVE-2021-29492, CVE-2019-9901: settled before the policy is asked."""
    assert gateway.ask("GET", path, cookie_of(gateway, "exec")).status == 400
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize("target", ["*", "api/card/1", "?x", "http:/api/card/1", "evil:/api/card/1"])
def test_lesson_07_a_target_without_a_leading_slash_reaches_nothing(gateway: Runtime, target: str) -> None:
    """CVE-2026-33186: what no allow rule names is denied, whatever its form."""
    assert gateway.raw(_request(target, cookie_of(gateway, "exec")["Cookie"])) in (0, 400, 421)
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize("authority", ["evil.example", "u:p@bi.example.com", "bi.example.com"])
@pytest.mark.parametrize("scheme", ["http", "https", "evil"])
def test_lesson_07_an_absolute_target_is_decided_as_its_path(gateway: Runtime, scheme: str, authority: str) -> None:
    """The authority of an absolute-form target chooses no origin and skips no rule."""
    cookie = cookie_of(gateway, "analyst")["Cookie"]
    assert gateway.raw(_request(f"{scheme}://{authority}/api/dashboard/3", cookie)) == 403
    assert gateway.raw(_request(f"{scheme}://{authority}/api/dashboard/1", cookie)) == 200
    assert [(s.host, s.target) for s in gateway.world.of("origin")] == [("metabase.internal:3000", "/api/dashboard/1")]


def _request(target: str, cookie: str) -> bytes:
    head = f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n{PROTO}: https\r\nCookie: {cookie}"
    return f"{head}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("query", ["/app/dist/a.js", "path=/api/dashboard/1", "%2f..%2fapi%2fdashboard%2f1"])
def test_lesson_08_a_query_string_decides_nothing(gateway: Runtime, query: str) -> None:
    """CVE-2025-54576: the same path is denied with any query."""
    answer = gateway.ask("GET", f"/api/dashboard/3?{query}", cookie_of(gateway, "analyst"))
    assert (answer.status, answer.json["reason"]) == (403, "resource-not-granted")


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Uri", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Original-URI"]
)
def test_lesson_09_no_header_replaces_the_path(gateway: Runtime, name: str) -> None:
    """CVE-2026-40575: such a header changes no decision, and the origin never sees it."""
    cookie = cookie_of(gateway, "analyst")
    assert gateway.ask("GET", "/api/dashboard/3", {**cookie, name: "/api/dashboard/1"}).status == 403
    assert gateway.ask("GET", "/api/dashboard/1", {**cookie, name: "/api/dashboard/3"}).status == 200
    [seen] = gateway.world.of("origin")
    assert seen.values(name) == []


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_lesson_09_no_header_replaces_the_method(gateway: Runtime, name: str) -> None:
    """A method override is a decision by header as well."""
    gateway.ask("GET", "/api/dashboard/1", {**cookie_of(gateway, "analyst"), name: "DELETE"})
    [seen] = gateway.world.of("origin")
    assert (seen.method, seen.values(name)) == ("GET", [])


@pytest.mark.parametrize("agent", ["kube-probe/1.0", "GoogleHC/1.0", "ELB-HealthChecker/2.0", ""])
def test_lesson_10_no_user_agent_passes(gateway: Runtime, agent: str) -> None:
    """CVE-2026-34457: a health check has no way around sign-in."""
    assert gateway.ask("GET", "/api/health", {"User-Agent": agent}).status == 401
    assert gateway.world.of("origin") == []


def test_lesson_25_hosts_have_no_case_and_paths_have(gateway: Runtime) -> None:
    """CVE-2026-48794, -77560: each is made canonical once, in its own way."""
    cookie = cookie_of(gateway, "analyst")
    assert gateway.ask("GET", "/api/dashboard/1", cookie, host=HOST.upper()).status == 200
    answer = gateway.ask("GET", "/API/dashboard/1", cookie)
    assert (answer.status, answer.json["reason"]) == (403, "route-unknown")
    assert gateway.ask("GET", "/_GATEWAY/whoami", cookie).status == 403


@pytest.mark.parametrize("host", ["evil.example", f"{HOST}.evil.example", f"{HOST}:8443", f"evil@{HOST}", "127.0.0.1"])
def test_lesson_25_another_host_is_refused(gateway: Runtime, host: str) -> None:
    """Only the public name is served: not the platform's own, and no other."""
    answer = gateway.ask("GET", "/api/dashboard/1", cookie_of(gateway, "exec"), host=host)
    assert answer.status in (400, 421)
    assert gateway.ask("GET", "/_gateway/whoami", host=host).status in (400, 421)
    assert gateway.world.of("origin") == []


def test_lesson_25_another_scheme_is_refused(gateway: Runtime) -> None:
    """Over plain HTTP the same host is not the public URL: neither pages nor answers are served there."""
    cookie = cookie_of(gateway, "exec")
    assert gateway.ask("GET", "/api/dashboard/1", cookie, scheme="http").status == 421
    assert gateway.ask("GET", "/_gateway/sign-in", scheme="http").status == 421
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize("path", ["/_gateway/../api/dashboard/1", "/_gateway/%2e%2e/x", "/_gateway//x", "/_gateway\\x"])
def test_lesson_28_own_endpoints_are_found_on_the_checked_path_only(gateway: Runtime, path: str) -> None:
    """CVE-2026-47676: no prefix is taken off a path that was not judged first."""
    assert gateway.ask("GET", path, cookie_of(gateway, "exec")).status == 400


def test_lesson_38_nothing_reaches_the_origin_without_a_session(gateway: Runtime) -> None:
    """CVE-2026-72898, CVE-2022-39360, CVE-2026-22805, CVE-2023-38646: what needs no sign-in stays inside."""
    for method, path in [
        ("POST", "/api/session/reset_password"),
        ("POST", "/api/session/forgot_password"),
        ("POST", "/api/session"),
        ("GET", "/api/session/properties"),
        ("POST", "/api/setup"),
        ("POST", "/api/setup/validate"),
        ("GET", "/api/public/card/x"),
        ("GET", "/public/dashboard/x"),
        ("GET", "/embed/dashboard/x"),
        ("POST", "/api/notify/db/1"),
        ("GET", "/api/docs/openapi.json"),
        ("GET", "/app/dist/app.js"),
        ("GET", "/"),
    ]:
        assert gateway.ask(method, path, body="" if method == "POST" else None).status in (401, 302), path
    assert gateway.world.of("origin") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/session/reset_password"),
        ("POST", "/api/session/forgot_password"),
        ("POST", "/api/session"),
        ("POST", "/api/setup"),
        ("GET", "/auth/login"),
        ("GET", "/setup"),
        ("GET", "/public/dashboard/x"),
        ("GET", "/oauth/authorize"),
        ("DELETE", "/api/pulse/unsubscribe"),
    ],
)
def test_lesson_38_nor_with_one_where_it_is_closed(gateway: Runtime, method: str, path: str) -> None:
    """Sign-in, reset and set-up are closed to every role."""
    answer = gateway.ask(method, path, cookie_of(gateway, "exec"), body="" if method != "GET" else None)
    assert answer.status == 403
    assert answer.json["reason"] in ("route-blocked", "route-unknown")
    assert gateway.world.of("origin") == []
