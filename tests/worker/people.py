"""People and machines as they come to the gateway: sealed cookies, tokens, and the two halves of signing in."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.worker.deployment import AUDIENCE, ISSUER, PUBLIC, TEAM, Deployment, Signer, signer
from tests.worker.runtime import Answer, Runtime

GROUP_OF = {"analyst": "bi-analysts", "engineer": "bi-engineers", "exec": "bi-execs"}
BOT_GROUP_OF = {"engineer": "bot-engineers", "exec": "bot-execs"}
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seal(deployment: Deployment, purpose: str, value: dict[str, Any], *, key: str | None = None) -> str:
    """A sealed value as the Worker makes it: version, key id, IV, ciphertext and tag. A session says what it kept."""
    raw = base64.urlsafe_b64decode((key or deployment.session_keys[0]) + "=")
    iv = os.urandom(12)
    kept = {"kept": deployment.kept_claims()} if purpose == "session" else {}
    box = AESGCM(raw).encrypt(iv, json.dumps({**kept, **value}).encode(), bound(deployment, purpose))
    return encode(b"\x01" + hashlib.sha256(raw).digest()[:4] + iv + box)


def bound(deployment: Deployment, purpose: str) -> bytes:
    """What a sealed value is bound to: what it is for, at which gateway, by whose word, for which audience."""
    audience = deployment.access_audience if deployment.mode == "access" else "mb gate"
    return f"{purpose}\n{deployment.public_url}\n{deployment.issuer}\n{audience}".encode()


def open_cookie(deployment: Deployment, value: str, purpose: str = "session") -> dict[str, Any]:
    """What a sealed value holds."""
    data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    raw = base64.urlsafe_b64decode(deployment.session_keys[0] + "=")
    return dict(json.loads(AESGCM(raw).decrypt(data[5:17], data[17:], bound(deployment, purpose))))


def session_of(role: str, /, *, metabase: str | None, now: int | None = None, **more: Any) -> dict[str, Any]:
    """The content of a person's session cookie."""
    now = int(time.time()) if now is None else now
    groups = {"analyst": "bi-analysts", "engineer": "bi-engineers", "exec": "bi-execs"}
    return {
        "issuer": "workforce",
        "sub": f"sub-{role}",
        "email": f"{role}@acme.test",
        "name": role.title(),
        "claims": {"groups": [groups[role]] if role in groups else [], "department": "sales"},
        "iat": now,
        "seen": now,
        "exp": now + 43200,
        "hint": None,
        "metabase": metabase,
        "role": role if role in groups else None,
        **more,
    }


def cookie_of(runtime: Runtime, role: str, /, **more: Any) -> dict[str, str]:
    """A Cookie header of a person who holds a Metabase session already."""
    user = next((u for u in runtime.world.metabase.users.values() if u["email"] == f"{role}@acme.test"), None)
    user = user or runtime.world.metabase.add(f"{role}@acme.test")
    session = f"session-of-{role}"
    runtime.world.metabase.sessions[session] = user["id"]
    value = session_of(role, **{"metabase": session, **more})
    return {"Cookie": f"__Host-mbgate={seal(runtime.deployment, 'session', value)}"}


def id_claims(role: str, nonce: str, /, **more: Any) -> dict[str, Any]:
    """What the provider says of a person; None leaves a claim out."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": "mb gate",
        "sub": f"sub-{role}",
        "nonce": nonce,
        "iat": now,
        "exp": now + 300,
        "email": f"{role}@acme.test",
        "email_verified": True,
        "name": f"{role.title()} Person",
        "groups": [GROUP_OF[role]] if role in GROUP_OF else [],
        "department": "sales",
        "salary": "confidential",
        **more,
    }


def bearer(role: str = "engineer", by: Signer | None = None, header: dict[str, Any] | None = None, **more: Any) -> str:
    """The access token of a machine that may do what people of that role may."""
    now = int(time.time())
    groups = [BOT_GROUP_OF[role]] if role in BOT_GROUP_OF else []
    claims = {
        "iss": ISSUER,
        "aud": PUBLIC,
        "sub": f"bot-{role}",
        "iat": now,
        "exp": now + 300,
        "groups": groups,
        **more,
    }
    return (by or signer("idp")).sign(claims, **header or {})


def access_token(role: str = "analyst", by: Signer | None = None, **more: Any) -> str:
    """An application token of Cloudflare Access for a person."""
    now = int(time.time())
    claims = {
        "iss": TEAM,
        "aud": [AUDIENCE],
        "sub": f"access-{role}",
        "email": f"{role}@acme.test",
        "type": "app",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "identity_nonce": "n",
        "custom": {"groups": [GROUP_OF[role]] if role in GROUP_OF else [], "department": "sales"},
        **more,
    }
    return (by or signer("access")).sign(claims)


@dataclass(frozen=True)
class Started:
    """A sign-in that waits for the provider's answer."""

    cookie: str
    query: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """A navigation back from the provider."""
        return {**PAGE, "Cookie": f"__Host-mbgate-tx={self.cookie}"}


def start_sign_in(runtime: Runtime, return_to: str = "/") -> Started:
    """The first half of signing in."""
    answer = runtime.ask("GET", f"/_gateway/sign-in?return_to={quote(return_to, safe='')}", PAGE)
    assert answer.status == 302
    query = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    cookie = answer.cookie("__Host-mbgate-tx")
    assert cookie
    return Started(cookie, query)


def finish_sign_in(runtime: Runtime, started: Started, role: str, by: Signer | None = None, **claims: Any) -> Answer:
    """The second half: the provider answers with a code for these claims."""
    token = (by or signer("idp")).sign(id_claims(role, started.query["nonce"], **claims))
    runtime.world.provider.codes["the-code"] = token
    query = urlencode({"code": "the-code", "state": started.query["state"], "iss": ISSUER})
    return runtime.ask("GET", f"/_gateway/callback?{query}", started.headers)
