"""Which recent accesses would be answered otherwise: audit lines, asked again of both policies in the recorded role.

A line holds no claims, so that the role that was found then is taken; who would have another role, the comparison says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.access.decide import decide_as
from infra.access.recorded import EVENT, request_of
from infra.errors import PolicyError

MAX_LINE = 1 << 20
MAX_KINDS = 100_000
"""Kinds of access that are told apart; more would need the memory of a database."""
Table = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Access:
    """One person's kind of access that would change."""

    principal: str
    role: str
    action: str
    resource: str | None
    before: str
    after: str
    times: int
    last: str
    """When it was last seen, as the line says it."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The accesses that would change, most frequent first, and what was looked at."""

    changed: tuple[Access, ...]
    lines: int
    """Access events that could be asked again."""
    left_out: int
    """Events without a role or a whole path, and lines that are none."""


def replay(file: Path, before: Table, after: Table) -> Replay:
    """Asks each line of a file again."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return replay_lines(opened, before, after)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PolicyError(f"`{file}` can't be read: {reason}", code="audit-unreadable") from None


def replay_lines(texts: Iterable[str], before: Table, after: Table) -> Replay:
    """The same for lines that are read already."""
    found: dict[tuple[str, ...], list[Any]] = {}
    answers: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]] | None] = {}
    lines = left_out = 0
    for text in texts:
        event = _event(text)
        if event is None:
            left_out += 1
            continue
        lines += 1
        request, role = request_of(event), event["role"]
        key = json.dumps([role, request], sort_keys=True)
        if key not in answers and len(answers) < MAX_KINDS:
            answers[key] = _both(before, after, role, request)
        answer = answers[key] if key in answers else _both(before, after, role, request)
        if answer is None:
            continue
        was, now = answer
        decided = now if now["actions"] else was
        resource = decided["resource"]
        named = f"{resource['kind']}/{resource['id']}" if resource else ""
        told = (str(event.get("principal")), role, " and ".join(decided["actions"]) or event["path"], named)
        entry = found.setdefault((*told, _words(was), _words(now)), [0, ""])
        entry[0] += 1
        entry[1] = max(entry[1], str(event.get("time") or ""))
    changed = [
        Access(
            principal=key[0],
            role=key[1],
            action=key[2],
            resource=key[3] or None,
            before=key[4],
            after=key[5],
            times=times,
            last=last,
        )
        for key, (times, last) in found.items()
    ]
    changed.sort(key=lambda one: (-one.times, one.principal, one.action, one.resource or ""))
    return Replay(changed=tuple(changed), lines=lines, left_out=left_out)


def _event(text: str) -> dict[str, Any] | None:
    """An access event whose request can be asked again."""
    if len(text) > MAX_LINE:
        return None
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or event.get("type") != EVENT:
        return None
    whole = all(isinstance(event.get(key), str) for key in ("role", "method", "path"))
    actions = event.get("actions")
    is_sound = isinstance(actions, list) and all(isinstance(action, str) for action in actions)
    return event if whole and is_sound and "…" not in event["path"] else None


def _both(before: Table, after: Table, role: str, request: Mapping[str, Any]) -> Any:
    """Both answers, or None where they are the same."""
    answers = [
        decide_as(table, role, request) if role in table["roles"] else _absent(role) for table in (before, after)
    ]
    return None if _words(answers[0]) == _words(answers[1]) else tuple(answers)


def _absent(role: str) -> dict[str, Any]:
    return {"effect": "deny", "reason": "role-absent", "role": role, "rule": None, "actions": [], "resource": None}


def _words(decision: Mapping[str, Any]) -> str:
    return "allowed" if decision["effect"] == "allow" else f"denied ({decision['reason']})"
