"""A stack's settings: frozen, typed, documented; this module is the only reader of `pulumi.Config`.

Each class is one structured key of `Pulumi.<stack>.yaml` in the namespace `mbgate`; the documentation of each field is
its `description`, from which the settings table is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.errors import Fault, SettingsError

NAMESPACE = "mbgate"
ID = r"^[0-9a-f]{32}$"
HOSTNAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
URL = r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$"
COLOR = r"^#[0-9a-f]{6}$"


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_camel, populate_by_name=True)


class CloudflareSettings(_Section):
    """`mbgate:cloudflare`"""

    account_id: str = Field(pattern=ID, description="Cloudflare account id, 32 hexadecimal digits")
    zone_id: str = Field(pattern=ID, description="id of the zone that holds the gateway's hostname")
    team_url: str | None = Field(
        None,
        pattern=URL,
        description="Zero Trust team domain, `https://TEAM.cloudflareaccess.com`; mode `access` needs it",
    )
    base_url: str | None = Field(
        None, pattern=URL, description="another API address than Cloudflare's, for the local cloud"
    )


class GatewaySettings(_Section):
    """`mbgate:gateway`"""

    hostname: str = Field(pattern=HOSTNAME, description="the hostname that people open; part of the zone")
    public_url: str | None = Field(
        None,
        pattern=URL,
        description="the whole URL where it isn't `https://HOSTNAME`, without trailing slash",
    )

    @property
    def url(self) -> str:
        """The one URL that people use, without a trailing slash."""
        return (self.public_url or f"https://{self.hostname}").rstrip("/")


class IdentitySettings(_Section):
    """`mbgate:identity`"""

    mode: Literal["oidc", "access"] = Field("oidc", description="who signs people in: the Worker, or Cloudflare Access")
    provider: str = Field("workforce", description="the name that `match.issuer` in the policies uses for this issuer")
    issuer: str = Field(pattern=URL, description="the OpenID provider's issuer, exactly as it spells it")
    client_id: str = Field(min_length=1, description="the client registered at the provider")
    scopes: tuple[str, ...] = Field(
        ("openid", "profile", "email", "groups"),
        description="scopes of the sign-in request; `openid` is required",
    )
    algorithms: tuple[str, ...] = Field(
        ("RS256", "ES256"), description="signature algorithms that are accepted; each key is pinned to one"
    )
    bearer_audience: str | None = Field(
        None,
        description="audience that machines' bearer tokens must carry; without it bearer tokens are refused",
    )
    team_claim: str = Field("department", description="the claim that names a person's team")
    claims: tuple[str, ...] = Field(
        ("groups", "department"),
        description="mode `access`: claims that Access copies from the provider into its token",
    )

    @model_validator(mode="after")
    def _signing_and_scopes(self) -> IdentitySettings:
        if any(a.startswith("HS") or a == "none" for a in self.algorithms):
            raise ValueError("`algorithms` may name public-key algorithms only")
        if self.bearer_audience == self.client_id:
            raise ValueError("`bearerAudience` must differ from `clientId`, or ID tokens would pass for bearer tokens")
        if "openid" not in self.scopes:
            raise ValueError("`scopes` must name `openid` (OpenID Connect Core 3.1.2.1)")
        return self


class OriginSettings(_Section):
    """`mbgate:origin`"""

    private_path: Literal["vpc", "hostname"] = Field(
        "vpc",
        description="how the Worker reaches Metabase: a Workers VPC service, or a Tunnel hostname behind Access",
    )
    host: str = Field("metabase.internal", pattern=HOSTNAME, description="Metabase's name on the private network")
    port: int = Field(3000, ge=1, le=65535, description="Metabase's port on the private network")
    hostname: str | None = Field(
        None, pattern=HOSTNAME, description="the Tunnel hostname; required when `privatePath` is `hostname`"
    )

    @model_validator(mode="after")
    def _hostname_when_used(self) -> OriginSettings:
        if self.private_path == "hostname" and not self.hostname:
            raise ValueError("`hostname` is required when `privatePath` is `hostname`")
        return self

    @property
    def url(self) -> str:
        """Metabase's URL on the private network."""
        return f"http://{self.host}:{self.port}"


class MetabaseSettings(_Section):
    """`mbgate:metabase`"""

    admin_url: str = Field(pattern=URL, description="where the deployment itself reaches Metabase's API")
    admin_email: str = Field(
        "mbgate@mbgate.invalid",
        description="the administrator that the deployment makes; no person signs in with it",
    )
    site_name: str = Field("Metabase", description="Metabase's own site name")


