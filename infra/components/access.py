"""Identity mode `access`: the Access application in front of the gateway's hostname."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare

from infra.naming import resource_name as named
from infra.settings import Settings


class AccessApplication(pulumi.ComponentResource):
    """Identity provider, policies and application. Access only lets in whom the provider knows; what they may open is
    decided by the Worker on every request. Output: `audience`, the application's AUD tag."""

    audience: pulumi.Output[str]

    def __init__(
        self,
        settings: Settings,
        *,
        discovery: dict[str, Any],
        client_secret: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mbgate:components:AccessApplication", "access", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account_id, name = settings.cloudflare.account_id, named(settings.stack, "gateway")
        provider = cloudflare.ZeroTrustAccessIdentityProvider(
            "workforce",
            account_id=account_id,
            name=named(settings.stack, settings.identity.provider),
            type="oidc",
            config={
                "auth_url": discovery["authorization_endpoint"],
                "token_url": discovery["token_endpoint"],
                "certs_url": discovery["jwks_uri"],
                "client_id": settings.identity.client_id,
                "client_secret": client_secret,
                "scopes": list(settings.identity.scopes),
                "claims": list(settings.identity.claims),
                "pkce_enabled": True,
            },
            opts=child,
        )
        people = cloudflare.ZeroTrustAccessPolicy(
            "people",
            account_id=account_id,
            name=f"{name}-people",
            decision="allow",
            includes=[{"login_method": {"id": provider.id}}],
            opts=child,
        )
        machines = cloudflare.ZeroTrustAccessPolicy(
            "machines",
            account_id=account_id,
            name=f"{name}-machines",
            decision="non_identity",
            includes=[{"any_valid_service_token": {}}],
            opts=child,
        )
        application = cloudflare.ZeroTrustAccessApplication(
            "gateway",
            account_id=account_id,
            name=name,
            type="self_hosted",
            domain=settings.gateway.hostname,
            policies=[{"id": people.id, "precedence": 1}, {"id": machines.id, "precedence": 2}],
            allowed_idps=[provider.id],
            auto_redirect_to_identity=True,
            session_duration=_duration(settings.session.absolute_seconds),
            opts=child,
        )
        self.audience = application.aud
        self.register_outputs({"audience": self.audience})


def _duration(seconds: int) -> str:
    """A length of time as Cloudflare writes it, such as `12h` or `90m`; in whole minutes, never more than was said."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours * 60 + minutes}m" if minutes else f"{hours}h"
