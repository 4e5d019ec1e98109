"""Composes the components: the same for local, development and production; only settings differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare

from infra.access.load import load_policies
from infra.access.model import Issuer
from infra.access.overlay import BASE
from infra.access.table import canonical_json, compile_table, digest
from infra.metabase.connection import ASSERTION_AUDIENCE, ASSERTION_SECONDS
from infra.metabase.resources import Place
from infra.render.brand import brand_context
from infra.render.bundle import broker_bundle, bundle_code, gateway_bundle
from infra.render.context import AccessTrust, BrokerContext, GatewayContext, IdentityContext, IssuerTrust
from infra.render.discovery import discover, fetch_jwks
from infra.settings import Settings, require_secret
from infra.settings.environment import overlay_of
from infra.settings.identity import agreed, machine_issuers

from .components.access import AccessApplication
from .components.broker import broker_worker
from .components.gateway import Gateway
from .components.keys import Keys
from .components.metabase import MetabaseAccess
from .components.private_metabase import PrivateMetabase
from .components.tunnel import Tunnel

ASSERTION: dict[str, str | int] = {"audience": ASSERTION_AUDIENCE, "lifetime_seconds": ASSERTION_SECONDS}
ACCESS_ALGORITHMS = ("RS256",)


def build(settings: Settings, root: Path) -> dict[str, pulumi.Output[Any] | str]:
    """Declares every resource of the stack and answers its exports.

    All that can fail without a cloud (policies, discovery, bundling) is done first, so that bad input changes nothing.
    """
    folder = root / settings.policies
    policies = load_policies(folder, overlay_of(settings, folder))
    settings = agreed(settings, policies)
    table = compile_table(policies)
    discovery = discover(str(settings.identity.issuer))
    client_secret = require_secret("oidcClientSecret")
    gateway_code = bundle_code(root, "gateway/main.js")
    broker_code = bundle_code(root, "broker/main.js")
    brand = brand_context(root, **settings.brand.model_dump())
    identity = _identity(settings, discovery)
    issuers = tuple(_trust(issuer, settings) for issuer in machine_issuers(settings, policies))
    access_keys = _access_keys(settings)

    provider = cloudflare.Provider("cloudflare", base_url=settings.cloudflare.base_url)
    opts = pulumi.ResourceOptions(providers={"cloudflare": provider})

    has_data = settings.metabase.runtime == "docker"
    keys = Keys(settings.rotation, protect=has_data and settings.metabase.protect_data, opts=opts)
    tunnel = Tunnel(settings, opts)
    private = None
    if has_data:
        private = PrivateMetabase(settings, root=root, keys=keys, tunnel_token=tunnel.token)
    # Before anybody signs with a new key, the sidecar has its public part; before anybody asks, there is a way.
    after = [tunnel, *([private] if private else [])]
    metabase = MetabaseAccess(
        settings,
        policies=policies,
        admin_password=keys.admin_password,
        place=Place(
            instance=private.instance if private else settings.metabase.admin_url or settings.origin.url,
            connection=_way_in(settings, tunnel, keys),
            revision=private.revision if private else "",
            goes_with=private.data if private else None,
        ),
        after=after,
        opts=opts,
    )
    origin = {
        "url": settings.origin.url,
        "hostname": settings.origin.hostname if _by_hostname(settings) else None,
    }
    broker_config = BrokerContext(
        stack=settings.stack, public_url=settings.gateway.url, origin=origin, assertion=ASSERTION
    ).as_dict()
    broker = broker_worker(
        settings,
        bundle=broker_bundle(root, broker_code, broker_config),
        key=keys.broker,
        metabase=metabase,
        assertion_key=keys.assertion,
        path=tunnel.path,
        opts=opts,
    )

    def gateway_config(audience: str | None) -> dict[str, Any]:
        trust = None
        if audience is not None:
            team = str(settings.cloudflare.team_url)
            trust = AccessTrust(issuer=team, audience=audience, jwks_uri=_certs(team), jwks=access_keys or {"keys": []})
        return GatewayContext(
            stack=settings.stack,
            public_url=settings.gateway.url,
            policy_digest=digest(table),
            identity=IdentityContext(**identity, access=trust, issuers=issuers),
            session=settings.session.model_dump(),
            origin=origin,
            assertion=ASSERTION,
            team_claim=settings.identity.team_claim,
            brand=brand,
        ).as_dict()

    def bundle(audience: str | None) -> Any:
        return gateway_bundle(root, gateway_code, gateway_config(audience), canonical_json(table), digest(table))

    if settings.identity.mode == "access":
        application = AccessApplication(settings, discovery=discovery, client_secret=client_secret, opts=opts)
        gateway_modules = application.audience.apply(bundle)
    else:
        gateway_modules = bundle(None)
    gateway = Gateway(
        settings,
        bundle=gateway_modules,
        keys=keys,
        path=tunnel.path,
        broker_name=broker.name,
        client_secret=client_secret if settings.identity.mode == "oidc" else None,
        opts=opts,
    )
    return {
        "gatewayUrl": settings.gateway.url,
        "policyDigest": digest(table),
        "policyEnvironment": settings.environment or BASE,
        "workerVersion": gateway.version_id,
        "tunnelToken": tunnel.token,
        "keysRotatedAt": pulumi.Output.all(
            session=keys.session.rotated_at,
            assertion=keys.assertion.rotated_at,
            broker=keys.broker.rotated_at,
        ),
    }


def _way_in(settings: Settings, tunnel: Tunnel, keys: Keys) -> dict[str, pulumi.Input[str]]:
    """The deployment's own way to Metabase."""
    proof: dict[str, pulumi.Input[str]] = {"assertionKey": keys.assertion.current, "issuer": settings.gateway.url}
    if tunnel.admin is None:
        return {"url": str(settings.metabase.admin_url), **proof}
    hostname, edge = str(settings.metabase.admin_hostname), settings.cloudflare.edge_url
    return {
        "url": edge or f"https://{hostname}",
        **({"host": hostname} if edge else {}),
        "clientId": tunnel.admin.client_id,
        "clientSecret": tunnel.admin.client_secret,
        **proof,
    }


