"""Cloudflare's account, the zone and the hostnames in it, and the Zero Trust team."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.errors import RenderError
from infra.render.discovery import fetch_jwks

from .api import Answer, Api
from .credentials import ASLEEP, UNREACHABLE, api_of, is_asleep
from .model import Finding, Found, error, ok, skipped, warning
from .subject import Subject

ZONE = "zone"


def account(subject: Subject) -> Found:
    """Whether the token reaches the account that the settings name."""
    api, account_id = api_of(subject), subject.given().cloudflare.account_id
    answer = api.get(f"accounts/{account_id}")
    if answer.status == 0:
        return error("cloudflare-unreachable", answer.words, UNREACHABLE)
    if isinstance(answer.result, dict):
        return ok(f"account `{answer.result.get('name')}`")
    seen = api.get("accounts").result
    others = (
        {str(a.get("id")): str(a.get("name")) for a in seen if isinstance(a, dict)} if isinstance(seen, list) else {}
    )
    if account_id in others:
        return ok(f"account `{others[account_id]}`")
    if others:
        named = ", ".join(f"{key} ({name})" for key, name in list(others.items())[:5])
        return error(
            "account-unreachable",
            f"the token does not reach account {account_id}; it reaches {named}",
            "put the right id into `mbgate:cloudflare.accountId`, or make a token of that account",
        )
    if answer.status == 403:
        # Account Settings: Read would tell; the deployment does not need it.
        return ok("the token may not read the account itself, which it need not; the zone tells whose it is")
    return error(
        "account-unreachable",
        f"account {account_id} can't be read: {answer.words}",
        "copy the id from the zone's overview page in Cloudflare's dashboard",
    )


def zone(subject: Subject) -> Found:
    """Whether the zone exists, is the account's, and is active."""
    api, settings = api_of(subject), subject.given()
    zone_id, account_id = settings.cloudflare.zone_id, settings.cloudflare.account_id
    answer = api.get(f"zones/{zone_id}")
    if answer.status == 0:
        return error("cloudflare-unreachable", answer.words, UNREACHABLE)
    if not isinstance(answer.result, dict):
        return _unread_zone(api, zone_id, settings.gateway.hostname, answer)
    subject.notes[ZONE] = answer.result
    owner = (answer.result.get("account") or {}).get("id")
    if owner and owner != account_id:
        return error(
            "zone-of-another-account",
            f"zone `{answer.result.get('name')}` belongs to account {owner}, not to {account_id}",
            "mend `mbgate:cloudflare.accountId` or `zoneId`: both are on the zone's overview page",
        )
    if answer.result.get("status") not in (None, "active"):
        return warning(
            "zone-not-active",
            f"zone `{answer.result.get('name')}` is {answer.result.get('status')}: no hostname in it answers yet",
            "set the name servers that Cloudflare shows at your registrar",
        )
    return ok(f"zone `{answer.result.get('name')}`")


def _unread_zone(api: Api, zone_id: str, hostname: str, answer: Answer) -> Finding:
    """Why the zone can't be read: another id, or a token that may write its records and not read the zone itself."""
    right = _zone_of(api, hostname)
    if right and right.get("id") != zone_id:
        return error("zone-wrong", f"zone {zone_id} can't be read: {answer.words}", _use(right))
    if answer.status == 403 and api.get(f"zones/{zone_id}/dns_records").is_ok:
        return warning(
            "zone-unreadable",
            f"the token reaches zone {zone_id} and may not read its name, so hostnames can't be compared with it",
            "add `Zone: Read` to the token to have them checked; the deployment does without",
        )
    what = "the token does not reach it" if answer.status == 403 else answer.words
    return error(
        "zone-unreachable",
        f"zone {zone_id} can't be read: {what}",
        "copy the id from the zone's overview page; the token must include this zone",
    )


def hostnames(subject: Subject) -> Found:
    """Whether every hostname of the stack lies in the zone."""
    if ZONE not in subject.notes:
        return skipped("the token may not read the zone's name", "not-checked")
    api, settings, name = api_of(subject), subject.given(), str(subject.notes[ZONE].get("name"))
    named = {
        "gateway.hostname": settings.gateway.hostname,
        "origin.hostname": settings.origin.hostname if settings.origin.private_path == "hostname" else None,
        "metabase.adminHostname": settings.metabase.admin_hostname,
    }
    found = []
    for key, hostname in named.items():
        if hostname is None or hostname == name or hostname.endswith(f".{name}"):
            continue
        right = _zone_of(api, hostname)
        help = _use(right) if right else f"use a name below `{name}`, or add the domain to Cloudflare"
        found.append(error("hostname-outside-zone", f"`mbgate:{key}` is `{hostname}`, outside of zone `{name}`", help))
    return found or ok(", ".join(h for h in named.values() if h))


def _use(right: dict[str, Any]) -> str:
    return f"the right zone is `{right.get('name')}`: set `mbgate:cloudflare.zoneId` to {right.get('id')}"


def _zone_of(api: Api, hostname: str) -> dict[str, Any] | None:
    """The zone that holds the hostname, where the token sees it."""
    for candidate in _parents(hostname):
        found = api.get("zones", name=candidate).result
        if isinstance(found, list) and found and isinstance(found[0], dict):
            return found[0]
    return None


def _parents(hostname: str) -> Iterator[str]:
    """The name and those above it, up to two labels; few, since each costs a request."""
    labels = hostname.split(".")
    for start in range(max(len(labels) - 4, 0), max(len(labels) - 1, 1)):
        yield ".".join(labels[start:])


def team(subject: Subject) -> Found:
    """Whether the Zero Trust team exists: its public keys are there."""
    url = subject.given().cloudflare.team_url
    if is_asleep(subject, 5):
        return skipped(ASLEEP)
    if url is None:
        return skipped("the settings name no team, and need none")
    try:
        fetch_jwks(f"{url.rstrip('/')}/cdn-cgi/access/certs", ("RS256",))
    except RenderError as problem:
        return error(
            "team-unreachable",
            f"`{url}` has no Access keys: {problem.message}",
            "copy the team domain from Zero Trust > Settings in Cloudflare's dashboard, and set Zero Trust up there",
        )
    return ok(url)
