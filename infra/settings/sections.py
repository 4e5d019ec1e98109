"""The sections of a stack's settings: what each key means, its bounds, and what must hold between them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ID = r"^[0-9a-f]{32}$"
HOSTNAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
URL = r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$"
COLOR = r"^#[0-9a-f]{6}$"
IMAGE = r"^[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$"
DIGEST = r"^(sha256:[0-9a-f]{64})?$"
DOCKER_HOST = r"^(unix:///|tcp://|ssh://|npipe:////)[^\s]+$"


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=camel, populate_by_name=True)


class CloudflareSettings(Section):
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
    edge_url: str | None = Field(
        None, pattern=URL, description="where this stack's hostnames are answered, for the local cloud"
    )


class GatewaySettings(Section):
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


class IdentitySettings(Section):
    """`mbgate:identity`"""

    mode: Literal["oidc", "access"] = Field("oidc", description="who signs people in: the Worker, or Cloudflare Access")
    provider: str = Field("workforce", description="the name that `match.issuer` in the policies uses for this issuer")
    issuer: str | None = Field(
        None,
        pattern=URL,
        description="the OpenID provider's issuer, exactly as it spells it; required unless the policies say it",
    )
    client_id: str | None = Field(
        None,
        min_length=1,
        description="the client registered at the provider; required unless the policies say it",
    )
    scopes: tuple[str, ...] = Field(
        ("openid", "profile", "email", "groups"),
        description="scopes of the sign-in request; `openid` is required",
    )
    algorithms: tuple[str, ...] = Field(
        ("RS256", "ES256"), description="signature algorithms that are accepted; each key is pinned to one"
    )
    bearer_audience: str | None = Field(
        None,
        description="audience that the provider's bearer tokens for machines must carry; without it, here or in the "
        "policies, they are refused",
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
        if self.bearer_audience is not None and self.bearer_audience == self.client_id:
            raise ValueError("`bearerAudience` must differ from `clientId`, or ID tokens would pass for bearer tokens")
        if "openid" not in self.scopes:
            raise ValueError("`scopes` must name `openid` (OpenID Connect Core 3.1.2.1)")
        return self


class OriginSettings(Section):
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


class DockerSettings(Section):
    """`mbgate:docker`"""

    host: str | None = Field(
        None,
        pattern=DOCKER_HOST,
        description="the Docker engine that runs Metabase; DOCKER_HOST or the machine's usual socket without it",
    )
    scope: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9]{0,11}$",
        description="part of every name on the engine, where two projects have a stack of the same name on it",
    )


class ContainerSettings(Section):
    """What every container of ours has: an image, pinned by its digest."""

    image: str = Field(pattern=IMAGE, description="the image with its tag")
    digest: str = Field(
        "",
        pattern=DIGEST,
        description="`sha256:…` of the image, from `docker buildx imagetools inspect IMAGE`; empty takes what the tag "
        "means when it is first named, with a warning",
    )

    @property
    def reference(self) -> str:
        """`NAME@DIGEST`, or `NAME:TAG` where there is no digest."""
        if not self.digest:
            return self.image
        head, _, tail = self.image.rpartition(":")
        return f"{head if head and '/' not in tail else self.image}@{self.digest}"


class MetabaseSettings(ContainerSettings):
    """`mbgate:metabase`"""

    runtime: Literal["docker", "external"] = Field(
        "docker",
        description="docker: the stack runs Metabase in a container of its own; external: one runs already, and "
        "`mbgate:origin` says where the connector finds it",
    )
    image: str = Field(
        "metabase/metabase:v0.58.x", pattern=IMAGE, description="Metabase's image; `runtime: docker` only"
    )
    memory_mb: int = Field(2048, ge=128, description="the container's memory limit, in MiB")
    networks: tuple[str, ...] = Field(
        (), description="names of Docker networks that exist, on which Metabase finds the databases that it shows"
    )
    protect_data: bool = Field(
        True,
        description="refuse to destroy or replace the data volume, and the keys without which nobody can read it",
    )
    admin_hostname: str | None = Field(
        None,
        pattern=HOSTNAME,
        description="Tunnel hostname by which the deployment itself reaches Metabase, behind an Access application "
        "that admits the deployment's service token alone",
    )
    admin_url: str | None = Field(
        None, pattern=URL, description="instead of `adminHostname`: where the deployment reaches Metabase directly"
    )
    admin_email: str = Field(
        "mbgate@mbgate.invalid",
        description="the administrator that the deployment makes; no person signs in with it",
    )
    site_name: str = Field("Metabase", description="Metabase's own site name")

    @model_validator(mode="after")
    def _one_way_in(self) -> MetabaseSettings:
        if (self.admin_hostname is None) == (self.admin_url is None):
            raise ValueError("give exactly one of `adminHostname` and `adminUrl`")
        return self


class ConnectorSettings(ContainerSettings):
    """`mbgate:connector`: the Tunnel's connector; used with `metabase.runtime: docker`"""

    image: str = Field(
        "cloudflare/cloudflared:latest", pattern=IMAGE, description="cloudflared's image, 2025.7 or newer"
    )
    edge_socket: str | None = Field(
        None, pattern=r"^/[^:\s]+$", description="the local edge's socket on this machine, for the local cloud"
    )


