"""The Cloudflare Tunnel, the private path that the Workers take through it, and the deployment's own way in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare

from infra.naming import resource_name as named
from infra.settings import Settings

from .private_hostname import PrivateHostname
from .worker import secret_text


@dataclass(frozen=True, kw_only=True)
class PrivatePath:
    """How a Worker reaches the origin: the bindings to add to it."""

    bindings: tuple[dict[str, Any], ...]


class Tunnel(pulumi.ComponentResource):
    """A remotely configured Tunnel. The Workers go through it by a Workers VPC service or, by setting, a hostname; the
    deployment by a hostname of its own, whichever the Workers use.

    Outputs: `token` (secret, for the connector), `path`, `admin` (None where `metabase.adminUrl` is used).
    """

    token: pulumi.Output[str]
    path: PrivatePath
    admin: PrivateHostname | None = None

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
        hostnames = []
        if settings.origin.private_path == "vpc":
            self.path = self._vpc_service()
        else:
            origin = self._private_hostname("origin", str(settings.origin.hostname))
            hostnames.append(origin)
            self.path = PrivatePath(
                bindings=(
                    secret_text("ORIGIN_CLIENT_ID", origin.client_id),
                    secret_text("ORIGIN_CLIENT_SECRET", origin.client_secret),
                )
            )
        if settings.metabase.admin_hostname is not None:
            self.admin = self._private_hostname("deployment", settings.metabase.admin_hostname)
            hostnames.append(self.admin)
        ingresses = [hostname.ingress for hostname in hostnames]
        cloudflare.ZeroTrustTunnelCloudflaredConfig(
            "tunnel",
            account_id=account_id,
            tunnel_id=self._tunnel.id,
            config={"ingresses": [*ingresses, {"service": "http_status:404"}]},
            opts=self._child,
        )
        self.token = pulumi.Output.secret(
            cloudflare.get_zero_trust_tunnel_cloudflared_token_output(
                account_id=account_id, tunnel_id=self._tunnel.id, opts=pulumi.InvokeOutputOptions(parent=self)
            ).token
        )
        self.register_outputs({})

    def _private_hostname(self, part: str, hostname: str) -> PrivateHostname:
        return PrivateHostname(
            part, self._settings, hostname=hostname, tunnel_id=self._tunnel.id, opts=pulumi.ResourceOptions(parent=self)
        )

    def _vpc_service(self) -> PrivatePath:
        origin = self._settings.origin
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
