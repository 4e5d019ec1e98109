"""What single rules reach, as sets of action, kind and id, and an index of which rules reach a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .actions import ACTIONS, KINDS
from .ids import NUMERIC
from .model import ANY
from .source import Node, entry

Cell = tuple[str, str]
"""Action and kind."""
NOTHING = ""
"""Stands for requests that are about no resource."""


@dataclass(frozen=True)
class Reach:
    """What one rule reaches: (action, kind) → None for every resource, or the ids."""

    id: str
    cells: Mapping[Cell, frozenset[str] | None]
    is_conditional: bool
    is_locked: bool = False
    """Whether the condition is that parameters are locked."""

    @property
    def has_unsettled(self) -> bool:
        """Whether it lists an entity id whose number the policies don't give."""
        return any(not NUMERIC.fullmatch(one) for ids in self.cells.values() for one in ids or ())

    def includes(self, other: Reach) -> bool:
        """Whether this rule says all that the other one says."""
        if self.is_conditional:
            return False
        return all(cell in self.cells and is_part(ids, self.cells[cell]) for cell, ids in other.cells.items())


class Index:
    """Which of a role's rules reach a resource of a cell, so that not every rule is compared with every other.

    A set of rules is a number whose bits are their positions: thousands are intersected in one step.
    """

    def __init__(self, rules: Sequence[Reach]) -> None:
        self._wide: dict[Cell, int] = {}
        self._listing: dict[tuple[Cell, str], int] = {}
        shared = self._shared(rules)
        for index, rule in enumerate(rules):
            if rule.is_conditional:  # A plain rule says more, and another condition says something else.
                continue
            for cell, ids in rule.cells.items():
                if ids is None:
                    self._wide[cell] = self._wide.get(cell, 0) | 1 << index
                for one in ids or ():
                    if (cell, one) in shared:
                        self._listing[cell, one] = self._listing.get((cell, one), 0) | 1 << index

    @staticmethod
    def _shared(rules: Sequence[Reach]) -> set[tuple[Cell, str]]:
        """What more than one rule lists: of thousands of rules with ids of their own no sets are made."""
        once: set[tuple[Cell, str]] = set()
        shared: set[tuple[Cell, str]] = set()
        for rule in rules:
            for cell, ids in rule.cells.items():
                for one in ids or ():
                    (shared if (cell, one) in once else once).add((cell, one))
        return shared

    def reaching_all_of(self, index: int, rule: Reach) -> Iterator[int]:
        """The positions, in order, of the other rules that reach whatever the rule at `index` reaches."""
        found = -1
        for cell, ids in rule.cells.items():
            wide = self._wide.get(cell, 0)
            if ids is None:
                found &= wide
            for one in ids or ():
                found &= wide | self._listing.get((cell, one), 0)
                if not found:
                    return
        found &= ~(1 << index)
        while found:
            lowest = found & -found
            yield lowest.bit_length() - 1
            found ^= lowest


def cells_of(rule: Mapping[str, Any], *, is_allow: bool) -> Iterator[tuple[tuple[str, str], frozenset[str] | None]]:
    """As `decide` reads the rule: with an action, requests without a resource are always reached."""
    on: Mapping[str, Any] = rule.get("on") or {}
    for action in rule["actions"]:
        yield (action, NOTHING), None
        own = ACTIONS[action].kinds
        reaches_all = not own if is_allow else "on" not in rule
        for kind in own or KINDS:
            ids = ANY if reaches_all else on.get(kind)
            if ids is not None:
                yield (action, kind), None if ids == ANY else frozenset(ids)


def is_part(ids: frozenset[str] | None, wider: frozenset[str] | None) -> bool:
    return wider is None or (ids is not None and ids <= wider)


def place_of(node: Node, path: str, effect: str, index: int) -> tuple[Node, str]:
    rules, below = entry(node, path, effect)
    return rules.value[index], f"{below}[{index}]"
