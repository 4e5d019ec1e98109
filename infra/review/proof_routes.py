"""A proof that no request's meaning changed but those that are listed, over paths of any length.

A path is a number of segments, each an integer: a literal of either catalogue, or anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import z3

from .proof import TIMEOUT_MS, Proof
from .routes import RouteChange, meaning

Table = Mapping[str, Any]
Route = Mapping[str, Any]


def prove_routes(before: Table, after: Table, changes: Sequence[RouteChange], timeout_ms: int = TIMEOUT_MS) -> Proof:
    """Whether every class of requests whose route takes something else is in `changes`."""
    if before["routes"] == after["routes"]:
        return Proof(verdict="unsat")
    for method in sorted({route["method"] for table in (before, after) for route in table["routes"]}):
        own = [change for change in changes if change.method == method]
        found = _MethodProof(before, after, method).prove(own, timeout_ms)
        if found.verdict != "unsat":
            return found
    return Proof(verdict="unsat")


class _MethodProof:
    def __init__(self, before: Table, after: Table, method: str) -> None:
        self.method = method
        self.routes = [[r for r in table["routes"] if r["method"] == method] for table in (before, after)]
        longest = max((len(_parts(r)) for routes in self.routes for r in routes), default=0)
        self.length = z3.Int("length")
        self.segments = [z3.Int(f"segment-{at}") for at in range(longest + 1)]
        self.literals: dict[str, int] = {}
        self.meanings: list[object] = [None]

    def prove(self, changes: Sequence[RouteChange], timeout_ms: int) -> Proof:
        solver = z3.Solver()
        solver.set("timeout", timeout_ms)
        was, now = (self._meaning(routes) for routes in self.routes)
        solver.add(self.length >= 0, was != now)
        solver.add(z3.Not(z3.Or([self._covers(change) for change in changes] or [z3.BoolVal(False)])))
        answer = solver.check()
        if answer == z3.unsat:
            return Proof(verdict="unsat")
        if answer == z3.unknown:
            return Proof(verdict="unknown", example=f"{self.method} requests: {solver.reason_unknown()}")
        return Proof(verdict="sat", example=f"{self.method} {self._path(solver.model())}")

    def _path(self, model: z3.ModelRef) -> str:
        names = {number: text for text, number in self.literals.items()}
        length = model.eval(self.length, model_completion=True).as_long()
        numbers = [model.eval(one, model_completion=True).as_long() for one in self.segments[:length]]
        return "/" + "/".join(names.get(number, "…") for number in numbers)

    def _literal(self, text: str) -> int:
        return self.literals.setdefault(text, len(self.literals) + 1)

    def _meaning(self, routes: Sequence[Route]) -> z3.ArithRef:
        """What the most specific of the routes that match takes; 0 where none does."""
        found: z3.ArithRef = z3.IntVal(0)
        for route in sorted(routes, key=_rank):  # The last If is asked first: the most specific route.
            told = meaning(route)
            if told not in self.meanings:
                self.meanings.append(told)
            found = z3.If(self._matches(route), z3.IntVal(self.meanings.index(told)), found)
        return found

    def _matches(self, route: Route) -> z3.BoolRef:
        parts = _parts(route)
        fixed = [part for part in parts if part != "*"]
        size = self.length > len(fixed) if "*" in parts else self.length == len(fixed)
        literals = [(at, part) for at, part in enumerate(fixed) if not part.startswith(":")]
        return z3.And(size, *[self.segments[at] == self._literal(part) for at, part in literals])

    def _covers(self, change: RouteChange) -> z3.BoolRef:
        size = len(change.segments)
        is_long = self.length >= size if change.is_endless else self.length == size
        told: list[z3.BoolRef] = [is_long]
        for variable, segment in zip(self.segments, change.segments, strict=False):
            if segment.literal is not None:
                told.append(variable == self._literal(segment.literal))
            else:
                told += [variable != self._literal(one) for one in sorted(segment.others)]
        return z3.And(told)


def _parts(route: Route) -> list[str]:
    return [part for part in route["path"].split("/") if part]


def _rank(route: Route) -> tuple[int, ...]:
    """Segment by segment, a literal before a parameter before the rest."""
    return tuple(0 if part == "*" else 1 if part.startswith(":") else 2 for part in _parts(route))