class SessionSettings(_Section):
    """`mbgate:session`"""

    idle_seconds: int = Field(3600, ge=60, le=86400, description="a session unused for so long ends, in seconds")
    absolute_seconds: int = Field(
        43200, ge=300, le=604800, description="a session ends after so long in any case, in seconds"
    )


class BrandSettings(_Section):
    """`mbgate:brand`"""

    name: str = Field("mbgate", min_length=1, max_length=60, description="the name on the gateway's own pages")
    color: str = Field("#2f5bea", pattern=COLOR, description="the accent colour on the gateway's own pages")


class RotationSettings(_Section):
    """`mbgate:rotation`: change a value to rotate that key"""

    session_key: str = Field("1", description="key of the session cookies; the former one stays valid for one rotation")
    assertion_key: str = Field(
        "1", description="key of the assertions; the former one stays published for one rotation"
    )
    broker_key: str = Field("1", description="key from which people's Metabase passwords are derived")


class Settings(_Section):
    """All of a stack's settings."""

    stack: str
    cloudflare: CloudflareSettings
    gateway: GatewaySettings
    identity: IdentitySettings
    origin: OriginSettings = Field(default_factory=OriginSettings)
    metabase: MetabaseSettings
    session: SessionSettings = Field(default_factory=SessionSettings)
    brand: BrandSettings = Field(default_factory=BrandSettings)
    rotation: RotationSettings = Field(default_factory=RotationSettings)
    policies: str = Field("policies", description="folder of the policies, from the project's root")

    @model_validator(mode="after")
    def _team_for_access(self) -> Settings:
        needs_team = self.identity.mode == "access" or self.origin.private_path == "hostname"
        if needs_team and not self.cloudflare.team_url:
            raise ValueError("`cloudflare.teamUrl` is required with identity mode `access` and with a Tunnel hostname")
        return self


SECTIONS: dict[str, type[_Section]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, _Section)
}


def parse(stack: str, values: Mapping[str, Any]) -> Settings:
    """Settings from plain values by section; every fault at once, each with its key and what to do."""
    try:
        return Settings.model_validate({"stack": stack, **values})
    except ValidationError as error:
        raise SettingsError(
            f"the settings of stack `{stack}` can't be used",
            faults=[_fault(stack, detail) for detail in error.errors(include_url=False)],
        ) from None


def _fault(stack: str, detail: Any) -> Fault:
    path = ".".join(str(part) for part in detail["loc"])
    message = {"missing": "is missing", "extra_forbidden": "is no setting"}.get(
        detail["type"], detail["msg"].removeprefix("Value error, ")
    )
    return Fault(
        code="setting-" + {"missing": "missing", "extra_forbidden": "unknown"}.get(detail["type"], "invalid"),
        message=f"`{NAMESPACE}:{path}` {message}" if path else message,
        file=f"Pulumi.{stack}.yaml",
        path=f"$.config.{NAMESPACE}:{path}" if path else "$.config",
    )


def read(config: pulumi.Config | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the running stack; that the API token is there is checked too."""
    source = config or pulumi.Config(NAMESPACE)
    values = {_camel(name): source.get_object(_camel(name)) for name in SECTIONS}
    policies = source.get("policies")
    if policies:
        values["policies"] = policies
    settings = parse(pulumi.get_stack(), {k: v for k, v in values.items() if v is not None})
    if not environ.get("CLOUDFLARE_API_TOKEN"):
        raise SettingsError(
            "the environment variable CLOUDFLARE_API_TOKEN is not set",
            code="token-missing",
            help="make an API token with the permissions that the README lists and export it",
        )
    return settings


def require_secret(name: str, config: pulumi.Config | None = None) -> pulumi.Output[str]:
    """A secret setting, which stays a secret Output; a missing one is a fault that says how to set it."""
    source = config or pulumi.Config(NAMESPACE)
    getter: Callable[[str], pulumi.Output[str] | None] = source.get_secret
    value = getter(name)
    if value is None:
        raise SettingsError(
            f"the secret setting `{NAMESPACE}:{name}` is not set",
            code="setting-missing",
            help=f"run `pulumi config set --secret {NAMESPACE}:{name}` and paste the value",
        )
    return value
