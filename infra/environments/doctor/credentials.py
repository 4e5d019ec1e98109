"""Cloudflare's API token: whether it is there, looks like one, and is taken.

Sources: https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/ and
https://developers.cloudflare.com/api/resources/user/subresources/tokens/methods/verify/
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.environments.world import port_is_taken

from .api import DEFAULT_BASE_URL, Answer, Api
from .model import Found, error, ok, skipped, warning
from .subject import TOKEN, Subject

LEGACY_TOKEN = re.compile(r"[A-Za-z0-9_-]{40}")
SCANNABLE = re.compile(r"(cfut|cfat)_[A-Za-z0-9_-]{40,}")
GLOBAL_KEY = re.compile(r"cfk_.*|[0-9a-f]{37}")
SOON = timedelta(days=14)
NEW_TOKEN = (
    f"make a token (dash.cloudflare.com/profile/api-tokens) and export {TOKEN}; the README lists its permissions"
)
UNREACHABLE = "see whether the network or a proxy lets it through"
ASLEEP = "the local cloud is not running: `make demo` starts it"
READ_ONLY_PROOF = "reads below can't prove Edit: only `pulumi up` does"


def api_of(subject: Subject) -> Api:
    """The API that the stack's settings name."""
    base_url = subject.given().cloudflare.base_url or DEFAULT_BASE_URL
    return Api(base_url=base_url, token=subject.token or "")


def is_asleep(subject: Subject, offset: int) -> bool:
    """True where the local world's part at that port does not run."""
    world = subject.world
    return world is not None and not (subject.has_world and port_is_taken(world.port + offset))


def token(subject: Subject) -> Found:
    """Whether there is a token, and whether it looks like one."""
    if is_asleep(subject, 1):
        return skipped(ASLEEP)
    value = subject.token
    if not value:
        return error("token-missing", f"{TOKEN} is not set", NEW_TOKEN)
    if value != value.strip() or re.search(r"[\s\"'<>]|[^\x20-\x7e]", value) or value.lower().startswith("bearer"):
        return error("token-form", f"{TOKEN} holds more than a token: a quote, a space, `Bearer`", "export it alone")
    if GLOBAL_KEY.fullmatch(value):
        return error("token-form", f"{TOKEN} holds a Global API Key, which is no API token", NEW_TOKEN)
    if "CLOUDFLARE_API_KEY" in subject.environ:
        return warning(
            "token-and-key", "CLOUDFLARE_API_KEY is set beside the token", "unset CLOUDFLARE_API_KEY CLOUDFLARE_EMAIL"
        )
    has_own_api = subject.settings is not None and subject.settings.cloudflare.base_url is not None
    if not (SCANNABLE.fullmatch(value) or LEGACY_TOKEN.fullmatch(value) or has_own_api):
        return warning("token-form", f"{TOKEN} has an unknown form ({len(value)} characters)", "see that it is whole")
    return ok(f"{TOKEN} is set" if subject.world is None else "the local world's own")


def token_status(subject: Subject) -> Found:
    """Whether Cloudflare takes the token, and how long it will."""
    api = api_of(subject)
    answer = _verify(api, subject.given().cloudflare.account_id)
    if answer.status == 0 or answer.status >= 500:
        return error("cloudflare-unreachable", answer.words, UNREACHABLE)
    if not isinstance(answer.result, dict):
        return error("token-refused", f"Cloudflare refuses the token: {answer.words}", NEW_TOKEN)
    status, expires = str(answer.result.get("status")), _time(answer.result.get("expires_on"))
    starts = _time(answer.result.get("not_before"))
    now = datetime.now(UTC)
    if status != "active" or (expires and expires <= now):
        return error("token-not-active", f"the token is {status if status != 'active' else 'expired'}", NEW_TOKEN)
    if starts and starts > now:
        return error("token-not-active", f"the token is valid from {starts:%Y-%m-%d %H:%M} UTC on", "wait, or make one")
    if expires and expires - now < SOON:
        return warning("token-expires-soon", f"the token expires on {expires:%Y-%m-%d}; {READ_ONLY_PROOF}", NEW_TOKEN)
    until = f" until {expires:%Y-%m-%d}" if expires else ""
    return ok(f"active{until}; {READ_ONLY_PROOF}")


def _verify(api: Api, account_id: str) -> Answer:
    """A person's token is verified by one endpoint, an account's own by another."""
    paths = ["user/tokens/verify", f"accounts/{account_id}/tokens/verify"]
    if api.token.startswith("cfat_"):
        paths.reverse()
    first = api.get(paths[0])
    if first.is_ok or first.status == 0:
        return first
    second = api.get(paths[1])
    return second if second.is_ok else first


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
