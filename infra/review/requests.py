"""Which requests of a role are answered otherwise because the route catalogue changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.access.actions import ADHOC, NATIVE
from infra.access.ids import settle_id
from infra.access.routes import pattern_segments

from .cells import Direction
from .extent import RANK, Effect, Outcome, RoleExtent
from .routes import Route, RouteChange

Table = Mapping[str, Any]
REFUSED = Outcome("deny", None, "route-unknown")


@dataclass(frozen=True, kw_only=True)
class RequestChange:
    """Requests of one role and class of paths, on the resources named, or on none."""

    role: str
    method: str
    path: str
    resources: tuple[str, ...]
    """Ids, `other` and `unsettled`; empty where the request is about none."""
    before: Effect
    after: Effect
    takes: str
    """What the request takes now, in words."""
    rule: str | None

    @property
    def direction(self) -> Direction:
        """More is let through, or less."""
        return "gain" if RANK[self.after] > RANK[self.before] else "loss"

    def record(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "role": self.role,
            "action": f"{self.method} {self.path}",
            "resource": ", ".join(self.resources) or None,
            "rule": self.rule,
            "before": {"effect": self.before},
            "after": {"effect": self.after, "takes": self.takes},
        }


def compare_requests(before: Table, after: Table, routes: Sequence[RouteChange]) -> list[RequestChange]:
    """By role, for the roles that there are on both sides: all answers of the others are changes of the role itself."""
    found: list[RequestChange] = []
    for role in sorted(before["roles"].keys() & after["roles"].keys()) if routes else ():
        extents = tuple(RoleExtent(table, table["roles"][role]) for table in (before, after))
        for change in routes:
            found += _of_role(role, change, *extents)
    return found


def _of_role(role: str, change: RouteChange, old: RoleExtent, new: RoleExtent) -> Iterator[RequestChange]:
    by_answer: dict[tuple[Effect, Effect, str | None], list[str]] = {}
    for name, one in _subjects(change, old, new):
        for is_native in (False, True):
            was, now = (
                REFUSED if _is_no_id(change, route) else _answer(extent, route, one, is_native)
                for extent, route in ((old, change.before), (new, change.after))
            )
            if was.effect != now.effect:
                named = by_answer.setdefault((was.effect, now.effect, now.rule or was.rule), [])
                if name and name not in named:
                    named.append(name)
    for (was_effect, now_effect, rule), names in by_answer.items():
        yield RequestChange(
            role=role,
            method=change.method,
            path=change.path,
            resources=tuple(names),
            before=was_effect,
            after=now_effect,
            takes=change.judged(change.after),
            rule=rule,
        )


def _subjects(change: RouteChange, old: RoleExtent, new: RoleExtent) -> Iterator[tuple[str, str]]:
    sides = [(old, change.before), (new, change.after)]
    known = [(extent, route) for extent, route in sides if route and not route.get("blocked") and route["kind"]]
    if not known:
        yield "", ""
        return
    listed = {
        one
        for extent, route in known
        for action in (*route["actions"], NATIVE)
        for one in extent.ids(action, route["kind"])
    }
    yield from ((one, one) for one in sorted(listed, key=lambda text: (len(text), text)))
    yield "other", next(text for number in range(len(listed) + 1) if (text := str(number)) not in listed)
    yield "unsettled", next(text for number in range(len(listed) + 1) if (text := f"{number:021d}") not in listed)


def _is_no_id(change: RouteChange, route: Route | None) -> bool:
    """Whether a word that another route spells out stands where this one has its resource's id."""
    if route is None or not route.get("kind") or route["body"] is not None:
        return False
    at = pattern_segments(route["path"]).index(f":{route['kind']}")
    literal = change.segments[at].literal
    return literal is not None and settle_id(literal, route["form"], {}) is None


def _answer(extent: RoleExtent, route: Route | None, one: str, is_native: bool) -> Outcome:
    """The weakest of the actions' answers: all must be granted."""
    if route is None or route.get("blocked"):
        return REFUSED
    swap = is_native and route["body"] is not None
    actions = [NATIVE if swap and action == ADHOC else action for action in route["actions"]]
    return min((extent.outcome(action, route["kind"], one) for action in actions), key=lambda o: RANK[o.effect])
