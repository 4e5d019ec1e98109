"""Rules that change nothing: allow rules that deny rules take back entirely, and rules that another one includes.

A deny rule for what no rule allows is no fault: it keeps holding when somebody adds an allow rule later. Nor is an
allow rule of which a deny rule takes only a part: that is what deny rules are for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .actions import ACTIONS, KINDS
from .decide import is_conditional
from .ids import NUMERIC
from .model import ANY
from .source import Node, Source, entry

UNSETTLED = "an entity id could be any number that a deny rule lists: give both, {id: …, entity_id: …}"
NOTHING = ""
"""Stands for requests that are about no resource."""
MAX_NAMED = 100
"""Of thousands of rules a message names only the first."""


Cell = tuple[str, str]
"""An action, and a kind of resource or NOTHING."""


@dataclass(frozen=True)
class _Reach:
    """What one rule reaches: (action, kind) → None for every resource, or the ids."""

    id: str
    cells: Mapping[Cell, frozenset[str] | None]
    is_conditional: bool

    @property
    def has_unsettled(self) -> bool:
        """Whether it lists an entity id whose number the policies don't give."""
        return any(not NUMERIC.fullmatch(one) for ids in self.cells.values() for one in ids or ())

    def includes(self, other: _Reach) -> bool:
        """Whether this rule says all that the other one says."""
        if self.is_conditional:
            return False
        return all(cell in self.cells and _is_part(ids, self.cells[cell]) for cell, ids in other.cells.items())


class _Index:
    """Which of a role's rules reach a resource of a cell, so that not every rule is compared with every other.

    A set of rules is a number whose bits are their positions: thousands are intersected in one step.
    """

    def __init__(self, rules: Sequence[_Reach]) -> None:
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
    def _shared(rules: Sequence[_Reach]) -> set[tuple[Cell, str]]:
        """What more than one rule lists: of thousands of rules with ids of their own no sets are made."""
        once: set[tuple[Cell, str]] = set()
        shared: set[tuple[Cell, str]] = set()
        for rule in rules:
            for cell, ids in rule.cells.items():
                for one in ids or ():
                    (shared if (cell, one) in once else once).add((cell, one))
        return shared

    def reaching_all_of(self, index: int, rule: _Reach) -> Iterator[int]:
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


def check_rules(source: Source, role: Mapping[str, Any], node: Node, path: str) -> None:
    """Notes the rules of one role of the decision table that change nothing."""
    allow = [_Reach(rule["id"], dict(_cells(rule, is_allow=True)), is_conditional(rule)) for rule in role["allow"]]
    deny = [_Reach(rule["id"], dict(_cells(rule, is_allow=False)), False) for rule in role["deny"]]
    _check_shadows(source, node, path, allow, deny)
    for effect, rules in (("allow", allow), ("deny", deny)):
        _check_inclusion(source, node, path, effect, rules)


def _check_shadows(source: Source, node: Node, path: str, allow: Sequence[_Reach], deny: Sequence[_Reach]) -> None:
    denied = _Denied(deny)
    for index, rule in enumerate(allow):
        if source.is_full:
            return
        if denied.takes(rule):
            takers = _takers(rule, deny)
            message = (
                f"`{rule.id}` never applies: {_named(takers)} {'denies' if len(takers) == 1 else 'deny'} all of it"
            )
            help = (
                UNSETTLED
                if rule.has_unsettled
                else "deny wins over allow: remove this rule, or make the other narrower"
            )
            source.fault(*_place(node, path, "allow", index), "rule-shadowed", message, help)


def _check_inclusion(source: Source, node: Node, path: str, effect: str, rules: Sequence[_Reach]) -> None:
    reaching = _Index(rules)
    for index, rule in enumerate(rules):
        if source.is_full:
            return
        for at in reaching.reaching_all_of(index, rule):
            other = rules[at]
            same = rule.includes(other)
            # Of two equal rules the later one is told.
            if not other.includes(rule) or (at > index and same):
                continue
            message = (
                f"`{rule.id}` {'says the same as' if same else 'is part of'} `{other.id}`, so that it changes nothing"
            )
            code = "rule-duplicate" if same else "rule-included"
            source.fault(*_place(node, path, effect, index), code, message, "remove one of the two")
            break


def _cells(rule: Mapping[str, Any], *, is_allow: bool) -> Iterator[tuple[tuple[str, str], frozenset[str] | None]]:
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


def _is_part(ids: frozenset[str] | None, wider: frozenset[str] | None) -> bool:
    return wider is None or (ids is not None and ids <= wider)


class _Denied:
    """What the deny rules of a role take together."""

    def __init__(self, deny: Sequence[_Reach]) -> None:
        self._cells: dict[Cell, set[str] | None] = {}
        for rule in deny:
            for cell, ids in rule.cells.items():
                known = self._cells.setdefault(cell, set())
                if ids is None or known is None:
                    self._cells[cell] = None
                else:
                    known |= ids

    def takes(self, rule: _Reach) -> bool:
        """Whether they leave nothing of what an allow rule gives."""
        return all(self._takes_cell(cell, ids) for cell, ids in rule.cells.items())

    def _takes_cell(self, cell: Cell, ids: frozenset[str] | None) -> bool:
        if cell not in self._cells:
            return ids == frozenset()
        denied = self._cells[cell]
        if denied is None:
            return True
        # An entity id whose number is unknown is refused as soon as any deny rule lists resources.
        return ids is not None and all(one in denied or not NUMERIC.fullmatch(one) for one in ids)


def _takers(rule: _Reach, deny: Sequence[_Reach]) -> list[str]:
    """The deny rules that together take everything that an allow rule gives, of which they leave nothing."""
    takers: dict[str, None] = {}
    for cell, ids in rule.cells.items():
        left = None if ids is None else {one for one in ids if NUMERIC.fullmatch(one)}
        for other in deny:
            if cell not in other.cells:
                continue
            denied = other.cells[cell]
            if denied is None:
                left = set()
            elif left is not None:
                left -= denied
            else:
                continue
            takers[other.id] = None
            if not left and left is not None:
                break
    return list(takers)


def _named(ids: Sequence[str]) -> str:
    names = [f"`{one}`" for one in ids[:MAX_NAMED]]
    return " and ".join(names if len(ids) <= MAX_NAMED else [*names, f"{len(ids) - MAX_NAMED} others"])


def _place(node: Node, path: str, effect: str, index: int) -> tuple[Node, str]:
    rules, below = entry(node, path, effect)
    return rules.value[index], f"{below}[{index}]"
