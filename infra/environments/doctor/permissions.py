"""What the token must be allowed: one harmless read of each API family that the deployment writes to.

Names as the dashboard shows them (there `Edit`, in the API `Write`):
https://developers.cloudflare.com/fundamentals/api/reference/permissions/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from infra.settings import Settings

from .credentials import api_of
from .model import Check, Found, error, ok, skipped, warning
from .subject import Subject

ACCOUNT_ID, ZONE_ID = "cloudflare.accountId", "cloudflare.zoneId"


def _always(_: Settings) -> bool:
    return True


def _by_vpc(settings: Settings) -> bool:
    return settings.origin.private_path == "vpc"


def _by_access(settings: Settings) -> bool:
    return settings.identity.mode == "access"


def _by_private_hostname(settings: Settings) -> bool:
    return settings.origin.private_path == "hostname" or settings.metabase.admin_hostname is not None


def _by_application(settings: Settings) -> bool:
    return _by_access(settings) or _by_private_hostname(settings)


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A permission, the read that shows it, and when a stack needs it."""

    key: str
    title: str
    path: str
    is_needed: Callable[[Settings], bool] = _always


PERMISSIONS = (
    Permission(key="workers-scripts", title="Workers Scripts: Edit", path="accounts/{a}/workers/scripts"),
    Permission(key="workers-kv", title="Workers KV Storage: Edit", path="accounts/{a}/storage/kv/namespaces"),
    Permission(key="tunnel", title="Cloudflare Tunnel: Edit", path="accounts/{a}/cfd_tunnel"),
    Permission(
        key="connectivity-directory",
        title="Connectivity Directory: Admin",
        path="accounts/{a}/connectivity/directory/services",
        is_needed=_by_vpc,
    ),
    Permission(
        key="access-apps",
        title="Access: Apps and Policies: Edit",
        path="accounts/{a}/access/apps",
        is_needed=_by_application,
    ),
    Permission(
        key="access-identity-providers",
        title="Access: Organizations, Identity Providers, and Groups: Edit",
        path="accounts/{a}/access/identity_providers",
        is_needed=_by_access,
    ),
    Permission(
        key="access-service-tokens",
        title="Access: Service Tokens: Edit",
        path="accounts/{a}/access/service_tokens",
        is_needed=_by_private_hostname,
    ),
    Permission(key="dns", title="DNS: Edit", path="zones/{z}/dns_records"),
    Permission(key="workers-routes", title="Workers Routes: Edit", path="zones/{z}/workers/routes"),
)


def look(permission: Permission, subject: Subject) -> Found:
    """Reads once: refused means that the permission is missing, since Edit includes Read."""
    settings = subject.given()
    if not permission.is_needed(settings):
        return skipped(f"{permission.title}: this stack does not need it")
    path = permission.path.format(a=settings.cloudflare.account_id, z=settings.cloudflare.zone_id)
    answer = api_of(subject).get(path)
    where = "zone" if path.startswith("zones/") else "account"
    if answer.is_ok:
        return ok(permission.title)
    if answer.status in (401, 403):
        return error(
            "permission-missing",
            f"permission missing: {permission.title} (Cloudflare answered {answer.words})",
            f"edit the token and add `{permission.title}` for this {where}",
        )
    return warning(
        "permission-unknown",
        f"{permission.title}: can't be told, Cloudflare answered {answer.words}",
        f"see that the {where}'s id is right and the product is switched on in the dashboard",
    )


def permission_checks() -> list[Check]:
    """One check a permission; they wait for a token that Cloudflare takes, and most for the account as well."""
    return [
        Check(
            name=f"cloudflare.permission-{p.key}",
            run=partial(look, p),
            needs=("cloudflare.token-status" if p.path.startswith("zones/") else "cloudflare.account",),
            uses=(ZONE_ID if p.path.startswith("zones/") else ACCOUNT_ID,),
        )
        for p in PERMISSIONS
    ]
