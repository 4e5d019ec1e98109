"""Access in front of a hostname: sign-in through the OIDC provider, policies, sign-out."""

from __future__ import annotations

import time

import httpx
import jwt
import pytest

from tests.edge import documents
from tests.edge.browser import Browser
from tests.edge.shielded import SECRET, address, claims_of, sign_in
from tests.edge.world import World, eventually


def test_a_person_signs_in_and_reaches_the_page_asked_for(access: World) -> None:
    browser = Browser()
    url = address(access, "app", "/deep/page?x=%2e%2e&y=1")
    answer = sign_in(access, browser, url)
    assert answer.status_code == 200
    assert answer.json()["url"] == url
    hops = [u.split("?")[0].replace(f"{access.team}/cdn-cgi/access", "TEAM") for u, _ in browser.visited]
    assert hops[1].startswith("TEAM/login/app.localhost")
    assert "TEAM/callback" in hops
    assert address(access, "app", "/cdn-cgi/access/authorized") in hops
    headers = dict(answer.json()["headers"])
    assert headers["cf-access-authenticated-user-email"] == "analyst@acme.test"
    claims = claims_of(access, headers["cf-access-jwt-assertion"], "app")
    assert claims["email"] == claims["sub"] == "analyst@acme.test"
    assert claims["type"] == "app"
    assert claims["custom"] == {"department": "sales"}
    assert claims["identity_nonce"]
    assert claims["exp"] - claims["iat"] == 24 * 3600
    # The token never stands in an address.
    assert not [u for u, _ in browser.visited if headers["cf-access-jwt-assertion"] in u]


def test_the_cookie_is_host_only_and_hidden_from_scripts(access: World) -> None:
    browser = Browser()
    sign_in(access, browser, address(access, "app"))
    again = Browser()
    again.cookies = {"127.0.0.1": browser.cookies["127.0.0.1"]}
    first = again.request("GET", address(access, "app"))
    second = again.request("GET", first.headers["location"])
    third = again.request("GET", second.headers["location"])
    [cookie] = third.headers.get_list("set-cookie")
    assert cookie.startswith("CF_Authorization=")
    assert "HttpOnly" in cookie
    assert "Domain" not in cookie
    # A code works once.
    assert again.request("GET", second.headers["location"]).status_code == 403


def test_get_identity_has_every_group(access: World) -> None:
    browser = Browser()
    sign_in(access, browser, address(access, "app"))
    cookie = {"Cookie": f"CF_Authorization={browser.cookies['app.localhost']['CF_Authorization']}"}
    for url in (f"{access.team}/cdn-cgi/access/get-identity", address(access, "app", "/cdn-cgi/access/get-identity")):
        found = Browser().request("GET", url, headers=cookie).json()
        assert found["email"] == "analyst@acme.test"
        assert found["groups"] == ["bi-analysts"]
        assert found["idp"] == {"id": "idp1", "type": "oidc"}
    assert httpx.get(f"{access.team}/cdn-cgi/access/get-identity", trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("host", "email", "status"),
    [
        ("app", "analyst@acme.test", 200),
        ("app", "visitor@acme.test", 403),
        ("domain", "visitor@acme.test", 200),
        ("domain", "guest@other.test", 403),
        ("deny", "analyst@acme.test", 403),
        ("deny", "visitor@acme.test", 200),
        ("strange", "visitor@acme.test", 500),
    ],
)
def test_policies_decide_who_passes(access: World, host: str, email: str, status: int) -> None:
    assert sign_in(access, Browser(), address(access, host), email).status_code == status


def test_whoever_is_refused_may_sign_out_and_come_as_another(access: World) -> None:
    browser = Browser()
    page = sign_in(access, browser, address(access, "app"), "visitor@acme.test")
    assert 'href="/cdn-cgi/access/logout"' in page.text
    browser.open(f"{access.team}/cdn-cgi/access/logout")
    # The identity provider still knows the person, so it asks nobody; Access evaluates its policies anew.
    assert browser.open(address(access, "app")).status_code == 403


def test_an_unknown_selector_is_said_in_the_log(access: World) -> None:
    sign_in(access, Browser(), address(access, "strange"))
    assert [e for e in access.log("edge") if "selector `ip`" in e.get("error", "")]


def test_a_token_of_another_application_is_not_taken(access: World) -> None:
    browser = Browser()
    sign_in(access, browser, address(access, "app"))
    stolen = browser.cookies["app.localhost"]["CF_Authorization"]
    for host in ("domain", "bots"):
        answer = access.get("/", host=f"{host}.localhost", headers={"Cookie": f"CF_Authorization={stolen}"})
        assert answer.status_code != 200
    forged = jwt.encode({"aud": ["x"], "email": "a@b"}, "k" * 32, algorithm="HS256")
    assert access.get("/", host="app.localhost", headers={"cf-access-token": forged}).status_code == 302
    assert access.get("/", host="app.localhost", headers={"cf-access-token": stolen}).status_code == 200
    two = {"Cookie": f"CF_Authorization={stolen}; CF_Authorization={stolen}"}
    assert access.get("/", host="app.localhost", headers=two).status_code == 302


