"""The OIDC provider: code flow with PKCE, claims in the ID token, machine tokens, keys."""

from __future__ import annotations

import json
import secrets
import stat
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.edge.browser import Browser
from tests.edge.relying import CALLBACK, RESOURCE, SECRET, authorization, redeem, sign_in, verified
from tests.edge.world import NODE, ROOT, World


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
