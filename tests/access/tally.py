"""What a walk has met, read from the decisions that were told, against what it must meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.access.actions import KINDS, NATIVE
from infra.access.ids import ENTITY, NUMERIC
from infra.access.matrix import Subject, listed_ids, routes_of, subjects_of
from tests.access.domain import Ask, Asker, kinds_of_role

Cell = tuple[str, str, str, str, str]
"""Kind of principal, role, route, action, class of resources."""
MALFORMED, UNREADABLE = "malformed", "unreadable"
BY_ENTITY = " by entity id"
"""Follows the class where the request wrote an entity id, and the policies know its number."""


class Tally:
    """Counts decisions by cell and reason."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table
        self.cells: Counter[tuple[Cell, str]] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.routes: set[tuple[str, str, str, str]] = set()
        self._listed = {kind: set(listed_ids(dict(table), kind)) for kind in KINDS}
        self._kinds = {route["id"]: route.get("kind") for route in table["routes"]}

    def add(self, asker: Asker, ask: Ask, decision: Mapping[str, Any]) -> None:
        """Counts one decision, as it was told."""
        reason, role, route = decision["reason"], decision["role"], decision["route"]
        self.reasons[asker.kind, reason] += 1
        if role is None or route is None:
            return
        self.routes.add((asker.kind, role, ask.method, route))
        for action in decision["actions"]:
            self.cells[(asker.kind, role, route, action, self._class(ask, decision)), reason] += 1

    def _class(self, ask: Ask, decision: Mapping[str, Any]) -> str:
        resource = decision["resource"]
        if decision["reason"] == "query-unreadable":
            return UNREADABLE
        if decision["reason"] == "resource-id-malformed":
            return f"{self._kinds[decision['route']]}/{MALFORMED}"
        if resource is None:
            return ""
        kind, text = resource["kind"], resource["id"]
        entities = [one for one, number in self.table["aliases"].get(kind, {}).items() if number == text]
        written = BY_ENTITY if any(part in entities for part in ask.path.split("/")) else ""
        if text in self._listed[kind]:
            return f"{kind}/{text}{written}"
        return f"{kind}/{'other' if NUMERIC.fullmatch(text) else 'unsettled'}{written}"

    def missing(self) -> list[tuple[str, ...]]:
        """The cells and routes that the walk should have met and didn't."""
        met = {cell for cell, _ in self.cells}
        return sorted({*required_cells(self.table)} - met) + sorted({*required_routes(self.table)} - self.routes)


def required_routes(table: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Each role with each route, as every kind of principal that it takes; a GET route with HEAD too."""
    for kind, name in _roles(table):
        for route in table["routes"]:
            for method in {route["method"], "HEAD" if route["method"] == "GET" else route["method"]}:
                yield kind, name, method, route["id"]


def required_cells(table: Mapping[str, Any]) -> Iterator[Cell]:
    """Each role, route and action with each class of the matrix that the route can be asked for, or fail to be."""
    for action in table["actions"]:
        subjects = subjects_of(dict(table), action)
        for route in routes_of(dict(table), action):
            for where in _classes(table, route, action, subjects):
                for kind, name in _roles(table):
                    yield kind, name, route["id"], action, where


def _roles(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, role in table["roles"].items():
        for kind in kinds_of_role(role):
            yield kind, name


def _classes(
    table: Mapping[str, Any], route: Mapping[str, Any], action: str, subjects: Iterable[Subject]
) -> Iterator[str]:
    if route["kind"] is None:
        yield ""
        return
    known = set(table["aliases"].get(route["kind"], {}).values())
    for subject in subjects:
        if subject.sample is None or subject.kind != route["kind"]:
            continue
        text = subject.sample["id"]
        if ENTITY.fullmatch(text) if route["form"] == "entity" else route["form"] == "id" or NUMERIC.fullmatch(text):
            yield subject.name
        if text in known and route["form"] in ("id", "entity"):
            yield subject.name + BY_ENTITY
    if route["body"] is None:
        yield f"{route['kind']}/{MALFORMED}"
    elif action != NATIVE:
        # Whether it is native isn't known then, and the catalogue's own actions are told.
        yield UNREADABLE


def reasons_of(tallies: Iterable[Tally]) -> set[str]:
    """Every reason that was met."""
    return {reason for tally in tallies for _, reason in tally.reasons}
