"""Which answers differ between two decision tables: role by action by resource, exactly, with the rule responsible.

Resources are told apart as far as either table can: each id that a rule lists, every other number, and entity ids whose
number nobody knows. Each of these classes is answered alike throughout, so that the list is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra.access.actions import KINDS

from .extent import ABSENT, RANK, Outcome, RoleExtent

Place = Literal["listed", "other", "unsettled", "none"]
Direction = Literal["gain", "loss"]
Table = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One answer that changed."""

    role: str
    action: str
    kind: str | None
    place: Place
    one: str
    """The id where `place` is `listed`, else one that stands for the others; empty where there is no resource."""
    before: Outcome
    after: Outcome

    @property
    def direction(self) -> Direction:
        """More is allowed, or less. Another condition of the same rank counts as more: it may be easier to meet."""
        return "loss" if RANK[self.after.effect] < RANK[self.before.effect] else "gain"

    @property
    def rule(self) -> str | None:
        """The rule responsible: that which decides now, or that which no longer does."""
        return self.after.rule or self.before.rule

    @property
    def resource(self) -> str | None:
        """`dashboard/1`, `dashboard/other`, `dashboard/unsettled`; None for requests about no single resource."""
        return None if self.kind is None else f"{self.kind}/{self.one if self.place == 'listed' else self.place}"


def compare_cells(before: Table, after: Table) -> list[Cell]:
    """The changed answers, by role, action, kind and id."""
    kinds = _kinds_by_action(before, after)
    found: list[Cell] = []
    for role in sorted({*before["roles"], *after["roles"]}):
        old, new = (_extent(table, role) for table in (before, after))
        for action in sorted((old.actions() if old else set()) | (new.actions() if new else set())):
            for kind in kinds[action]:
                for place, one in _subjects(before, after, old, new, action, kind):
                    was, now = (_outcome(e, t, action, kind, one) for e, t in ((old, before), (new, after)))
                    if (was.effect, was.condition) != (now.effect, now.condition):
                        found.append(
                            Cell(role=role, action=action, kind=kind, place=place, one=one, before=was, after=now)
                        )
    return found


def _extent(table: Table, role: str) -> RoleExtent | None:
    return RoleExtent(table, table["roles"][role]) if role in table["roles"] else None


def _outcome(extent: RoleExtent | None, table: Table, action: str, kind: str | None, one: str) -> Outcome:
    if extent is None:
        return ABSENT
    return extent.outcome(action, kind, table["aliases"].get(kind, {}).get(one, one))


def _kinds_by_action(before: Table, after: Table) -> dict[str, list[str | None]]:
    """The kinds that requests for an action can be about, in either table; None stands for none."""
    found: dict[str, set[str | None]] = {}
    for table in (before, after):
        for action, kinds in table["actions"].items():
            found.setdefault(action, set()).update(kinds or [None])
        for route in table["routes"]:
            for action in () if route.get("blocked") else route["actions"]:
                found.setdefault(action, set()).add(route["kind"])
                if route["body"] is not None:
                    found.setdefault("query:native", set()).add(route["kind"])
    order: list[str | None] = [*KINDS, None]
    return {action: [kind for kind in order if kind in kinds] for action, kinds in found.items()}


def _subjects(
    before: Table, after: Table, old: RoleExtent | None, new: RoleExtent | None, action: str, kind: str | None
) -> Iterator[tuple[Place, str]]:
    if kind is None:
        yield "none", ""
        return
    was, now = before["aliases"].get(kind, {}), after["aliases"].get(kind, {})
    moved = {one for one in {*was, *now} if was.get(one) != now.get(one)}
    named = {one for extent in (old, new) if extent for one in extent.ids(action, kind)}
    # An entity id that is the same number on both sides is judged under that number.
    listed = {one for one in named if one not in was and one not in now} | moved
    for one in sorted(listed, key=lambda text: (len(text), text)):
        yield "listed", one
    taken = listed | {number for known in (was, now) for number in known.values()}
    yield "other", next(text for number in range(len(taken) + 1) if (text := str(number)) not in taken)
    entities = {*listed, *was, *now}
    yield "unsettled", next(text for number in range(len(entities) + 1) if (text := f"{number:021d}") not in entities)
