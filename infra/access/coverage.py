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


@dataclass(frozen=True)
class _Reach:
    """What one rule reaches: (action, kind) → None for every resource, or the ids."""

    id: str
    cells: Mapping[tuple[str, str], frozenset[str] | None]
    is_conditional: bool

    @property
    def has_unsettled(self) -> bool:
        """Whether it lists an entity id whose number the policies don't give."""
        return any(not NUMERIC.fullmatch(one) for ids in self.cells.values() for one in ids or ())

    def includes(self, other: _Reach) -> bool:
        if self.is_conditional:  # A plain rule says more, and another condition says something else.
            return False
        return all(cell in self.cells and _is_part(ids, self.cells[cell]) for cell, ids in other.cells.items())


def check_rules(source: Source, role: Mapping[str, Any], node: Node, path: str) -> None:
    """Notes the rules of one role of the decision table that change nothing."""
    allow = [_Reach(rule["id"], dict(_cells(rule, is_allow=True)), is_conditional(rule)) for rule in role["allow"]]
    deny = [_Reach(rule["id"], dict(_cells(rule, is_allow=False)), False) for rule in role["deny"]]
    for index, rule in enumerate(allow):
        takers = _takers(rule, deny)
        if takers:
            message = (
                f"`{rule.id}` never applies: {_named(takers)} {'denies' if len(takers) == 1 else 'deny'} all of it"
            )
            help = (
                UNSETTLED
                if rule.has_unsettled
                else "deny wins over allow: remove this rule, or make the other narrower"
            )
            source.fault(*_place(node, path, "allow", index), "rule-shadowed", message, help)
    for effect, rules in (("allow", allow), ("deny", deny)):
        _check_inclusion(source, node, path, effect, rules)
    _check_conditions(source, node, path, allow)


def _check_conditions(source: Source, node: Node, path: str, allow: Sequence[_Reach]) -> None:
    """Notes conditions that a plain rule takes away from a part of what they are for.

    A plain rule for single resources beside a condition on all of them is no fault: those are the exceptions.
    """
    plain = [rule for rule in allow if not rule.is_conditional]
    for index, rule in enumerate(allow):
        if not rule.is_conditional or any(other.includes(rule) for other in plain):
            continue
        for other in plain:
            common = next(iter(_common(rule, other)), None)
            if common is not None:
                message = f"`{rule.id}` sets a condition for {common}, which `{other.id}` allows without any"
                help = f"take it out of one of the two: as it is, `{other.id}` decides"
                source.fault(*_place(node, path, "allow", index), "condition-void", message, help)
                break


def _common(rule: _Reach, plain: _Reach) -> Iterator[str]:
    """What both are about, in words, unless the plain rule is about exceptions."""
    for (action, kind), ids in rule.cells.items():
        if (action, kind) not in plain.cells or (kind == NOTHING and ACTIONS[action].kinds):
            continue
        wider = plain.cells[action, kind]
        if ids is not None:
            both = sorted(ids if wider is None else ids & wider)
            yield from (f"`{action}` on {kind} {one}" for one in both)
        elif wider is None:
            yield f"`{action}` on all {kind}s" if kind and ACTIONS[action].kinds else f"`{action}`"


def _check_inclusion(source: Source, node: Node, path: str, effect: str, rules: Sequence[_Reach]) -> None:
    for index, rule in enumerate(rules):
        for at, other in enumerate(rules):
            # Of two equal rules the later one is told.
            if at == index or not other.includes(rule) or (at > index and rule.includes(other)):
                continue
            same = rule.includes(other)
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


def _takers(rule: _Reach, deny: Sequence[_Reach]) -> list[str]:
    """The deny rules that together take everything that an allow rule gives; none where something is left."""
    takers: dict[str, None] = {}
    for cell, ids in rule.cells.items():
        left = ids
        for other in deny:
            if cell not in other.cells:
                continue
            denied = other.cells[cell]
            if denied is None:
                left = frozenset()
            elif left is not None:
                # An entity id whose number is unknown is refused as soon as any deny rule lists resources.
                left = frozenset(one for one in left if one not in denied and NUMERIC.fullmatch(one))
            else:
                continue
            takers[other.id] = None
            if left == frozenset():
                break
        if left is None or left:
            return []
    return list(takers)


def _named(ids: Sequence[str]) -> str:
    return " and ".join(f"`{one}`" for one in ids)


def _place(node: Node, path: str, effect: str, index: int) -> tuple[Node, str]:
    rules, below = entry(node, path, effect)
    return rules.value[index], f"{below}[{index}]"