def _identity(settings: Settings, discovery: dict[str, Any]) -> dict[str, Any]:
    identity = settings.identity
    return {
        "mode": identity.mode,
        "provider": identity.provider,
        "issuer": identity.issuer,
        "client_id": identity.client_id,
        "scopes": identity.scopes,
        "authorization_endpoint": discovery["authorization_endpoint"],
        "token_endpoint": discovery["token_endpoint"],
        "end_session_endpoint": discovery.get("end_session_endpoint"),
        "userinfo_endpoint": discovery.get("userinfo_endpoint"),
        "jwks_uri": discovery["jwks_uri"],
        "algorithms": identity.algorithms,
        "jwks": fetch_jwks(discovery["jwks_uri"], identity.algorithms),
        "bearer_audience": identity.bearer_audience,
    }


def _trust(issuer: Issuer, settings: Settings) -> IssuerTrust:
    jwks_uri = str(discover(str(issuer.url), needs=("jwks_uri",))["jwks_uri"])
    return IssuerTrust(
        name=issuer.name,
        issuer=str(issuer.url),
        audience=str(issuer.audience),
        jwks_uri=jwks_uri,
        jwks=fetch_jwks(jwks_uri, settings.identity.algorithms),
    )


def _certs(team_url: str) -> str:
    return f"{team_url}/cdn-cgi/access/certs"


def _access_keys(settings: Settings) -> dict[str, Any] | None:
    if settings.identity.mode != "access":
        return None
    return fetch_jwks(_certs(str(settings.cloudflare.team_url)), ACCESS_ALGORITHMS)


def _by_hostname(settings: Settings) -> bool:
    return settings.origin.private_path == "hostname"