class SidecarSettings(ContainerSettings):
    """`mbgate:sidecar`: only requests with a valid assertion pass to Metabase; used with `metabase.runtime: docker`"""

    enabled: bool = Field(True, description="stand the verifying sidecar in front of Metabase")
    image: str = Field("node:24-slim", pattern=IMAGE, description="an image with Node.js 22 or newer")


class SessionSettings(Section):
    """`mbgate:session`"""

    idle_seconds: int = Field(3600, ge=60, le=86400, description="a session unused for so long ends, in seconds")
    absolute_seconds: int = Field(
        43200, ge=300, le=604800, description="a session ends after so long in any case, in seconds"
    )


class BrandSettings(Section):
    """`mbgate:brand`"""

    name: str = Field("mbgate", min_length=1, max_length=60, description="the name on the gateway's own pages")
    color: str = Field("#2f5bea", pattern=COLOR, description="the accent colour on the gateway's own pages")
    logo: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*\.(svg|png)$",
        description="an SVG or PNG file in the checkout, at most 20 KiB, embedded in the gateway's own pages",
    )
    support_url: str | None = Field(
        None,
        pattern=r"^(https://[A-Za-z0-9]|mailto:[^@\s]+@)[!#-;=?-~]+$",
        description="where people can ask for access or help: a `mailto:` or `https:` address",
    )
    support_text: str | None = Field(
        None, min_length=1, max_length=80, description="how that place is called; the address itself without it"
    )

    @model_validator(mode="after")
    def _text_with_url(self) -> BrandSettings:
        if self.support_text and not self.support_url:
            raise ValueError("`supportText` needs `supportUrl`")
        return self


class RotationSettings(Section):
    """`mbgate:rotation`: change a value to rotate that key"""

    session_key: str = Field("1", description="key of the session cookies; the former one stays valid for one rotation")
    assertion_key: str = Field(
        "1", description="key of the assertions; the former one stays published for one rotation"
    )
    broker_key: str = Field("1", description="key from which people's Metabase passwords are derived")


class Settings(Section):
    """All of a stack's settings."""

    stack: str
    cloudflare: CloudflareSettings
    gateway: GatewaySettings
    identity: IdentitySettings = Field(default_factory=IdentitySettings)
    origin: OriginSettings = Field(default_factory=OriginSettings)
    docker: DockerSettings = Field(default_factory=DockerSettings)
    metabase: MetabaseSettings
    connector: ConnectorSettings = Field(default_factory=ConnectorSettings)
    sidecar: SidecarSettings = Field(default_factory=SidecarSettings)
    session: SessionSettings = Field(default_factory=SessionSettings)
    brand: BrandSettings = Field(default_factory=BrandSettings)
    rotation: RotationSettings = Field(default_factory=RotationSettings)
    policies: str = Field("policies", description="folder of the policies, from the project's root")
    environment: str | None = Field(
        None,
        description="name of the overlay that holds in this stack, `environments/NAME.yaml` in the policies' folder, "
        "or `base` for the policies without any; required where there are overlays",
    )

    @model_validator(mode="after")
    def _team_for_access(self) -> Settings:
        needs_team = (
            self.identity.mode == "access"
            or self.origin.private_path == "hostname"
            or self.metabase.admin_hostname is not None
        )
        if needs_team and not self.cloudflare.team_url:
            raise ValueError(
                "`cloudflare.teamUrl` is required with identity mode `access`, with a Tunnel hostname and with "
                "`metabase.adminHostname`"
            )
        hostnames = [self.gateway.hostname, self.origin.hostname, self.metabase.admin_hostname]
        named = [hostname for hostname in hostnames if hostname is not None]
        if len(set(named)) < len(named):
            raise ValueError("`gateway.hostname`, `origin.hostname` and `metabase.adminHostname` must differ")
        return self
