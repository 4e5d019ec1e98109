"""The Cloudflare Tunnel and the private path that the Workers take through it to Metabase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare

from infra.naming import resource_name as named
from infra.settings import Settings

from .worker import secret_text


@dataclass(frozen=True, kw_only=True)
class PrivatePath:
    """How a Worker reaches the origin: the bindings to add to it."""

    bindings: tuple[dict[str, Any], ...]


class Tunnel(pulumi.ComponentResource):
    """A remotely configured Tunnel and, by setting, a Workers VPC service or a Tunnel hostname with its own Access app.

    The hostname's app has an audience of its own and only the service-token policy: a person's Access token is refused
    there (decision 10). Outputs: `token` (secret), `path`.
    """

    token: pulumi.Output[str]
    path: PrivatePath

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mbgate:components:Tunnel", "tunnel", None, opts)
        self._settings = settings
        self._child = pulumi.ResourceOptions(parent=self)
        account_id = settings.cloudflare.account_id
        self._tunnel = cloudflare.ZeroTrustTunnelCloudflared(
            "tunnel",
            account_id=account_id,
            name=named(settings.stack, "tunnel"),
            config_src="cloudflare",
            opts=self._child,
        )
        if settings.origin.private_path == "vpc":
            self.path = self._vpc_service()
        else:
            self.path = self._hostname()
        self.token = pulumi.Output.secret(
            cloudflare.get_zero_trust_tunnel_cloudflared_token_output(
                account_id=account_id, tunnel_id=self._tunnel.id, opts=pulumi.InvokeOutputOptions(parent=self)
            ).token
        )
        self.register_outputs({})

    def _configure(self, ingresses: list[dict[str, Any]]) -> None:
        cloudflare.ZeroTrustTunnelCloudflaredConfig(
            "tunnel",
            account_id=self._settings.cloudflare.account_id,
            tunnel_id=self._tunnel.id,
            config={"ingresses": [*ingresses, {"service": "http_status:404"}]},
            opts=self._child,
        )

    def _vpc_service(self) -> PrivatePath:
        origin = self._settings.origin
        self._configure([])
        service = cloudflare.ConnectivityDirectoryService(
            "metabase",
            account_id=self._settings.cloudflare.account_id,
            name=named(self._settings.stack, "metabase"),
            type="http",
            http_port=origin.port,
            host={"hostname": origin.host, "resolver_network": {"tunnel_id": self._tunnel.id}},
            opts=self._child,
        )
        binding = {"name": "ORIGIN", "type": "vpc_service", "service_id": service.service_id}
        return PrivatePath(bindings=(binding,))

    def _hostname(self) -> PrivatePath:
        settings, hostname = self._settings, str(self._settings.origin.hostname)
        account_id = settings.cloudflare.account_id
        token = cloudflare.ZeroTrustAccessServiceToken(
            "origin",
            account_id=account_id,
            name=named(settings.stack, "origin"),
            duration="8760h",
            opts=self._child,
        )
        policy = cloudflare.ZeroTrustAccessPolicy(
            "origin",
            account_id=account_id,
            name=named(settings.stack, "origin"),
            decision="non_identity",
            includes=[{"service_token": {"token_id": token.id}}],
            opts=self._child,
        )
        app = cloudflare.ZeroTrustAccessApplication(
            "origin",
            account_id=account_id,
            name=named(settings.stack, "origin"),
            type="self_hosted",
            domain=hostname,
            policies=[{"id": policy.id, "precedence": 1}],
            app_launcher_visible=False,
            service_auth401_redirect=True,
            opts=self._child,
        )
        team = str(settings.cloudflare.team_url).split("//")[1].split(".")[0]
        access = {"required": True, "team_name": team, "aud_tags": [app.aud]}
        ingress = {"hostname": hostname, "service": settings.origin.url, "origin_request": {"access": access}}
        self._configure([ingress])
        cloudflare.DnsRecord(
            "origin",
            zone_id=settings.cloudflare.zone_id,
            name=hostname,
            type="CNAME",
            ttl=1,
            proxied=True,
            content=self._tunnel.id.apply(lambda tunnel_id: f"{tunnel_id}.cfargotunnel.com"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[app]),
        )
        return PrivatePath(
            bindings=(
                secret_text("ORIGIN_CLIENT_ID", token.client_id),
                secret_text("ORIGIN_CLIENT_SECRET", token.client_secret),
            )
        )