@pytest.mark.parametrize(
    ("host", "accept", "status"),
    [
        ("app", "text/html", 302),
        ("app", "application/json", 302),
        ("api", "text/html", 302),
        ("api", "application/json", 401),
        ("bots", "text/html", 403),
        ("open", "text/html", 200),
    ],
)
def test_who_has_not_signed_in(access: World, host: str, accept: str, status: int) -> None:
    answer = access.get("/", host=f"{host}.localhost", headers={"Accept": accept})
    assert answer.status_code == status
    if status == 302:
        assert answer.headers["location"].startswith(f"{access.team}/cdn-cgi/access/login/{host}.localhost")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/innermost", 200),
        ("/inner", 302),
        ("/inner/x", 302),
        ("/%69nner/x", 400),
        ("/x/../inner", 400),
        ("//inner", 400),
        ("/inner/../x", 400),
    ],
)
def test_a_path_is_covered_in_whatever_spelling(access: World, path: str, status: int) -> None:
    assert access.raw(path, host="paths.localhost")[0] == status


def test_sessions_end_in_their_time(access: World) -> None:
    browser = Browser()
    assert sign_in(access, browser, address(access, "short")).status_code == 200
    eventually(lambda: browser.request("GET", address(access, "short")).status_code == 302, "the end", 5)


def test_signing_out_ends_every_session_of_the_person(access: World) -> None:
    browser = Browser()
    sign_in(access, browser, address(access, "app"))
    assert (
        browser.open(address(access, "domain")).status_code == 200
    )  # no second form: the team domain knows the person
    kept = {host: jar.get("CF_Authorization") for host, jar in browser.cookies.items()}
    out = browser.open(address(access, "app", "/cdn-cgi/access/logout"))
    assert (out.status_code, "signed out" in out.text) == (200, True)
    assert "CF_Authorization" not in browser.cookies["app.localhost"]
    for host in ("app", "domain"):
        old = {"Cookie": f"CF_Authorization={kept[f'{host}.localhost']}"}
        assert access.get("/", host=f"{host}.localhost", headers=old).status_code == 302
    assert "/cdn-cgi/access/login" in browser.request("GET", address(access, "app")).headers["location"]


@pytest.mark.parametrize("target", ["//evil.test/", "/\\evil.test", "http://evil.test/", "/a b", "\t/x"])
def test_sign_in_leads_to_no_other_host(access: World, target: str) -> None:
    browser = Browser()
    sign_in(access, browser, address(access, "app"))
    aud = next(a["aud"] for a in access.cloud.document["access"]["apps"] if a["name"] == "app")
    login = f"{access.team}/cdn-cgi/access/login/app.localhost:{access.port}"
    answer = browser.request("GET", str(httpx.URL(login, params={"kid": aud, "redirect_url": target})))
    answer = browser.request("GET", answer.headers["location"])
    assert answer.headers["location"] == "/"
    foreign = login.replace("app.localhost", "evil.test")
    assert browser.request("GET", str(httpx.URL(foreign, params={"kid": aud}))).status_code == 404


def test_only_the_browser_that_began_can_finish(access: World) -> None:
    browser, other = Browser(), Browser()
    page = browser.open(address(access, "app"))
    answer = browser.request(
        "POST", page.extensions["address"], data={"email": "analyst@acme.test", "password": "pw-a"}
    )
    while "/cdn-cgi/access/callback" not in answer.headers["location"]:
        answer = browser.request("GET", answer.headers["location"])
    assert other.request("GET", answer.headers["location"]).status_code == 400
    assert browser.request("GET", answer.headers["location"]).status_code == 400
    assert other.request("GET", f"{access.team}/cdn-cgi/access/callback?state=x&code=y").status_code == 400


def test_a_worker_destination_covers_every_host_of_the_worker(access: World) -> None:
    before = access.cloud.document
    everywhere = documents.application("worker", "", [{"decision": "allow", "include": [{"everyone": {}}]}])
    everywhere["destinations"] = [{"type": "worker", "worker_id": "id-other"}]
    assert access.get("/", host="other.localhost").status_code == 200
    access.cloud.edit(lambda d: d["access"]["apps"].append(everywhere))
    try:
        eventually(lambda: access.get("/", host="other.localhost").status_code == 302, "the cover")
        assert access.get("/", host="localhost").status_code == 200
    finally:
        access.cloud.publish(before)
    eventually(lambda: access.get("/", host="other.localhost").status_code == 200, "the end of it")


def test_no_secret_or_token_is_logged(access: World) -> None:
    browser = Browser()
    sign_in(access, browser, address(access, "app"))
    time.sleep(0.1)
    text = "".join(p.read_text() for p in access.folder.rglob("*.ndjson")) + (access.folder / "edge.log").read_text()
    secrets = [SECRET, "s" * 64, "pw-a", browser.cookies["app.localhost"]["CF_Authorization"]]
    assert [s for s in secrets if s in text] == []
