"""Access: applications, policies, groups, identity providers, service tokens.

Source: developers.cloudflare.com/api/resources/zero_trust, and the defaults of the official provider's schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from localcloud.plugins.cloudflare.drift import Tolerance
from localcloud.plugins.cloudflare.names import Names
from localcloud.plugins.cloudflare.resource import Inputs, Resource, Wire

_RULE_NAMES = Names(
    {
        "includes": "include",
        "excludes": "exclude",
        "requires": "require",
        "azureAd": "azureAD",
        "githubOrganization": "github-organization",
        "serviceAuth401Redirect": "service_auth_401_redirect",
        "targetCriterias": "target_criteria",
        "audTags": "aud_tag",
    }
)

_SELF_HOSTED = ("self_hosted", "ssh", "vnc", "rdp", "mcp_portal")
_IN_LAUNCHER = ("self_hosted", "ssh", "vnc", "rdp", "saas", "bookmark")
_WITH_SESSION = (*_SELF_HOSTED, "saas", "dash_sso", "app_launcher", "warp", "mcp", "proxy_endpoint")


@dataclass(frozen=True, kw_only=True)
class Application(Resource):
    """`ZeroTrustAccessApplication`: the defaults depend on the application's type."""

    @override
    def body(self, inputs: Inputs) -> Wire:
        body: Wire = {"policies": []} | super().body(inputs)
        kind = body.get("type", "")
        defaults: Wire = {}
        if kind in (*_SELF_HOSTED, "mcp"):
            defaults["http_only_cookie_attribute"] = True
        if kind in _IN_LAUNCHER:
            defaults["app_launcher_visible"] = True
        if kind in _WITH_SESSION:
            defaults["session_duration"] = "24h"
        body["policies"] = _numbered(body["policies"])
        if "destinations" in body:
            body["destinations"] = [{"type": "public"} | destination for destination in body["destinations"]]
        return defaults | body


def _numbered(policies: list[Any]) -> list[Any]:
    """Policies with a precedence each: one more than that of the policy before."""
    numbered, last = [], 0
    for policy in policies:
        last = policy.get("precedence") or last + 1
        numbered.append(policy | {"precedence": last})
    return numbered


APPLICATION = Application(
    kind="zeroTrustAccessApplication:ZeroTrustAccessApplication",
    collection="/{scope}/access/apps",
    item="/{id}",
    required=(),
    optional=(
        "accountId", "allowAuthenticateViaWarp", "allowIframe", "allowedIdps", "appLauncherLogoUrl",
        "appLauncherVisible", "autoRedirectToIdentity", "bgColor", "corsHeaders", "customDenyMessage",
        "customDenyUrl", "customNonIdentityDenyUrl", "customPages", "destinations", "domain", "enableBindingCookie",
        "footerLinks", "headerBgColor", "httpOnlyCookieAttribute", "landingPageDesign", "logoUrl", "mfaConfig",
        "name", "oauthConfiguration", "optionsPreflightBypass", "pathCookieAttribute", "policies",
        "readServiceTokensFromHeader", "sameSiteCookieAttribute", "selfHostedDomains", "serviceAuth401Redirect",
        "sessionDuration", "skipAppLauncherLoginPage", "skipInterstitial", "tags", "targetCriterias", "type",
        "zoneId",
    ),
    outputs=("aud",),
    replaces=frozenset({"accountId", "zoneId"}),
    filled=frozenset({"destinations", "domain", "name", "selfHostedDomains", "type", "landingPageDesign"}),
    names=_RULE_NAMES,
    tolerance=Tolerance(unordered=("allowed_idps", "self_hosted_domains", "tags")),
)  # fmt: skip

POLICY = Resource(
    kind="zeroTrustAccessPolicy:ZeroTrustAccessPolicy",
    collection="/accounts/{accountId}/access/policies",
    item="/{id}",
    required=("accountId", "decision", "name"),
    optional=(
        "approvalGroups", "approvalRequired", "connectionRules", "excludes", "includes", "isolationRequired",
        "mfaConfig", "purposeJustificationPrompt", "purposeJustificationRequired", "requires", "sessionDuration",
    ),
    outputs=("appCount", "createdAt", "reusable", "updatedAt"),
    replaces=frozenset({"accountId"}),
    import_id=("accountId",),
    names=_RULE_NAMES,
    defaults=lambda _: {"session_duration": "24h"},
    tolerance=Tolerance(unordered=("include", "exclude", "require")),
    unstable=frozenset({"updatedAt"}),
)  # fmt: skip

GROUP = Resource(
    kind="zeroTrustAccessGroup:ZeroTrustAccessGroup",
    collection="/{scope}/access/groups",
    item="/{id}",
    required=("includes", "name"),
    optional=("accountId", "excludes", "isDefault", "requires", "zoneId"),
    replaces=frozenset({"accountId", "zoneId"}),
    names=_RULE_NAMES,
    tolerance=Tolerance(hidden=("is_default",), unordered=("include", "exclude", "require")),
)

IDENTITY_PROVIDER = Resource(
    kind="zeroTrustAccessIdentityProvider:ZeroTrustAccessIdentityProvider",
    collection="/{scope}/access/identity_providers",
    item="/{id}",
    required=("config", "name", "type"),
    optional=("accountId", "samlCertificateSetId", "scimConfig", "zoneId"),
    outputs=("samlCertificateSet",),
    replaces=frozenset({"accountId", "type", "zoneId"}),
    filled=frozenset({"samlCertificateSetId", "scimConfig"}),
    tolerance=Tolerance(hidden=("client_secret", "secret"), unordered=("scopes", "claims")),
)

SERVICE_TOKEN = Resource(
    kind="zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken",
    collection="/{scope}/access/service_tokens",
    item="/{id}",
    required=("name",),
    optional=("accountId", "clientSecretVersion", "duration", "previousClientSecretExpiresAt", "zoneId"),
    outputs=("clientId", "clientSecret", "expiresAt"),
    replaces=frozenset({"accountId", "zoneId"}),
    defaults=lambda _: {"client_secret_version": 1, "duration": "8760h"},
    tolerance=Tolerance(hidden=("client_secret_version", "previous_client_secret_expires_at")),
    secrets=frozenset({"clientSecret"}),
    unstable=frozenset({"clientSecret", "expiresAt"}),
)

RESOURCES = (APPLICATION, POLICY, GROUP, IDENTITY_PROVIDER, SERVICE_TOKEN)
