"""Conditions that plain rules take away: an approval for what another rule allows without any."""

from __future__ import annotations

from collections.abc import Sequence

from .actions import ACTIONS
from .reach import NOTHING, Cell, Index, Reach, place_of
from .source import Node, Source


def check_conditions(source: Source, node: Node, path: str, allow: Sequence[Reach]) -> None:
    """Notes conditions that a plain rule takes away from a part of what they are for.

    A plain rule for single resources beside a condition on all of them is no fault: those are the exceptions. A
    condition that is gone entirely is told as a rule that is part of another.
    """
    held = [(index, rule) for index, rule in enumerate(allow) if rule.is_conditional]
    if not held:
        return
    index = Index(allow)
    plain = _Plain([rule for rule in allow if not rule.is_conditional])
    for at, rule in held:
        if source.is_full:
            return
        common = plain.common_with(rule)
        if common is None or any(allow[other].includes(rule) for other in index.reaching_all_of(at, rule)):
            continue
        what, other_id = common
        message = f"`{rule.id}` sets a condition for {what}, which `{other_id}` allows without any"
        help = f"take it out of one of the two: as it is, `{other_id}` decides"
        source.fault(*place_of(node, path, "allow", at), "condition-void", message, help)


class _Plain:
    """The first plain rule that allows a cell altogether, and those for single ids."""

    def __init__(self, rules: Sequence[Reach]) -> None:
        self._wide: dict[Cell, str] = {}
        self._ids: dict[tuple[Cell, str], str] = {}
        for rule in rules:
            for cell, ids in rule.cells.items():
                if ids is None:
                    self._wide.setdefault(cell, rule.id)
                for one in ids or ():
                    self._ids.setdefault((cell, one), rule.id)

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
