"""What one role may do, as sets: for each action and kind, what holds for all resources and for single ids.

The decision table's rules are gone through once; after that each question is a lookup. So two tables of thousands of
rules are compared in the time that reading them takes, where asking `decide()` for every cell would take hours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.access.decide import is_conditional
from infra.access.ids import NUMERIC

Effect = Literal["deny", "held", "allow"]
RANK: dict[Effect, int] = {"deny": 0, "held": 1, "allow": 2}
NOWHERE = "role-absent"


@dataclass(frozen=True)
class Outcome:
    """What is answered, by which rule, and on which condition where it is `held`."""

    effect: Effect
    rule: str | None
    reason: str
    condition: str | None = None
    """The rule's condition as canonical JSON."""


ABSENT = Outcome("deny", None, NOWHERE)
"""The answer of a role that there isn't."""
Found = tuple[int, Mapping[str, Any]]


@dataclass
class _Reach:
    """The first rule that fits: any at all, one for everything, one for all of a kind, one for an id."""

    first: Found | None = None
    everywhere: Found | None = None
    all: dict[str, Found] = field(default_factory=dict)
    ids: dict[str, dict[str, Found]] = field(default_factory=dict)

    def note(self, at: int, rule: Mapping[str, Any]) -> None:
        found = (at, rule)
        self.first = self.first or found
        if rule.get("on") is None:
            self.everywhere = self.everywhere or found
        for kind, ids in (rule.get("on") or {}).items():
            if isinstance(ids, str):
                self.all.setdefault(kind, found)
                continue
            known = self.ids.setdefault(kind, {})
            for one in ids:
                known.setdefault(one, found)

    def covering(self, kind: str, one: str) -> Found | None:
        return _earlier(self.all.get(kind), self.ids.get(kind, {}).get(one))


def _earlier(one: Found | None, other: Found | None) -> Found | None:
    if one is None or other is None:
        return one or other
    return one if one[0] < other[0] else other


class RoleExtent:
    """One role of a decision table."""

    def __init__(self, table: Mapping[str, Any], role: Mapping[str, Any]) -> None:
        self._kinds: Mapping[str, list[str]] = table["actions"]
        self._plain: dict[str, _Reach] = {}
        self._held: dict[str, _Reach] = {}
        self._deny: dict[str, _Reach] = {}
        for at, rule in enumerate(role["allow"]):
            for action in rule["actions"]:
                (self._held if is_conditional(rule) else self._plain).setdefault(action, _Reach()).note(at, rule)
        for at, rule in enumerate(role["deny"]):
            for action in rule["actions"]:
                self._deny.setdefault(action, _Reach()).note(at, rule)

    def actions(self) -> set[str]:
        """Every action that a rule names."""
        return {*self._plain, *self._held, *self._deny}

    def ids(self, action: str, kind: str) -> set[str]:
        """Every id of a kind that a rule with this action lists."""
        reaches = (known.get(action) for known in (self._plain, self._held, self._deny))
        return {one for reach in reaches if reach for one in reach.ids.get(kind, ())}

    def outcome(self, action: str, kind: str | None, one: str = "") -> Outcome:
        """The answer for one action on one resource, or on none (kind None); `one` is settled already."""
        deny = self._deny.get(action)
        if deny:
            if kind is not None and not NUMERIC.fullmatch(one) and kind in deny.ids:
                return Outcome("deny", None, "resource-id-unsettled")
            found = deny.first if kind is None else _earlier(deny.everywhere, deny.covering(kind, one))
            if found:
                return Outcome("deny", found[1]["id"], "rule-denied")
        plain, held = self._plain.get(action), self._held.get(action)
        if not plain and not held:
            return Outcome("deny", None, "action-not-granted")
        whole = kind is None or not self._kinds.get(action)
        for reach in (plain, held):
            found = None if reach is None else reach.first if whole else reach.covering(str(kind), one)
            if found:
                return _granted(found[1])
        return Outcome("deny", None, "resource-not-granted")


def _granted(rule: Mapping[str, Any]) -> Outcome:
    if not is_conditional(rule):
        return Outcome("allow", rule["id"], "rule-allowed")
    condition = {key: rule[key] for key in ("requires_approval", "locked") if key in rule}
    reason = "resource-locked" if "locked" in rule else "approval-required"
    return Outcome("held", rule["id"], reason, json.dumps(condition, sort_keys=True))
