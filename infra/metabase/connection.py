"""How a deployment reaches Metabase: by its private path like everybody else, or directly where a setting says so."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

ASSERTION_HEADER = "Mbgate-Assertion"
ASSERTION_AUDIENCE = "metabase"
ASSERTION_SECONDS = 60
SUBJECT = "mbgate-deployment"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Metabase's address and what opens the way to it.

    `client_id` and `client_secret` are the deployment's own Access service token (Cloudflare: "Service tokens");
    `assertion_key` is a private ES256 JWK (RFC 7517), with which each request proves to the sidecar who sends it.
    """

    url: str
    host: str | None = None
    """The Host header, where the address is not the hostname itself."""
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    assertion_key: str | None = field(default=None, repr=False)
    issuer: str | None = None
    """The gateway's URL, the `iss` of every assertion."""

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Connection:
        """From the resource input `connection`, whose names are camelCase."""
        names = {
            "url": "url",
            "host": "host",
            "clientId": "client_id",
            "clientSecret": "client_secret",
            "assertionKey": "assertion_key",
            "issuer": "issuer",
        }
        return cls(**{names[name]: value for name, value in values.items()})

    def client(self, headers: Mapping[str, str], timeout_seconds: float) -> httpx.Client:
        """An HTTP client that carries the proof with every request and follows no redirect.

        A proxy of the environment is used for public names only, never for addresses on this machine.
        """
        host = {"Host": self.host} if self.host else {}
        return httpx.Client(
            base_url=self.url,
            headers={**headers, **host},
            timeout=timeout_seconds,
            trust_env=self.url.startswith("https:"),
            auth=_Proof(self),
        )


class _Proof(httpx.Auth):
    """Adds the service token, and an assertion made for this request."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx: "Customizing authentication"."""
        connection = self._connection
        if connection.client_id and connection.client_secret:
            request.headers["CF-Access-Client-Id"] = connection.client_id
            request.headers["CF-Access-Client-Secret"] = connection.client_secret
        if connection.assertion_key:
            request.headers[ASSERTION_HEADER] = _assertion(connection.assertion_key, connection.issuer)
        yield request


def _assertion(key: str, issuer: str | None) -> str:
    now, jwk = int(time.time()), json.loads(key)
    claims = {
        "iss": issuer,
        "sub": SUBJECT,
        "aud": ASSERTION_AUDIENCE,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    }
    private = jwt.PyJWK(jwk, "ES256").key
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": jwk["kid"]})
