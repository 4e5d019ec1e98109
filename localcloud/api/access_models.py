"""Bodies of the Access endpoints.

Source: https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from .access_rules import check_rules
from .envelope import ApiError, Strict

INVALID = "access.api.error.invalid_request: "
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")

Name = Annotated[str, StringConstraints(min_length=1, max_length=350)]
Duration = Annotated[str, StringConstraints(pattern=r"^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$")]
Rules = list[dict[str, Any]]


def invalid(message: str) -> ApiError:
    """Access's answer to a body that it does not take."""
    return ApiError(400, 12130, INVALID + message)


def seconds_of(duration: str) -> float:
    """The length of a duration such as `2h45m`, in seconds."""
    return sum(float(number) * UNITS[unit] for number, unit in PART.findall(duration))


class Ruled(Strict):
    """What groups and policies have: who is meant."""

    name: Name
    include: Rules = Field(min_length=1)
    exclude: Rules = []
    require: Rules = []

    @model_validator(mode="after")
    def _has_known_rules(self) -> Ruled:
        for field in ("include", "exclude", "require"):
            check_rules(field, getattr(self, field))
        return self


class Policy(Ruled):
    """Body of a reusable policy."""

    decision: Literal["allow", "deny", "non_identity", "bypass"]
    session_duration: Duration = "24h"
    approval_required: Literal[False] = False
    isolation_required: Literal[False] = False
    purpose_justification_required: Literal[False] = False


class Group(Ruled):
    """Body of a group."""

    is_default: bool | None = None


class OidcConfig(Strict):
    """`config` of an OpenID Connect provider"""

    auth_url: str
    token_url: str
    certs_url: str
    client_id: str = Field(min_length=1)
    client_secret: str | None = Field(None, min_length=1)
    scopes: list[str] | None = None
    claims: list[str] | None = None
    email_claim_name: str | None = None
    pkce_enabled: bool | None = None
    prompt: str | None = None

    @field_validator("auth_url", "token_url", "certs_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("must be a URL")
        return value


class ScimConfig(Strict):
    """`scim_config`; the local Access has no SCIM."""

    enabled: Literal[False] = False
    user_deprovision: Literal[False] | None = None
    seat_deprovision: Literal[False] | None = None
    identity_update_behavior: Literal["no_action"] | None = None


class IdentityProvider(Strict):
    """Body of an identity provider; the local Access signs people in by OpenID Connect only."""

    name: Name
    type: Literal["oidc"]
    config: OidcConfig
    scim_config: ScimConfig = ScimConfig()


class ServiceToken(Strict):
    """Body of a service token's creation."""

    name: Name
    duration: Duration | Literal["forever"] = "8760h"
    client_secret_version: int | float = Field(1, ge=1)
    previous_client_secret_expires_at: str | None = None
    enabled: bool = True

    @field_validator("previous_client_secret_expires_at")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        return _checked_time(value)


class ServiceTokenChange(Strict):
    """Body of a service token's change: what is left out stays."""

    name: Name | None = None
    duration: Duration | Literal["forever"] | None = None
    client_secret_version: int | float | None = Field(None, ge=1)
    previous_client_secret_expires_at: str | None = None
    enabled: bool | None = None

    @field_validator("previous_client_secret_expires_at")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        return _checked_time(value)


class Rotation(Strict):
    """Body of a rotation."""

    previous_client_secret_expires_at: str | None = None

    @field_validator("previous_client_secret_expires_at")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        return _checked_time(value)


def _checked_time(value: str | None) -> str | None:
    if value is not None:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a time as RFC 3339 writes it") from None
        if moment.tzinfo is None:
            raise ValueError("must name its time zone")
    return value


class AppPolicy(Strict):
    """`policies[]` of an application: a reusable policy by id."""

    id: str
    precedence: int | None = Field(None, ge=1)


class Destination(Strict):
    """`destinations[]`: a public hostname with an optional path, or a Worker."""

    type: Literal["public", "worker"] = "public"
    uri: str | None = None
    worker_id: str | None = None

    @model_validator(mode="after")
    def _has_its_field(self) -> Destination:
        if (self.type == "public") != bool(self.uri) or (self.type == "worker") != bool(self.worker_id):
            raise ValueError("public has a uri, worker a worker_id")
        return self


class Application(Strict):
    """Body of a self-hosted application; the defaults are what Cloudflare fills in."""

    name: Name
    type: Literal["self_hosted"]
    domain: str | None = None
    destinations: list[Destination] | None = None
    self_hosted_domains: list[str] | None = None
    policies: list[AppPolicy | str] = []
    allowed_idps: list[str] = []
    auto_redirect_to_identity: bool = False
    app_launcher_visible: bool = True
    http_only_cookie_attribute: bool = True
    same_site_cookie_attribute: Literal["strict", "lax", "none"] | None = None
    service_auth_401_redirect: bool = False
    session_duration: Duration = "24h"
    enable_binding_cookie: bool = False
    options_preflight_bypass: bool = False
    path_cookie_attribute: bool = False
    skip_interstitial: bool = False
    custom_deny_message: str | None = None
    custom_deny_url: str | None = None
    custom_non_identity_deny_url: str | None = None
    logo_url: str | None = None
    tags: list[str] = []
