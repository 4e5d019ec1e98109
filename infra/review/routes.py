"""Which requests mean something else: the route catalogues of two policies, compared on every class of paths.

Both catalogues are walked together, segment by segment: each literal that either knows, and any other segment. So a new
route that takes requests away from a more general one is seen as well as one that is changed itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.access.routes import pattern_segments, specificity

Table = Mapping[str, Any]
Route = Mapping[str, Any]
OTHER = ":any"
"""A segment that no route of either catalogue spells out."""
TAKEN: Sequence[str] = ("*+",)
"""What is left of a pattern whose final `*` has taken a segment: it may take more."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One segment of a class of paths: a literal, or any but those that a route spells out there."""

    literal: str | None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class RouteChange:
    """A class of requests whose route takes other actions, or is another one's resource, than before."""

    method: str
    segments: Sequence[Segment]
    is_endless: bool
    """Whether any further segments change nothing."""
    before: Route | None
    after: Route | None

    @property
    def path(self) -> str:
        """As the catalogue would write it."""
        return "/" + "/".join(one.literal or OTHER for one in self.segments) + ("/…" if self.is_endless else "")

    def judged(self, route: Route | None) -> str:
        """What a route takes, in words."""
        if route is None:
            return "unknown"
        if route.get("blocked"):
            return "blocked"
        about = f" on the {'query' if route['body'] else 'path'}'s {route['kind']}" if route["kind"] else ""
        return f"{' and '.join(route['actions'])}{about}"


def compare_routes(before: Table, after: Table) -> list[RouteChange]:
    """The changed classes, by method and path; a route whose id alone changed is left out."""
    if before["routes"] == after["routes"]:
        return []
    found = []
    methods = sorted({route["method"] for table in (before, after) for route in table["routes"]})
    for method in methods:
        old, new = ([r for r in table["routes"] if r["method"] == method] for table in (before, after))
        for segments, is_endless, was, now in _classes(old, new):
            if meaning(was) != meaning(now):
                found.append(
                    RouteChange(method=method, segments=segments, is_endless=is_endless, before=was, after=now)
                )
    return found


def meaning(route: Route | None) -> object:
    """What a route takes, comparable; None where it lets nobody through."""
    if route is None or route.get("blocked"):
        return None  # Neither is let through: that they are told apart is no access.
    kind = route["kind"]
    at = [part == f":{kind}" for part in pattern_segments(route["path"])] if kind and not route["body"] else []
    return (route["actions"], kind, route["form"], route["body"], at.index(True) if True in at else None)


State = Sequence[tuple[Route, Sequence[str]]]
"""Routes that still fit, each with the rest of its pattern."""


Class = tuple[Sequence[Segment], bool, Route | None, Route | None]


def _classes(old: Sequence[Route], new: Sequence[Route]) -> Iterator[Class]:
    """Each class of paths: its segments, whether it goes on endlessly, and the route of either side."""
    starts: list[State] = [[(route, pattern_segments(route["path"])) for route in routes] for routes in (old, new)]
    waiting: list[tuple[tuple[Segment, ...], State, State]] = [((), starts[0], starts[1])]
    while waiting:
        path, was, now = waiting.pop()
        # Where only `*` is left, every further segment leads to the same routes.
        is_endless = bool(was or now) and all(rest == TAKEN for state in (was, now) for _, rest in state)
        yield path, is_endless, _best(was), _best(now)
        if is_endless:
            continue
        literals = {rest[0] for state in (was, now) for _, rest in state if rest and _is_literal(rest[0])}
        steps = [Segment(literal=one) for one in sorted(literals)]
        for segment in (*steps, Segment(literal=None, others=frozenset(literals))):
            step = (_after(was, segment.literal), _after(now, segment.literal))
            if step[0] or step[1]:
                waiting.append(((*path, segment), *step))


def _is_literal(part: str) -> bool:
    return part not in ("*", *TAKEN) and not part.startswith(":")


def _after(state: State, segment: str | None) -> State:
    """The routes that still fit after a segment, which is a literal or (None) any other."""
    found: list[tuple[Route, Sequence[str]]] = []
    for route, rest in state:
        if rest and rest[0] in ("*", *TAKEN):
            found.append((route, TAKEN))
        elif rest and (rest[0] == segment or rest[0].startswith(":")):
            found.append((route, rest[1:]))
    return found


def _best(state: State) -> Route | None:
    """The most specific route that ends here."""
    ended = [route for route, rest in state if not rest or rest == TAKEN]
    return max(ended, key=lambda route: specificity(route["path"]), default=None)
