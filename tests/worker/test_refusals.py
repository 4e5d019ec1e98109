"""How a refusal looks: pages for people, problem documents for programs, and never a loop."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.worker.deployment import ROOT
from tests.worker.people import PAGE, bearer, cookie_of, open_cookie, seal
from tests.worker.runtime import Answer, Runtime

pytestmark = pytest.mark.slow

NAME = "__Host-mbgate"


def page_of(gateway: Runtime, role: str, path: str) -> Answer:
    """The page that a navigation ends on; at most one redirect leads there."""
    own = {**PAGE, **cookie_of(gateway, role)}
    first = gateway.ask("GET", path, own)
    assert first.status == 302
    assert first.headers["location"].startswith("/_gateway/denied?why=")
    return gateway.ask("GET", first.headers["location"], own)


def test_the_denied_page_says_why_and_where_to_go(gateway: Runtime) -> None:
    """In words, with the reason's code, the rule, the role, and links to what opens."""
    page = page_of(gateway, "analyst", "/dashboard/3-board")
    html = page.body.decode()
    assert page.status == 403
    assert "location" not in page.headers
    assert "Not shared with your role" in html
    for fact in ("resource-not-granted", "analyst@acme.test", "<dd><bdi>analyst</bdi></dd>", "Dashboard <bdi>3</bdi>"):
        assert fact in html, fact
    links = re.findall(r'href="([^"]+)"', html)
    assert links[0] == "/dashboard/1"
    for link in links:
        assert gateway.ask("GET", link, cookie_of(gateway, "analyst")).status == 200
    assert 'action="/_gateway/sign-out"' in html


def test_a_deny_rule_is_named(gateway: Runtime) -> None:
    """So that the people who look after the rules can find it."""
    cookie = {**cookie_of(gateway, "analyst"), "Content-Type": "application/json"}
    answer = gateway.ask("POST", "/api/card/1/query/csv", cookie, b"{}")
    assert (answer.json["reason"], answer.json["rule"]) == ("rule-denied", "analyst-no-exports")


def test_pages_are_locked_down(gateway: Runtime) -> None:
    """No script, no frame, no foreign asset, no cache; the style has a fresh nonce each time."""
    first, second = page_of(gateway, "analyst", "/dashboard/3"), page_of(gateway, "analyst", "/dashboard/3")
    policy = first.headers["content-security-policy"]
    nonce = re.search(r"style-src 'nonce-([^']+)'", policy)
    assert nonce
    assert f'<style nonce="{nonce[1]}">' in first.body.decode()
    assert nonce[1] not in second.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert first.headers["cache-control"] == "no-store"
    html = first.body.decode()
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!/)', html)


def test_signing_out_may_lead_to_the_provider(gateway: Runtime) -> None:
    """`form-action` covers the redirects of a form; it names the provider and nobody else."""
    policy = gateway.ask("GET", "/_gateway/sign-out").headers["content-security-policy"]
    assert "form-action 'self' https://idp.example.com;" in policy
    assert gateway.ask("GET", "/_gateway/sign-out").headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("why", ["", "x", "A" * 5000, "%00", "%3Cscript%3Ealert(1)%3C/script%3E"])
def test_a_made_up_reason_shows_the_general_page(gateway: Runtime, why: str) -> None:
    """Nothing of what a link says is shown."""
    answer = gateway.ask("GET", f"/_gateway/denied?why={why}", {**PAGE, **cookie_of(gateway, "analyst")})
    assert answer.status == 403
    assert "You are not allowed to open this page." in answer.body.decode()
    assert b"alert(1)" not in answer.body
    assert b'href="/dashboard/1"' in answer.body


def test_a_reason_is_for_the_person_whom_it_concerns(gateway: Runtime) -> None:
    """Passed on as a link, it tells somebody else nothing; and it is old after ten minutes."""
    first = gateway.ask("GET", "/dashboard/3", {**PAGE, **cookie_of(gateway, "analyst")})
    for headers in (cookie_of(gateway, "engineer"), {}):
        other = gateway.ask("GET", first.headers["location"], {**PAGE, **headers})
        assert other.status == 403
        assert b"analyst" not in other.body
        assert b"Dashboard <bdi>3</bdi>" not in other.body
    told = open_cookie(gateway.deployment, first.headers["location"].split("why=")[1], "denied")
    old = seal(gateway.deployment, "denied", {**told, "exp": int(time.time()) - 1})
    late = gateway.ask("GET", f"/_gateway/denied?why={old}", {**PAGE, **cookie_of(gateway, "analyst")})
    assert b"Dashboard <bdi>3</bdi>" not in late.body


