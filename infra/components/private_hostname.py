"""A hostname that a Tunnel serves, behind an Access application of its own that one service token alone opens."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare

from infra.naming import resource_name as named
from infra.settings import Settings


class PrivateHostname(pulumi.ComponentResource):
    """Service token, policy, application and DNS record. The application has an audience of its own, and no policy for
    people: a person's Access token is refused there (decision 10), by Access and again by cloudflared.

    Outputs: `client_id`, `client_secret` (secret), `ingress` (the Tunnel's rule for the hostname).
    """

    client_id: pulumi.Output[str]
    client_secret: pulumi.Output[str]
    ingress: dict[str, Any]

    def __init__(
        self,
        part: str,
        settings: Settings,
        *,
        hostname: str,
        tunnel_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mbgate:components:PrivateHostname", part, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account_id, name = settings.cloudflare.account_id, named(settings.stack, part)
        # One that runs out would end every deployment, or all access, a year later; it is rotated, not left to expire.
        token = cloudflare.ZeroTrustAccessServiceToken(
            part, account_id=account_id, name=name, duration="forever", opts=child
        )
        policy = cloudflare.ZeroTrustAccessPolicy(
            part,
            account_id=account_id,
            name=name,
            decision="non_identity",
            includes=[{"service_token": {"token_id": token.id}}],
            opts=child,
        )
        app = cloudflare.ZeroTrustAccessApplication(
            part,
            account_id=account_id,
            name=name,
            type="self_hosted",
            domain=hostname,
            policies=[{"id": policy.id, "precedence": 1}],
            app_launcher_visible=False,
            service_auth401_redirect=True,
            opts=child,
        )
        cloudflare.DnsRecord(
            part,
            zone_id=settings.cloudflare.zone_id,
            name=hostname,
            type="CNAME",
            ttl=1,
            proxied=True,
            content=tunnel_id.apply(lambda known: f"{known}.cfargotunnel.com"),
            # Nobody may find the hostname before Access stands in front of it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[app]),
        )
        team = str(settings.cloudflare.team_url).split("//")[1].split(".")[0]
        access = {"required": True, "team_name": team, "aud_tags": [app.aud]}
        self.ingress = {"hostname": hostname, "service": settings.origin.url, "origin_request": {"access": access}}
        self.client_id = token.client_id
        self.client_secret = pulumi.Output.secret(token.client_secret)
        self.register_outputs({})
