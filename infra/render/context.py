"""The template context: every value that `worker_templates/config.js.j2` may use, and what it means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AccessTrust:
    """What the gateway accepts from Cloudflare Access."""

    issuer: str
    """The team domain's URL; the `iss` of its application tokens."""
    audience: str
    """The application audience (AUD) tag of the Access application that covers the gateway's hostname."""
    jwks_uri: str
    """Where the cron trigger refreshes the keys from."""
    jwks: dict[str, Any]
    """The public keys at deploy time (RFC 7517)."""


@dataclass(frozen=True, kw_only=True)
class IssuerTrust:
    """What the gateway accepts from one more issuer: machines' bearer tokens."""

    name: str
    """The name by which `match.issuer` in the policies means this issuer."""
    issuer: str
    """The `iss` of its tokens, compared exactly."""
    audience: str
    """The audience that its tokens must carry."""
    jwks_uri: str
    """Where the cron trigger refreshes the keys from."""
    jwks: dict[str, Any]
    """The public keys at deploy time."""


@dataclass(frozen=True, kw_only=True)
class IdentityContext:
    """Who may say who somebody is."""

    mode: str
    """`oidc`: the Worker signs people in. `access`: Cloudflare Access does."""
    provider: str
    """The name by which `match.issuer` in the policies means this issuer."""
    issuer: str
    """The OpenID provider's issuer identifier, compared exactly."""
    client_id: str
    """The gateway's client id at the provider; the audience of ID tokens."""
    scopes: tuple[str, ...]
    """The scopes of the authorization request."""
    authorization_endpoint: str
    """From the provider's discovery document."""
    token_endpoint: str
    """From the provider's discovery document."""
    end_session_endpoint: str | None
    """RP-initiated logout, where the provider has it."""
    userinfo_endpoint: str | None
    """From the provider's discovery document, where it has one."""
    jwks_uri: str
    """Where the cron trigger refreshes the keys from."""
    algorithms: tuple[str, ...]
    """The signature algorithms that are accepted at all; each key is pinned to one of them."""
    jwks: dict[str, Any]
    """The public keys at deploy time."""
    bearer_audience: str | None
    """The audience that machines' bearer tokens must carry; None turns bearers off."""
    access: AccessTrust | None
    """Set in mode `access` only."""
    issuers: tuple[IssuerTrust, ...] = ()
    """Issuers of machines' bearer tokens, beside the provider; none in mode `access`."""


@dataclass(frozen=True, kw_only=True)
class GatewayContext:
    """The gateway's `config.js`."""

    stack: str
    """The stack's name, for logs."""
    public_url: str
    """The one URL that people use, without a trailing slash; any other Host is refused."""
    policy_digest: str
    """SHA-256 of the canonical decision table, hexadecimal."""
    identity: IdentityContext
    session: dict[str, int]
    """`idle_seconds` and `absolute_seconds`."""
    origin: dict[str, str | None]
    """`url` for the private path, and `hostname` where a Tunnel hostname is used."""
    assertion: dict[str, str | int]
    """`audience` and `lifetime_seconds` of the proof for the origin."""
    team_claim: str
    """The claim that names a person's team."""
    brand: dict[str, str | None]
    """On the gateway's own pages: `name`, `color`; `logo` as a data: URL, `support_url` and `support_text`, or None."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the template."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class BrokerContext:
    """The broker's `config.js`."""

    stack: str
    """The stack's name, for logs."""
    public_url: str
    """The gateway's URL, the issuer of assertions."""
    origin: dict[str, str | None]
    """As in the gateway's."""
    assertion: dict[str, str | int]
    """As in the gateway's."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the template."""
        return asdict(self)
