"""The OIDC provider: code flow with PKCE, claims in the ID token, machine tokens, sign-out, its own pages."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest

from tests.edge.browser import Browser
from tests.edge.cloud import Cloud
from tests.edge.origin import Origin
from tests.edge.world import NODE, ROOT, World

ACCOUNT = {
    "email": "analyst@acme.test",
    "password": "right-password",
    "name": "Ana Lyst",
    "groups": ["bi-analysts"],
    "department": "sales",
}
CALLBACK = "http://localhost:1/callback"
SIGNED_OUT = "http://localhost:1/signed-out"
SECRET = "client-secret-of-thirty-two-characters"
RESOURCE = "http://localhost:1"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The provider alone."""
    world = World(folder=tmp_path_factory.mktemp("oidc"), cloud=Cloud(), origin=Origin())
    person = {
        "client_id": "mbgate",
        "client_secret": SECRET,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [SIGNED_OUT],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
    }
    machine = {
        "client_id": "ci-bot",
        "client_secret": SECRET,
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "response_types": [],
        "claims": {"groups": ["bi-analysts"], "department": "sales"},
        "resources": [RESOURCE],
    }
    try:
        world.start_oidc([ACCOUNT], [person, machine])
        yield world
    finally:
        world.stop()


def authorization(provider: World, **changes: str | None) -> str:
    """The address of an authorization request."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    query = {
        "client_id": "mbgate",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid profile email groups",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{provider.issuer}/auth?{urlencode({k: v for k, v in query.items() if v is not None})}"


def sign_in(provider: World, browser: Browser) -> httpx.Response:
    """Up to the answer of the provider's form; the client's own address is not opened."""
    page = browser.open(authorization(provider))
    assert "password" in page.text
    url = page.extensions["address"]
    answer = browser.request("POST", url, data={"email": ACCOUNT["email"].upper(), "password": ACCOUNT["password"]})
    while answer.status_code == 303 and not answer.headers["location"].startswith(CALLBACK):
        answer = browser.request("GET", answer.headers["location"])
    return answer


def redeem(provider: World, answer: httpx.Response, verifier: str = "v" * 43) -> httpx.Response:
    """Exchanges the code in a redirect to the client."""
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    form = {
        "grant_type": "authorization_code",
        "code": query["code"][0],
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    return httpx.post(f"{provider.issuer}/token", data=form, auth=("mbgate", SECRET), trust_env=False)


def verified(provider: World, token: str, audience: str) -> dict[str, Any]:
    """The claims of a token that one of the provider's published keys signed."""
    keys = {k["kid"]: k for k in httpx.get(f"{provider.issuer}/jwks", trust_env=False).json()["keys"]}
    assert {k["alg"] for k in keys.values()} == {"RS256", "ES256"}
    assert not [k for k in keys.values() if "d" in k]
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWK(keys[header["kid"]])
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=[header["alg"]], audience=audience, issuer=provider.issuer
    )
    return claims


def test_discovery_names_what_is_offered(provider: World) -> None:
    found = httpx.get(f"{provider.issuer}/.well-known/openid-configuration", trust_env=False).json()
    assert found["issuer"] == provider.issuer
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert {"groups", "department", "email"} <= set(found["claims_supported"])
    assert set(found["id_token_signing_alg_values_supported"]) == {"RS256", "ES256"}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"):
        assert found[name].startswith(provider.issuer)


def test_the_code_flow_ends_in_an_id_token_with_every_claim(provider: World) -> None:
    answer = sign_in(provider, Browser())
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["the-state"]
    assert query["iss"] == [provider.issuer]
    tokens = redeem(provider, answer)
    assert tokens.status_code == 200
    claims = verified(provider, tokens.json()["id_token"], "mbgate")
    wanted = {
        "sub": "analyst@acme.test",
        "email": "analyst@acme.test",
        "email_verified": True,
        "name": "Ana Lyst",
        "given_name": "Ana",
        "family_name": "Lyst",
        "groups": ["bi-analysts"],
        "department": "sales",
        "nonce": "the-nonce",
    }
    assert {name: claims.get(name) for name in wanted} == wanted
    bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
    userinfo = httpx.get(f"{provider.issuer}/me", headers=bearer, trust_env=False).json()
    assert userinfo["groups"] == ["bi-analysts"]
    assert redeem(provider, answer).json()["error"] == "invalid_grant"


def test_a_code_needs_its_verifier(provider: World) -> None:
    answer = redeem(provider, sign_in(provider, Browser()), verifier="w" * 43)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "PKCE"),
        ({"code_challenge_method": "plain"}, "code_challenge_method"),
        ({"redirect_uri": CALLBACK + "/x"}, "redirect_uri"),
        ({"response_type": "id_token"}, "response_type"),
        ({"resource": "http://localhost:1"}, "resource"),
    ],
)
def test_a_weak_or_foreign_request_never_sees_the_form(provider: World, changes: dict[str, str], word: str) -> None:
    answer = Browser().request("GET", authorization(provider, **changes))
    text = answer.text + answer.headers.get("location", "")
    assert "interaction" not in text
    assert "error" in text or answer.status_code == 400
    assert word in text


