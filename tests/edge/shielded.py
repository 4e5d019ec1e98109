"""A world with Access applications on several hostnames, and what its people and machines do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt

from tests.edge import documents
from tests.edge.browser import Browser
from tests.edge.world import World, whole

SECRET = "client-secret-of-thirty-two-characters"
PEOPLE = [
    {
        "email": "analyst@acme.test",
        "password": "pw-a",
        "name": "Ana Lyst",
        "groups": ["bi-analysts"],
        "department": "sales",
    },
    {"email": "visitor@acme.test", "password": "pw-v", "name": "Vic Sitor", "groups": [], "department": "facilities"},
    {
        "email": "guest@other.test",
        "password": "pw-g",
        "name": "Gus Guest",
        "groups": ["bi-analysts"],
        "department": "x",
    },
]
ANALYSTS = {"oidc": {"identity_provider_id": "idp1", "claim_name": "groups", "claim_value": "bi-analysts"}}
GOOD = {"CF-Access-Client-Id": "bot.access", "CF-Access-Client-Secret": "s" * 64}


def token(name: str, **more: Any) -> dict[str, Any]:
    """A service token."""
    made = {"id": f"st-{name}", "client_id": f"{name}.access", "client_secret": "s" * 64, "enabled": True}
    return {**made, "expires_at": None, **more}


def shielded(world: World) -> dict[str, Any]:
    """Access applications on several hostnames, all of the probe."""
    document = whole(world)
    hosts = ("app", "domain", "deny", "bots", "open", "paths", "short", "strange", "api")
    document["domains"] += [documents.domain(f"{host}.localhost", "probe") for host in hosts]
    allow = {"decision": "allow", "include": [{"group": {"id": "g1"}}]}
    machines = {"decision": "non_identity", "include": [{"service_token": {"token_id": "st-bot"}}]}
    acme = {"decision": "allow", "include": [{"email_domain": {"domain": "acme.test"}}]}
    not_the_analyst = {"decision": "deny", "include": [{"email": {"email": "analyst@acme.test"}}]}
    any_machine = {"decision": "non_identity", "include": [{"any_valid_service_token": {}}]}
    ip = {"ip": {"ip": "127.0.0.1/32"}}
    everyone = {"decision": "allow", "include": [{"everyone": {}}]}
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    document["access"].update(
        groups=[{"id": "g1", "name": "analysts", "include": [ANALYSTS], "exclude": [], "require": []}],
        identity_providers=[
            {
                "id": "idp1",
                "name": "workforce",
                "type": "oidc",
                "config": {
                    "auth_url": f"{world.issuer}/auth",
                    "token_url": f"{world.issuer}/token",
                    "certs_url": f"{world.issuer}/jwks",
                    "client_id": "access",
                    "client_secret": SECRET,
                    "scopes": ["openid", "email", "profile", "groups"],
                    "claims": ["department"],
                    "pkce_enabled": True,
                },
            }
        ],
        service_tokens=[
            token("bot", previous_client_secret="o" * 64, previous_client_secret_expires_at=future),
            token("other", previous_client_secret="o" * 64, previous_client_secret_expires_at=past),
            token("expired", expires_at=past),
            token("off", enabled=False),
        ],
        apps=[
            documents.application("app", "app.localhost", [machines, allow], allowed_idps=["idp1"]),
            documents.application("api", "api.localhost", [allow], service_auth_401_redirect=True),
            documents.application("domain", "domain.localhost", [acme]),
            documents.application("deny", "deny.localhost", [not_the_analyst, everyone]),
            documents.application("bots", "bots.localhost", [any_machine]),
            documents.application("open", "open.localhost", [{**everyone, "decision": "bypass"}]),
            documents.application("paths", "paths.localhost/inner", [allow]),
            documents.application("short", "short.localhost", [everyone], session_duration="2s"),
            documents.application("strange", "strange.localhost", [{"decision": "allow", "include": [ip]}]),
        ],
    )  # fmt: skip
    return document


def address(access: World, host: str, path: str = "/") -> str:
    """An address of the probe."""
    return f"http://{host}.localhost:{access.port}{path}"


def sign_in(access: World, browser: Browser, url: str, email: str = "analyst@acme.test") -> httpx.Response:
    """Opens the address and signs in at the provider's form."""
    page = browser.open(url)
    assert "password" in page.text, browser.visited
    password = next(p["password"] for p in PEOPLE if p["email"] == email)
    return browser.submit(page, email=email, password=str(password))


def claims_of(access: World, jwt_text: str, host: str) -> dict[str, Any]:
    """The verified claims of an application's token."""
    certs = httpx.get(f"{access.team}/cdn-cgi/access/certs", trust_env=False).json()
    assert len(certs["keys"]) == len(certs["public_certs"]) == 2
    assert not [k for k in certs["keys"] if set(k) & {"d", "p", "q"}]
    keys = {k["kid"]: jwt.PyJWK(k) for k in certs["keys"]}
    header = jwt.get_unverified_header(jwt_text)
    assert header["alg"] == "RS256"
    aud = next(a["aud"] for a in access.cloud.document["access"]["apps"] if a["name"] == host)
    claims: dict[str, Any] = jwt.decode(
        jwt_text, keys[header["kid"]], algorithms=["RS256"], audience=aud, issuer=access.team
    )
    return claims
