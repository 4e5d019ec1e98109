"""What else a change gives or takes: Metabase's own rights, sessions, and whose tokens are believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .cells import Direction

Table = Mapping[str, Any]
LEVELS = {None: 0, "read": 1, "write": 2}
FOREVER = float("inf")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One change beside the rules, in words."""

    direction: Direction
    what: str
    """`collection`, `group`, `attribute`, `session` or `issuer`."""
    role: str | None
    subject: str
    before: str | None
    after: str | None


def compare_grants(before: Table, after: Table) -> list[Grant]:
    """The changes of roles that there are on both sides, and of issuers. Whatever can't be ranked counts as a gain."""
    found = [*_issuers(before, after)]
    for role in sorted(before["roles"].keys() & after["roles"].keys()):
        old, new = before["roles"][role], after["roles"][role]
        found += _metabase(role, old.get("metabase") or {}, new.get("metabase") or {})
        found += _session(role, old.get("session") or {}, new.get("session") or {})
    return found


def _metabase(role: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Grant]:
    if old.get("group") != new.get("group"):
        yield Grant(
            direction="gain", what="group", role=role, subject="group", before=old.get("group"), after=new.get("group")
        )
    was, now = old.get("collections", {}), new.get("collections", {})
    for name in sorted({*was, *now}):
        before, after = was.get(name), now.get(name)
        if before != after:
            direction: Direction = "gain" if LEVELS[after] > LEVELS[before] else "loss"
            yield Grant(direction=direction, what="collection", role=role, subject=name, before=before, after=after)
    was, now = old.get("attributes", {}), new.get("attributes", {})
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            # Whoever lacks the claim of an attribute is refused: a new one can only take, any other change may give.
            direction = "loss" if name not in was else "gain"
            yield Grant(
                direction=direction,
                what="attribute",
                role=role,
                subject=name,
                before=was.get(name),
                after=now.get(name),
            )


def _session(role: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Grant]:
    for key in ("idle_seconds", "absolute_seconds"):
        before, after = old.get(key), new.get(key)
        if before != after:
            longer = (FOREVER if after is None else after) > (FOREVER if before is None else before)
            direction: Direction = "gain" if longer else "loss"
            words = [None if value is None else f"{value // 60} minutes" for value in (before, after)]
            subject = key.removesuffix("_seconds")
            yield Grant(
                direction=direction, what="session", role=role, subject=subject, before=words[0], after=words[1]
            )


def _issuers(before: Table, after: Table) -> Iterator[Grant]:
    was, now = before.get("issuers", {}), after.get("issuers", {})
    for name in sorted({*was, *now}):
        old, new = was.get(name), now.get(name)
        if old != new:
            direction: Direction = "loss" if new is None else "gain"
            yield Grant(
                direction=direction, what="issuer", role=None, subject=name, before=_trust(old), after=_trust(new)
            )


def _trust(issuer: Mapping[str, Any] | None) -> str | None:
    if issuer is None:
        return None
    told = [f"{key} {value}" for key, value in issuer.items() if value is not None]
    return ", ".join(told) or "the stack's identity provider"