@pytest.mark.parametrize("email", ["analyst@acme.test", "nobody@acme.test", '"><script>'])
def test_a_wrong_password_is_said_on_the_page_without_naming_what_was_wrong(provider: World, email: str) -> None:
    browser = Browser()
    page = browser.open(authorization(provider))
    answer = browser.request("POST", page.extensions["address"], data={"email": email, "password": "wrong"})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "don't belong together" in answer.text
    assert '"><script>' not in answer.text
    again = browser.submit(answer, email="", password="")
    assert again.status_code == 401


def test_the_sign_in_page_is_labelled_and_needs_no_script(provider: World) -> None:
    page = Browser().open(authorization(provider, login_hint="analyst@acme.test"))
    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    for name in ("email", "password"):
        assert f'<label for="{name}">' in page.text
        assert f'id="{name}"' in page.text
    assert "<script" not in page.text
    assert 'value="analyst@acme.test"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_an_expired_interaction_is_explained(provider: World) -> None:
    answer = Browser().request("GET", f"{provider.issuer}/interaction/unknown")
    assert answer.status_code == 400
    assert "expired" in answer.text


def machine_token(provider: World, **form: str) -> httpx.Response:
    """The machine client's request."""
    data = {"grant_type": "client_credentials", **form}
    return httpx.post(f"{provider.issuer}/token", data=data, auth=("ci-bot", SECRET), trust_env=False)


@pytest.mark.parametrize("form", [{}, {"resource": RESOURCE}])
def test_a_machine_gets_a_jwt_for_its_resource(provider: World, form: dict[str, str]) -> None:
    answer = machine_token(provider, **form).json()
    claims = verified(provider, answer["access_token"], RESOURCE)
    assert claims["client_id"] == claims["sub"] == "ci-bot"
    assert claims["groups"] == ["bi-analysts"]
    assert claims["department"] == "sales"
    assert claims["exp"] - claims["iat"] <= 600


def test_a_machine_gets_no_other_audience(provider: World) -> None:
    answer = machine_token(provider, resource="http://localhost:2")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")
    wrong = httpx.post(
        f"{provider.issuer}/token", data={"grant_type": "client_credentials"}, auth=("ci-bot", "x"), trust_env=False
    )
    assert wrong.status_code == 401


def test_signing_out_ends_the_session_and_returns_to_the_client(provider: World) -> None:
    browser = Browser()
    token = redeem(provider, sign_in(provider, browser)).json()["id_token"]
    silent = browser.request("GET", authorization(provider))
    assert silent.headers["location"].startswith(CALLBACK)
    query = urlencode({"id_token_hint": token, "post_logout_redirect_uri": SIGNED_OUT, "state": "s"})
    page = browser.request("GET", f"{provider.issuer}/session/end?{query}")
    assert ".click()" in page.text
    assert 'name="logout" value="yes"' in page.text
    hidden = page.text.split('name="xsrf" value="')[1].split('"')[0]
    url = page.text.split('action="')[1].split('"')[0]
    answer = browser.request("POST", url, data={"xsrf": hidden, "logout": "yes"})
    assert answer.headers["location"].startswith(SIGNED_OUT)
    after = browser.open(authorization(provider))
    assert "password" in after.text


def test_signing_out_leads_nowhere_else(provider: World) -> None:
    query = urlencode({"client_id": "mbgate", "post_logout_redirect_uri": "http://evil.test/"})
    answer = Browser().request("GET", f"{provider.issuer}/session/end?{query}")
    assert answer.status_code == 400


def test_keys_are_private_and_outlive_a_restart(provider: World) -> None:
    path = provider.folder / "oidc-keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = {k["kid"] for k in httpx.get(f"{provider.issuer}/jwks", trust_env=False).json()["keys"]}
    process = provider.processes[-1]
    process.terminate()
    assert process.wait(timeout=10) == 0
    provider.start_oidc(
        json.loads((provider.folder / "accounts.json").read_text()),
        json.loads((provider.folder / "clients.json").read_text()),
    )
    assert {k["kid"] for k in httpx.get(f"{provider.issuer}/jwks", trust_env=False).json()["keys"]} == before
    said = [
        line for line in (provider.folder / "oidc.log").read_text().splitlines() if "Unsupported runtime" not in line
    ]
    assert said == []


def test_a_file_that_can_not_be_read_is_one_line(provider: World, tmp_path: Path) -> None:
    broken = tmp_path / f"{secrets.token_hex(4)}.json"
    broken.write_text("[{")
    args = ["--port", "1", "--state", str(tmp_path), "--accounts", str(broken), "--clients", str(broken)]
    done = subprocess.run(
        [NODE, "localcloud/oidc/main.mjs", *args], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"oidc: can't read `{broken}`")
