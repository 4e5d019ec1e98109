"""Sessions end: after some time unused, and after some time in any case (`limits.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..access import APPLICATION, POLICY
from ..model import Resource, ResourceGuardrail, Said, read_limits, wrong
from ..workers import VERSION, gateway_config, table

PART = re.compile(r"(\d+)(h|m|s)")
SECONDS = {"h": 3600, "m": 60, "s": 1}
SETTINGS = {"idle_seconds": "idleSeconds", "absolute_seconds": "absoluteSeconds"}


def judge(resource: Resource) -> Iterator[Said]:
    """The gateway's sessions, those that a role has of its own, and Access's."""
    if resource.kind != VERSION:
        yield from _of_access(resource)
        return
    values = gateway_config(resource)
    if values is None:
        return
    yield from _bounded(resource, values.get("session") or {}, "has sessions", "lower `mbgate:session.{}`")
    for name, role in ((table(resource) or {}).get("roles") or {}).items():
        if role.get("session"):
            problem = f"gives role `{name}` sessions"
            yield from _bounded(resource, role["session"], problem, "lower the role's `session.{}`")


def _bounded(resource: Resource, session: dict[str, Any], problem: str, remedy: str) -> Iterator[Said]:
    limits = read_limits()
    for name, setting in SETTINGS.items():
        most, seconds = getattr(limits, f"session_{name}"), session.get(name)
        if not isinstance(seconds, int) or not 0 < seconds <= most:
            what = f"{problem} whose {name} is {seconds}, and must be from 1 to {most}"
            yield wrong(resource, what, remedy.format(setting if "mbgate" in remedy else name))


def _of_access(resource: Resource) -> Iterator[Said]:
    text, most = resource.get("sessionDuration"), read_limits().session_absolute_seconds
    if text is None:
        return  # Cloudflare's own value, 24 hours
    seconds = duration(str(text))
    if seconds is None or seconds > most:
        problem = f"has `session_duration` {text}, and may have {most} s at most"
        yield wrong(resource, problem, "shorten it, or `mbgate:session.absoluteSeconds`, of which it is made")


def duration(text: str) -> int | None:
    """Seconds of a duration such as `12h30m`; None where it is none."""
    parts = PART.findall(text)
    return sum(int(n) * SECONDS[unit] for n, unit in parts) if parts and PART.sub("", text) == "" else None


GUARDRAIL = ResourceGuardrail(
    name="session-length",
    description="No session outlasts the limits, unused or in any case.",
    kinds=(VERSION, APPLICATION, POLICY),
    judge=judge,
)