def test_what_was_asked_for_is_escaped(gateway: Runtime) -> None:
    """A path may hold signs that mean something in HTML."""
    page = page_of(gateway, "analyst", "/x/&quot'onload='x")
    assert b"'onload" not in page.body
    assert b"&#38;quot&#39;onload=&#39;x" in page.body


@pytest.mark.parametrize(
    ("method", "headers", "is_page"),
    [
        ("GET", {"Accept": "text/html"}, True),
        ("GET", {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}, True),
        ("HEAD", {"Accept": "text/html"}, True),
        ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "cors"}, False),
        ("GET", {"Accept": "*/*"}, False),
        ("GET", {}, False),
        ("POST", {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}, False),
    ],
)
def test_only_navigations_get_pages(gateway: Runtime, method: str, headers: dict[str, str], is_page: bool) -> None:
    """A program gets a status that it can act on, and no redirect."""
    body = b"" if method == "POST" else None
    answer = gateway.ask(method, "/dashboard/3", {**headers, **cookie_of(gateway, "analyst")}, body)
    assert answer.status == (302 if is_page else 403)
    nobody = gateway.ask(method, "/dashboard/3", headers, body)
    assert nobody.status == (302 if is_page else 401)


def test_problem_documents(gateway: Runtime) -> None:
    """RFC 9457, with reason, rule and request id; the `type` is a page that exists."""
    answer = gateway.ask("GET", "/api/dashboard/3", cookie_of(gateway, "analyst"))
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert set(problem) == {"type", "title", "status", "detail", "reason", "rule", "request_id"}
    assert (problem["status"], problem["reason"]) == (403, "resource-not-granted")
    assert problem["request_id"] == answer.headers["mbgate-request-id"]
    path, anchor = problem["type"].removeprefix("https://bi.example.com").split("#")
    assert f'id="{anchor}"' in gateway.ask("GET", path).body.decode()


@pytest.mark.parametrize(
    ("headers", "challenge"), [({}, ""), ({"Authorization": "Bearer x"}, ', error="invalid_token"')]
)
def test_a_401_says_how_to_come_back(gateway: Runtime, headers: dict[str, str], challenge: str) -> None:
    """RFC 9110 section 11.6.1 and RFC 6750 section 3: only a token that was sent is called invalid."""
    answer = gateway.ask("GET", "/api/dashboard/1", headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == f'Bearer realm="https://bi.example.com"{challenge}'


def test_a_wrong_bearer_token_is_never_sent_to_sign_in(gateway: Runtime) -> None:
    """A program that says what it accepts is still a program; its cookies are left alone."""
    answer = gateway.ask("GET", "/dashboard/1", {**PAGE, "Authorization": f"Bearer {bearer(aud='x')}"})
    assert (answer.status, answer.cookies) == (401, [])


@pytest.mark.parametrize(("path", "status"), [("/a//b", 400), ("/dashboard/1%2f", 400)])
def test_a_broken_link_is_a_page(gateway: Runtime, path: str, status: int) -> None:
    """People paste them."""
    answer = gateway.ask("GET", path, PAGE)
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


def test_no_refusal_leads_in_a_circle(gateway: Runtime) -> None:
    """From any page, for any role, one redirect at most until something that is shown."""
    for role in ("analyst", "engineer", "exec", "visitor"):
        own = {**PAGE, **cookie_of(gateway, role)}
        for path in ("/", "/dashboard/1", "/dashboard/3", "/admin", "/auth/login", "/nothing", "/question", "/%80"):
            answer, hops = gateway.ask("GET", path, own), 0
            while answer.status == 302:
                answer, hops = gateway.ask("GET", answer.headers["location"], own), hops + 1
                assert hops <= 1, (role, path)


def test_every_reason_has_words(gateway: Runtime) -> None:
    """Whatever the sources can answer is explained on the page of reasons."""
    html = gateway.ask("GET", "/_gateway/problems").body.decode()
    explained = set(re.findall(r'<dt id="([^"]+)">', html))
    sources = [*(ROOT / "worker_templates" / "gateway").glob("*.js"), ROOT / "worker_templates" / "broker" / "main.js"]
    patterns = [
        r'reason(?: =|:) "([a-z][a-z-]+)"',
        r'error: "([a-z]+-[a-z-]+)"',
        r'deny\("([a-z-]+)"',
        r'refuse\([^"()]*"([a-z-]+)"',
        r'brokerProblem\("([a-z-]+)"',
        r'"(token-[a-z-]+)"',
    ]
    found: set[Any] = {
        match for path in sources for text in [path.read_text()] for p in patterns for match in re.findall(p, text)
    }
    logged = {"keys-unreadable", "keys-not-refreshed", "audit-sink-failed", "origin-refused"}
    internal = logged | {"own-endpoint", "signed-in", "signed-out"}
    assert len(found) > 40
    assert found - internal - {"rule-allowed"} - explained == set()
