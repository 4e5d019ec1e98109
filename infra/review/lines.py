"""Changes in words, one line for all resources that are answered alike: what a person reads in a review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.access.wording import match_words, visible

from .cells import Cell, Direction
from .changes import Changes
from .extent import Outcome
from .grants import Grant
from .people import Way
from .requests import RequestChange

MAX_IDS = 12
WORDS = {"other": "every other {kind}", "unsettled": "every other {kind} by its entity id"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One change: who, what, on which resources, what it was, what it is, and the rule responsible."""

    role: str
    what: str
    on: str
    before: str
    after: str
    rule: str


def lines(changes: Changes, direction: Direction) -> list[Line]:
    """The gains, or the losses: people first, then rules, requests and the rest."""
    ways = changes.added if direction == "gain" else changes.removed
    cells = [cell for cell in changes.cells if cell.direction == direction]
    return [
        *(_way(way, direction) for way in ways),
        *_cells(cells),
        *(_request(one) for one in changes.requests if one.direction == direction),
        *(_grant(one) for one in changes.grants if one.direction == direction),
    ]


def _way(way: Way, direction: Direction) -> Line:
    has, had = ("has the role", "") if direction == "gain" else ("", "had the role")
    who = match_words({"issuer": way.issuer, "claims": way.claims})
    return Line(role=way.role, what=f"{way.audience}", on=who, before=had, after=has, rule="")


def _cells(cells: Iterable[Cell]) -> list[Line]:
    """One line for each role, action, kind and answer, in the order in which they first occur."""
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        key = (cell.role, cell.action, cell.kind, _told(cell.before), _told(cell.after), cell.rule)
        groups.setdefault(key, []).append(cell)
    return [
        Line(
            role=some[0].role,
            what=some[0].action,
            on=resources(some),
            before=_told(some[0].before),
            after=_told(some[0].after),
            rule=some[0].rule or "",
        )
        for some in groups.values()
    ]


def resources(cells: Sequence[Cell]) -> str:
    """`dashboards 1, 2; every other dashboard`, or that no single one is meant."""
    kind = cells[0].kind
    if kind is None:
        return "no single one"
    ids = [cell.one for cell in cells if cell.place == "listed"]
    parts = []
    if ids:
        more = f" and {len(ids) - MAX_IDS} more" if len(ids) > MAX_IDS else ""
        parts.append(f"{kind}{'s' if len(ids) > 1 else ''} {', '.join(ids[:MAX_IDS])}{more}")
    places = {cell.place for cell in cells}
    if {"other", "unsettled"} <= places:
        parts.append(f"every other {kind}")
    else:
        parts += [words.format(kind=kind) for place, words in WORDS.items() if place in places]
    return "; ".join(parts)


def _told(outcome: Outcome) -> str:
    if outcome.effect == "allow":
        return "allowed"
    if outcome.effect == "held":
        return "with an approval" if outcome.reason == "approval-required" else "with locked parameters"
    return f"denied ({outcome.reason})"


def _request(change: RequestChange) -> Line:
    on = ", ".join(change.resources) or "no single one"
    words = {"allow": "allowed", "held": "on a condition", "deny": "denied"}
    after = f"{words[change.after]}: it takes {change.takes}"
    return Line(
        role=change.role,
        what=visible(f"{change.method} {change.path}"),
        on=on,
        before=words[change.before],
        after=after,
        rule=change.rule or "",
    )


def _grant(grant: Grant) -> Line:
    return Line(
        role=grant.role or "",
        what=grant.what,
        on=visible(grant.subject),
        before=visible(grant.before or "none"),
        after=visible(grant.after or "none"),
        rule="",
    )
