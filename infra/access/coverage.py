"""Rules that change nothing: allow rules that deny rules take back entirely, and rules that another one includes.

A deny rule for what no rule allows is no fault: it keeps holding when somebody adds an allow rule later. Nor is an
allow rule of which a deny rule takes only a part: that is what deny rules are for.
"""

from __future__ import annotations

from collections.abc import Sequence

from .decide import Table, is_conditional
from .ids import NUMERIC
from .reach import Cell, Index, Reach, cells_of, place_of
from .source import Node, Source
from .void import check_conditions

UNSETTLED = "an entity id could be any number that a deny rule lists: give both, {id: …, entity_id: …}"
MAX_NAMED = 100
"""Of thousands of rules a message names only the first."""


def check_rules(source: Source, table: Table, name: str, node: Node, path: str) -> None:
    """Notes the rules of one role of the decision table that change nothing, and conditions that others get round."""
    role = table["roles"][name]
    allow = [
        Reach(rule["id"], dict(cells_of(rule, is_allow=True)), is_conditional(rule), "locked" in rule)
        for rule in role["allow"]
    ]
    deny = [Reach(rule["id"], dict(cells_of(rule, is_allow=False)), False) for rule in role["deny"]]
    _check_shadows(source, node, path, allow, deny)
    for effect, rules in (("allow", allow), ("deny", deny)):
        _check_inclusion(source, node, path, effect, rules)
    check_conditions(source, node, path, allow, table["aliases"])


def _check_shadows(source: Source, node: Node, path: str, allow: Sequence[Reach], deny: Sequence[Reach]) -> None:
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
            source.fault(*place_of(node, path, "allow", index), "rule-shadowed", message, help)


def _check_inclusion(source: Source, node: Node, path: str, effect: str, rules: Sequence[Reach]) -> None:
    reaching = Index(rules)
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
            source.fault(*place_of(node, path, effect, index), code, message, "remove one of the two")
            break


class _Denied:
    """What the deny rules of a role take together."""

    def __init__(self, deny: Sequence[Reach]) -> None:
        self._cells: dict[Cell, set[str] | None] = {}
        for rule in deny:
            for cell, ids in rule.cells.items():
                known = self._cells.setdefault(cell, set())
                if ids is None or known is None:
                    self._cells[cell] = None
                else:
                    known |= ids

    def takes(self, rule: Reach) -> bool:
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


def _takers(rule: Reach, deny: Sequence[Reach]) -> list[str]:
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
