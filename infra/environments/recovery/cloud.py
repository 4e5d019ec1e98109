"""Cloudflare's side: finds a stack's objects by name and deletes lost ones, with the official SDK.

Lists: https://developers.cloudflare.com/api/ (the resource of each kind below).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.errors import DeployError

from . import parts
from .model import Found, Key

RETRIES = 2
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """An account and its zone, through a client of the official SDK."""

    client: Any = field(repr=False)
    account_id: str
    zone_id: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind is listed and deleted."""

    label: str
    list: Callable[[Cloud], Iterable[Any]]
    delete: Callable[[Cloud, str], Any]
    name: str = "name"
    id: str = "id"
    created: str | None = "created_at"


KINDS: dict[str, Kind] = {
    parts.WORKER: Kind(
        label="Worker",
        list=lambda c: c.client.workers.beta.workers.list(account_id=c.account_id),
        delete=lambda c, i: c.client.workers.beta.workers.delete(i, account_id=c.account_id),
        created="created_on",
    ),
    parts.KV: Kind(
        label="KV namespace",
        list=lambda c: c.client.kv.namespaces.list(account_id=c.account_id),
        delete=lambda c, i: c.client.kv.namespaces.delete(i, account_id=c.account_id),
        name="title",
        created=None,
    ),
    parts.TUNNEL: Kind(
        label="Tunnel",
        list=lambda c: c.client.zero_trust.tunnels.cloudflared.list(account_id=c.account_id, is_deleted=False),
        delete=lambda c, i: c.client.zero_trust.tunnels.cloudflared.delete(i, account_id=c.account_id),
    ),
    parts.SERVICE: Kind(
        label="VPC service",
        list=lambda c: c.client.connectivity.directory.services.list(account_id=c.account_id),
        delete=lambda c, i: c.client.connectivity.directory.services.delete(i, account_id=c.account_id),
        id="service_id",
    ),
    parts.APPLICATION: Kind(
        label="Access application",
        list=lambda c: c.client.zero_trust.access.applications.list(account_id=c.account_id),
        delete=lambda c, i: c.client.zero_trust.access.applications.delete(i, account_id=c.account_id),
    ),
    parts.POLICY: Kind(
        label="Access policy",
        list=lambda c: c.client.zero_trust.access.policies.list(account_id=c.account_id),
        delete=lambda c, i: c.client.zero_trust.access.policies.delete(i, account_id=c.account_id),
    ),
    parts.PROVIDER: Kind(
        label="Access identity provider",
        list=lambda c: c.client.zero_trust.identity_providers.list(account_id=c.account_id),
        delete=lambda c, i: c.client.zero_trust.identity_providers.delete(i, account_id=c.account_id),
    ),
    parts.TOKEN: Kind(
        label="Access service token",
        list=lambda c: c.client.zero_trust.access.service_tokens.list(account_id=c.account_id),
        delete=lambda c, i: c.client.zero_trust.access.service_tokens.delete(i, account_id=c.account_id),
    ),
    parts.DNS: Kind(
        label="DNS record",
        list=lambda c: c.client.dns.records.list(zone_id=c.zone_id),
        delete=lambda c, i: c.client.dns.records.delete(i, zone_id=c.zone_id),
        created="created_on",
    ),
}


def connect(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Cloud:
    """The account that `mbgate:cloudflare` names, with the token of the engine's environment.

    Raises DeployError where the settings or the token are missing. The SDK is imported here: it takes its time.
    """
    missing = [f"mbgate:cloudflare.{key}" for key in ("accountId", "zoneId") if not settings.get(key)]
    token = environment.get("CLOUDFLARE_API_TOKEN")
    if missing or not token:
        raise DeployError(
            f"the cloud can't be looked at: {', '.join(missing) or 'CLOUDFLARE_API_TOKEN'} is not set",
            code="setting-missing" if missing else "token-missing",
            help="set it as for `pulumi up`, then run this again",
        )
    from cloudflare import Cloudflare

    url = settings.get("baseUrl")
    client = Cloudflare(
        api_token=token,
        max_retries=RETRIES,
        timeout=TIMEOUT_SECONDS,
        **({"base_url": url} if url else {}),
    )
    return Cloud(client=client, account_id=settings["accountId"], zone_id=settings["zoneId"])


def look(cloud: Cloud, wanted: frozenset[Key], required: frozenset[str]) -> tuple[list[Found], list[str]]:
    """The objects of the `wanted` names, and the kinds that the token may not list.

    A token made for a stack without Access can't list Access; only for the `required` types that is an error. Raises
    DeployError where the cloud can't be reached or refuses.
    """
    found: list[Found] = []
    refused: list[str] = []
    for token, kind in KINDS.items():
        names = {name for wanted_token, name in wanted if wanted_token == token}
        if not names:
            continue
        try:
            with _in_words(f"listing every {kind.label}"):
                found += [_found(cloud, token, kind, item) for item in kind.list(cloud) if _name(kind, item) in names]
        except DeployError as error:
            if error.code != "token-refused" or token in required:
                raise
            refused.append(kind.label)
    return found, refused


def _name(kind: Kind, item: Any) -> str | None:
    return getattr(item, kind.name, None)


def _found(cloud: Cloud, token: str, kind: Kind, item: Any) -> Found:
    object_id = str(getattr(item, kind.id))
    return Found(
        token=token,
        label=kind.label,
        name=str(_name(kind, item)),
        id=object_id,
        created=_time(getattr(item, kind.created, None)) if kind.created else None,
        is_empty=_is_empty(cloud, object_id) if token == parts.KV else None,
    )


def _time(value: Any) -> datetime | None:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_empty(cloud: Cloud, namespace_id: str) -> bool:
    keys = cloud.client.kv.namespaces.keys.list(namespace_id, account_id=cloud.account_id, limit=10)
    return next(iter(keys), None) is None


def delete(cloud: Cloud, found: Found) -> None:
    """Deletes one object; one that is gone already is fine. Raises DeployError where the cloud refuses."""
    with _in_words(f"deleting {found}"):
        KINDS[found.token].delete(cloud, found.id)


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    import cloudflare

    try:
        yield
    except cloudflare.NotFoundError:
        if not what.startswith("deleting"):
            raise DeployError(f"{what}: not found", code="cloud-refused", help="check account and zone id") from None
    except cloudflare.APIStatusError as error:
        refused = error.status_code in (401, 403)
        raise DeployError(
            f"{what}: Cloudflare answered {error.status_code}: {_message(error)}",
            code="token-refused" if refused else "cloud-refused",
            help="check the token's permissions (README)" if refused else "mend that, then run this again",
        ) from None
    except cloudflare.APIError as error:
        raise DeployError(
            f"{what}: Cloudflare can't be reached: {error.message}",
            code="cloud-unreachable",
            help="nothing is lost: run this again when it can",
        ) from None


def _message(error: Any) -> str:
    errors = getattr(error, "errors", None) or []
    return "; ".join(str(getattr(e, "message", None) or e) for e in errors) or str(error.message)
