"""What people see through the gateway: the whole path, on the real engine, the real Worker and the real provider."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.demo, pytest.mark.engine]

Demo = Any
Browser = Any


def lines(path: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def eventually(predicate: Callable[[], Any], seconds: float = 5.0) -> Any:
    """The first truthy answer; logs are written a moment after the response."""
    deadline = time.monotonic() + seconds
    while not (found := predicate()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_navigation_without_a_session_goes_to_sign_in(demo: Demo, browser: Browser) -> None:
    answer = browser.request("GET", demo.status["gateway_url"] + "/dashboard/1")
    assert answer.status_code == 302
    page = browser.follow(answer)
    assert str(page.url).startswith(demo.status["issuer"])
    assert "password" in page.text


def test_a_call_without_a_session_is_a_problem_document(demo: Demo, browser: Browser) -> None:
    answer = browser.api("GET", demo.status["gateway_url"] + "/api/dashboard/1")
    if demo.identity == "access":
        # Access answers before the Worker runs: every request without a token is sent to its sign-in.
        assert answer.status_code == 302
        assert "/cdn-cgi/access/login/" in answer.headers["location"]
        return
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert "bearer" in answer.headers["www-authenticate"].lower()
    assert answer.json()["reason"]


@pytest.mark.parametrize(("role", "dashboard"), [("analyst", 1), ("engineer", 2), ("exec", 3)])
def test_each_role_sees_its_dashboard_and_its_figures(
    demo: Demo, signed_in: Callable[[str | None], Browser], role: str, dashboard: int
) -> None:
    browser, url = signed_in(role), demo.status["gateway_url"]
    page = browser.open(f"{url}/dashboard/{dashboard}")
    assert page.status_code == 200
    assert str(page.url) == f"{url}/dashboard/{dashboard}"
    found = browser.api("GET", f"{url}/api/dashboard/{dashboard}")
    assert found.status_code == 200, found.text
    card = found.json()["dashcards"][0]
    query = f"{url}/api/dashboard/{dashboard}/dashcard/{card['id']}/card/{card['card_id']}/query"
    answer = browser.api("POST", query, json={"parameters": []}, headers={"Origin": url})
    assert answer.status_code in (200, 202), answer.text
    assert answer.json()["data"]["rows"]


@pytest.mark.parametrize(("role", "path"), [("analyst", "/dashboard/3"), ("engineer", "/dashboard/3")])
def test_a_denied_page_says_why_and_offers_what_opens(
    demo: Demo, signed_in: Callable[[str | None], Browser], role: str, path: str
) -> None:
    browser, url = signed_in(role), demo.status["gateway_url"]
    first = browser.request("GET", url + path)
    assert first.status_code == 302
    page = browser.follow(first)
    assert "/_gateway/denied" in str(page.url)
    assert role in page.text
    landing = {"analyst": "/dashboard/1", "engineer": "/dashboard/2"}[role]
    assert f'href="{landing}"' in page.text
    assert browser.open(url + landing).status_code == 200


def test_a_person_without_a_role_is_told_and_has_no_metabase_account(
    demo: Demo, signed_in: Callable[[str | None], Browser]
) -> None:
    browser, url = signed_in(None), demo.status["gateway_url"]
    page = browser.open(url + "/")
    assert "/_gateway/denied" in str(page.url)
    assert browser.api("GET", f"{url}/api/user/current").status_code == 403


def test_a_denied_call_is_a_problem_document(demo: Demo, signed_in: Callable[[str | None], Browser]) -> None:
    url = demo.status["gateway_url"]
    answer = signed_in("analyst").api("GET", f"{url}/api/dashboard/3")
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["reason"] == "resource-not-granted"
    assert problem["request_id"]


@pytest.mark.parametrize(
    ("role", "native", "status"), [("engineer", True, 202), ("analyst", True, 403), ("exec", True, 403)]
)
def test_sql_is_for_engineers(
    demo: Demo, signed_in: Callable[[str | None], Browser], role: str, native: bool, status: int
) -> None:
    url = demo.status["gateway_url"]
    query = {"database": 1, "type": "native", "native": {"query": "select count(*) from orders"}}
    answer = signed_in(role).api("POST", f"{url}/api/dataset", json=query, headers={"Origin": url})
    assert answer.status_code == status, answer.text


def test_files_are_refused_to_analysts_and_given_to_execs(
    demo: Demo, signed_in: Callable[[str | None], Browser]
) -> None:
    url = demo.status["gateway_url"]
    for role, status in (("analyst", 403), ("exec", 200)):
        answer = signed_in(role).api("POST", f"{url}/api/card/1/query/csv", headers={"Origin": url})
        assert answer.status_code == status, answer.text


def test_metabase_knows_each_person_and_the_browser_no_credential(
    demo: Demo, signed_in: Callable[[str | None], Browser]
) -> None:
    url, browser = demo.status["gateway_url"], signed_in("analyst")
    me = browser.api("GET", f"{url}/api/user/current")
    assert me.status_code == 200
    assert me.json()["email"] == demo.account("analyst")["email"]
    assert me.json()["is_superuser"] is False
    assert not [name for name in browser.cookies["localhost"] if name.startswith("metabase")]


def test_reset_password_never_reaches_the_origin(demo: Demo, signed_in: Callable[[str | None], Browser]) -> None:
    url = demo.status["gateway_url"] + "/api/session/reset_password"
    for browser in (signed_in("analyst"), signed_in("exec")):
        assert browser.api("POST", url, json={"token": "x"}).status_code == 403
    refused = httpx.post(url, json={"token": "x"}, trust_env=False)
    assert refused.status_code == (302 if demo.identity == "access" else 401)
    seen = lines(demo.folder / "metabase" / "requests.ndjson")
    assert seen
    assert not [r for r in seen if "reset_password" in r["path"]]


def test_an_allowed_request_makes_exactly_one_sub_request(
    demo: Demo, signed_in: Callable[[str | None], Browser]
) -> None:
    url, browser = demo.status["gateway_url"], signed_in("analyst")
    browser.api("GET", f"{url}/api/dashboard/1")
    time.sleep(0.5)
    log = demo.logs / "subrequests.ndjson"
    before = len(lines(log))
    for _ in range(5):
        assert browser.api("GET", f"{url}/api/dashboard/1").status_code == 200
    time.sleep(0.5)
    made = lines(log)[before:]
    via = {"vpc": "vpc", "hostname": "fetch"}[demo.private_path]
    assert [(s["via"], s["path"]) for s in made] == [(via, "/api/dashboard/1")] * 5


def test_identity_headers_of_a_client_never_arrive(demo: Demo, signed_in: Callable[[str | None], Browser]) -> None:
    url, browser = demo.status["gateway_url"], signed_in("analyst")
    forged = {
        "X-Metabase-Session": "forged",
        "X-Api-Key": "forged",
        "Mbgate-Assertion": "forged",
        "X_Forwarded_Email": "e",
    }
    answer = browser.api("GET", f"{url}/api/user/current", headers={**forged, "Connection": "Mbgate-Assertion"})
    assert answer.status_code == 200
    assert answer.json()["email"] == demo.account("analyst")["email"]
    last = eventually(
        lambda: [r for r in lines(demo.folder / "metabase/requests.ndjson") if r["path"] == "/api/user/current"]
    )
    names = [name.lower() for name in last[-1]["headers"]]
    assert names.count("mbgate-assertion") == 1
    assert names.count("x-metabase-session") == 1
    assert not {"x-api-key", "x_forwarded_email", "authorization", "cookie"} & set(names)


def test_one_audit_event_a_request_without_a_secret(demo: Demo, signed_in: Callable[[str | None], Browser]) -> None:
    url, browser = demo.status["gateway_url"], signed_in("exec")
    log = demo.logs / "audit.ndjson"
    before = len(lines(log))
    browser.api("GET", f"{url}/api/dashboard/3")
    browser.api("POST", f"{url}/api/dataset", json={"database": 1, "type": "native", "native": {"query": "select 1"}})
    events = eventually(lambda: lines(log)[before:] if len(lines(log)) >= before + 2 else None)
    assert len(events) == 2
    allowed, denied = events
    assert (allowed["effect"], allowed["resource_kind"], allowed["resource_id"]) == ("allow", "dashboard", "3")
    assert (denied["effect"], denied["role"]) == ("deny", "exec")
    assert allowed["principal"] == demo.account("exec")["email"]
    assert allowed["worker_version"]
    assert "select 1" not in json.dumps(events)
    for value in browser.cookies["localhost"].values():
        assert value not in log.read_text()


def test_signing_out_ends_the_session(demo: Demo, browser: Browser) -> None:
    url = demo.status["gateway_url"]
    browser.sign_in(url + "/", demo.account("analyst"))
    assert browser.api("GET", f"{url}/api/user/current").status_code == 200
    browser.follow(browser.request("POST", f"{url}/_gateway/sign-out", headers={"Origin": url}))
    after = browser.api("GET", f"{url}/api/user/current").status_code
    assert after == (302 if demo.identity == "access" else 401)


@pytest.mark.parametrize(
    "path", ["/%2e%2e/admin", "//api/card/1", "/public/../admin", "/api/dashboard/1%2f", "/api\\card"]
)
def test_a_path_with_two_meanings_is_refused(demo: Demo, signed_in: Callable[[str | None], Browser], path: str) -> None:
    import socket

    cookie = "; ".join(f"{k}={v}" for k, v in signed_in("exec").cookies["localhost"].items())
    port = int(demo.status["gateway_url"].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode()
        )
        head = raw.recv(4096).decode()
    assert " 400 " in head.splitlines()[0], head


def test_the_assertion_keys_are_public(demo: Demo, signed_in: Callable[[str | None], Browser]) -> None:
    answer = signed_in("analyst").api("GET", demo.status["gateway_url"] + "/_gateway/jwks.json")
    assert answer.status_code == 200
    keys = answer.json()["keys"]
    assert keys
    assert all(key["alg"] == "ES256" and "d" not in key for key in keys)


def test_another_host_is_refused(demo: Demo) -> None:
    answer = httpx.get(demo.status["gateway_url"] + "/", headers={"Host": "other.localhost"}, trust_env=False)
    assert answer.status_code in (404, 421, 530)


def test_a_machine_passes_the_same_decision(demo: Demo) -> None:
    if demo.identity == "access":
        # Machines of Access are its service tokens, which the stack of the demo makes for the origin alone.
        answer = httpx.get(
            demo.status["gateway_url"] + "/api/dashboard/1", headers={"Authorization": "Bearer x"}, trust_env=False
        )
        assert answer.status_code == 302
        return
    url = demo.status["gateway_url"]
    secret = (demo.folder / "bot-secret").read_text()
    token = httpx.post(
        demo.status["issuer"] + "/token",
        auth=("ci-bot", secret),
        data={"grant_type": "client_credentials", "resource": url, "scope": "api"},
        trust_env=False,
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{url}/api/dashboard/1", headers=headers, trust_env=False).status_code == 200
    denied = httpx.get(f"{url}/api/dashboard/3", headers=headers, trust_env=False)
    assert (denied.status_code, denied.json()["reason"]) == (403, "resource-not-granted")
    for wrong in (f"bearer  {token}", f"Basic {token}", f"Bearer {token}x", "Bearer a.b", "Bearer"):
        refused = httpx.get(f"{url}/api/dashboard/1", headers={"Authorization": wrong}, trust_env=False)
        assert refused.status_code == 401, wrong
        assert token not in refused.text


def test_a_person_is_refused_at_the_origins_hostname(demo: Demo, signed_in: Callable[[str | None], Browser]) -> None:
    if demo.private_path != "hostname":
        state = httpx.get(demo.status["gateway_url"], headers={"Host": "origin.localhost"}, trust_env=False)
        assert state.status_code == 404
        return
    port = demo.status["gateway_url"].rsplit(":", 1)[1]
    browser = signed_in("exec")
    token = browser.cookies["localhost"]["CF_Authorization"]
    for headers in (
        {},
        {"Cookie": f"CF_Authorization={token}"},
        {"Cf-Access-Jwt-Assertion": token},
        {"cf-access-token": token},
        {"CF-Access-Client-Id": "x", "CF-Access-Client-Secret": "y"},
    ):
        answer = httpx.get(
            f"http://127.0.0.1:{port}/api/health",
            headers={"Host": f"origin.localhost:{port}", **headers},
            trust_env=False,
        )
        assert answer.status_code in (401, 403), (headers, answer.status_code, answer.text)


def test_a_stopped_connector_is_a_page_and_comes_back_without_a_deploy(
    demo: Demo, signed_in: Callable[[str | None], Browser]
) -> None:
    import os
    import signal

    browser, url = signed_in("analyst"), demo.status["gateway_url"]
    pid = json.loads(demo.run("local", "status", "--json").stdout)["parts"]["connector"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    page = eventually(lambda: (p := browser.open(f"{url}/dashboard/1")).status_code == 503 and p)
    assert page
    assert "Metabase does not answer" in page.text
    call = browser.api("GET", f"{url}/api/dashboard/1")
    assert (call.status_code, call.json()["reason"]) == (503, "origin-unreachable")
    demo.run("local", "up")
    assert eventually(lambda: browser.open(f"{url}/dashboard/1").status_code == 200)


def test_metabase_forgot_the_session_and_the_person_does_not_notice(
    demo: Demo, signed_in: Callable[[str | None], Browser]
) -> None:
    browser, url = signed_in("engineer"), demo.status["gateway_url"]
    me = browser.api("GET", f"{url}/api/user/current").json()
    exported = json.loads(demo.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]
    setup = next(r for r in exported if r["type"] == "mbgate:index:MetabaseSetup")
    key = json.loads(setup["outputs"]["apiKey"]["plaintext"])
    ended = httpx.put(
        f"{demo.status['origin']}/api/user/{me['id']}/password",
        headers={"x-api-key": key},
        json={"password": "set-by-somebody-else-1"},
        trust_env=False,
    )
    assert ended.status_code == 204
    before = browser.cookies["localhost"]["__Host-mbgate"]
    again = browser.api("GET", f"{url}/api/user/current")
    assert again.status_code == 200, again.text
    assert again.json()["id"] == me["id"]
    assert browser.cookies["localhost"]["__Host-mbgate"] != before
    assert browser.api("GET", f"{url}/api/user/current").status_code == 200
