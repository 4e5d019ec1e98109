"""Who has which role: the ways to belong to a role that a change adds and takes away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Table = Mapping[str, Any]
Entry = tuple[str, str, str]
"""Whom it is for, issuer, claims as canonical JSON."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to belong to a role that is there only before, or only after."""

    role: str
    audience: str
    issuer: str
    claims: Mapping[str, str]


def compare_people(before: Table, after: Table) -> tuple[list[Way], list[Way]]:
    """The ways that were added, and those that were removed; of a role that is new, or gone, all."""
    added: list[Way] = []
    removed: list[Way] = []
    for role in sorted({*before["roles"], *after["roles"]}):
        old, new = (entries_of(table, role) for table in (before, after))
        added += [_way(role, entry) for entry in sorted(new - old)]
        removed += [_way(role, entry) for entry in sorted(old - new)]
    return added, removed


def entries_of(table: Table, role: str) -> set[Entry]:
    """A role's ways; none where there is no such role."""
    found = table["roles"].get(role)
    if not found:
        return set()
    audience = found.get("for", "people")
    return {(audience, entry["issuer"], json.dumps(entry["claims"], sort_keys=True)) for entry in found["match"]}


def _way(role: str, entry: Entry) -> Way:
    return Way(role=role, audience=entry[0], issuer=entry[1], claims=json.loads(entry[2]))
