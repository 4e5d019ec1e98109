"""Conditions that plain rules take away or get round: an approval for what another rule allows without any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .actions import ACTIONS
from .ids import NUMERIC
from .reach import NOTHING, Cell, Index, Reach, place_of
from .source import Node, Source

Aliases = Mapping[str, Mapping[str, str]]
"""Kind → entity id → number, for resources of which the policies give both."""
DASHBOARDS: Cell = ("dashboard:view", "dashboard")
QUESTIONS: Cell = ("question:run", "question")


def check_conditions(source: Source, node: Node, path: str, allow: Sequence[Reach], aliases: Aliases) -> None:
    """Notes conditions that a plain rule takes away from a part of what they are for, or offers a way round.

    A plain rule for single resources beside a condition on all of them is no fault: those are the exceptions. A
    condition that is gone entirely is told as a rule that is part of another.
    """
    held = [(index, rule) for index, rule in enumerate(allow) if rule.is_conditional]
    if not held:
        return
    index = Index(allow)
    plain = _Plain([rule for rule in allow if not rule.is_conditional], aliases)
    for at, rule in held:
        if source.is_full:
            return
        where = place_of(node, path, "allow", at)
        runner = plain.wide(QUESTIONS)
        if rule.is_locked and DASHBOARDS in rule.cells and runner:
            message = (
                f"`{rule.id}` locks parameters of dashboards, whose cards `{runner}` runs without: they are questions"
            )
            help = f"list questions in `{runner}`, without those on these dashboards"
            source.fault(*where, "locked-open", message, help)
        unsettled = plain.unsettled_with(rule)
        if unsettled:
            kind, one, other, other_id = unsettled
            message = (
                f"the {kind} {other} of `{other_id}` could be the {kind} {one}, for which `{rule.id}` sets a condition"
            )
            help = "give both names of it: {id: …, entity_id: …}"
            source.fault(*where, "condition-unsettled", message, help)
        common = plain.common_with(rule)
        if common is None or any(allow[other].includes(rule) for other in index.reaching_all_of(at, rule)):
            continue
        what, other_id = common
        message = f"`{rule.id}` sets a condition for {what}, which `{other_id}` allows without any"
        help = f"take it out of one of the two: as it is, `{other_id}` decides"
        source.fault(*where, "condition-void", message, help)


class _Plain:
    """The first plain rule that allows a cell altogether, and those for single ids."""

    def __init__(self, rules: Sequence[Reach], aliases: Aliases) -> None:
        self._wide: dict[Cell, str] = {}
        self._ids: dict[tuple[Cell, str], str] = {}
        self._numbered = {(kind, number) for kind, ids in aliases.items() for number in ids.values()}
        self._halves: dict[tuple[Cell, bool], tuple[str, str]] = {}
        """The first id of a cell of which one name alone is known, by whether that is the number."""
        for rule in rules:
            for cell, ids in rule.cells.items():
                if ids is None:
                    self._wide.setdefault(cell, rule.id)
                for one in sorted(ids or ()):
                    self._ids.setdefault((cell, one), rule.id)
                    if self._is_half(cell, one):
                        self._halves.setdefault((cell, _is_number(one)), (one, rule.id))

    def wide(self, cell: Cell) -> str | None:
        """The rule that allows the cell altogether."""
        return self._wide.get(cell)

    def _is_half(self, cell: Cell, one: str) -> bool:
        return (cell[1], one) not in self._numbered

    def unsettled_with(self, rule: Reach) -> tuple[str, str, str, str] | None:
        """A resource of the rule that a plain rule could list by its other name: kind, both names, the rule's id."""
        for cell, ids in rule.cells.items():
            for one in sorted(ids or ()):
                other = self._halves.get((cell, not _is_number(one)))
                if other and self._is_half(cell, one):
                    return cell[1], one, *other
        return None

    def common_with(self, rule: Reach) -> tuple[str, str] | None:
        """What both allow, in words, with the plain rule's id; None where it is nothing, or only exceptions."""
        for cell, ids in rule.cells.items():
            action, kind = cell
            if kind == NOTHING and ACTIONS[action].kinds:
                continue
            wide = self._wide.get(cell)
            if ids is None and wide:
                return f"`{action}` on all {kind}s" if kind and ACTIONS[action].kinds else f"`{action}`", wide
            for one in sorted(ids or ()):
                found = wide or self._ids.get((cell, one))
                if found:
                    return f"`{action}` on {kind} {one}", found
        return None


def _is_number(one: str) -> bool:
    return bool(NUMERIC.fullmatch(one))
