"""A relying party of the OIDC provider: what a client sends, and how it judges tokens."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt

from tests.edge.browser import Browser
from tests.edge.world import World

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
