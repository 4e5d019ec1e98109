"""The matrix: every role by every action by every class of resources that the decision can tell apart, judged.

`decide()` is asked for each cell, by a request that takes the one action on the one resource. No rule is read here for
its meaning; ids in rules are only collected as samples, since `decide()` tells apart no more than those that are
written somewhere, any other number, and an entity id whose number isn't known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .actions import ADHOC, KINDS, NATIVE
from .decide import Decision, Resource, Table, decide_as
from .ids import NUMERIC
from .table import digest

Effect = Literal["allowed", "held", "denied", "not-granted"]
Place = Literal["listed", "other", "unsettled", "none"]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A class of resources that `decide()` can't tell apart, with a sample of it."""

    place: Place
    """`listed`: this one; `other`: any other number; `unsettled`: an entity id without a known number; `none`: none."""
    sample: Resource | None

    @property
    def kind(self) -> str | None:
        """The resource's kind; None where a request is about no single resource."""
        return self.sample["kind"] if self.sample else None

    @property
    def name(self) -> str:
        """For programs: `dashboard/1`, `dashboard/other`, `dashboard/unsettled`, or nothing."""
        if self.sample is None:
            return ""
        return f"{self.sample['kind']}/{self.sample['id'] if self.place == 'listed' else self.place}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one role may do with one subject, and what decided it."""

    role: str
    effect: Effect
    reason: str
    rule: str | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One action on one or more subjects; a cell for each role, in the matrix's order."""

    action: str
    subjects: tuple[Subject, ...]
    label: str
    """The subjects in words; empty for an action that is about no resource."""
    cells: tuple[Answer, ...]


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The roles, and a row for each action and subject."""

    roles: tuple[str, ...]
    rows: tuple[Row, ...]
    digest: str
    """The digest of the table that was judged."""

    def groups(self) -> dict[str, list[Row]]:
        """The merged rows by their action's prefix: `dashboard`, `query`, …, each prefix once."""
        found: dict[str, list[Row]] = {}
        for row in self.merged():
            found.setdefault(row.action.partition(":")[0], []).append(row)
        return found

    def merged(self) -> list[Row]:
        """One row for all subjects of an action that get the same cells."""
        found: dict[tuple[str, tuple[Answer, ...]], list[Subject]] = {}
        for row in self.rows:
            found.setdefault((row.action, row.cells), []).extend(row.subjects)
        every = {row.action: self.subjects(row.action) for row in self.rows}
        return [
            Row(action=action, subjects=tuple(some), label=describe(some, every[action]), cells=cells)
            for (action, cells), some in found.items()
        ]

    def subjects(self, action: str) -> list[Subject]:
        """Every subject of an action."""
        return [subject for row in self.rows if row.action == action for subject in row.subjects]


def judge(table: Table, role: str, action: str, resource: Resource | None) -> Decision:
    """What `decide()` says to this role's request for this action on this resource.

    The catalogue is left out for one request of our own, since Metabase's often take several actions at once.
    """
    kind = resource["kind"] if resource else None
    path = f"/{kind}/{resource['id']}" if resource else "/"
    route = {
        "id": "who-can",
        "method": "GET",
        "path": f"/{kind}/:{kind}" if kind else "/",
        "form": "id" if kind else None,
        "actions": [action],
        "kind": kind,
        "page": False,
        "body": None,
    }
    return decide_as({**table, "routes": [route]}, role, {"method": "GET", "path": path})


def answer(table: Table, role: str, action: str, resource: Resource | None) -> Answer:
    """The same in four words: a deny by a rule, or for fear of one, is `denied`; what nothing allows `not-granted`.

    What a rule allows only with an approval, or with locked parameters, is `held`.
    """
    decision = judge(table, role, action, resource)
    effects: dict[str, Effect] = {
        "rule-allowed": "allowed",
        "approval-required": "held",
        "resource-locked": "held",
        "action-not-granted": "not-granted",
        "resource-not-granted": "not-granted",
    }
    effect = effects.get(decision["reason"], "denied")
    return Answer(role=role, effect=effect, reason=decision["reason"], rule=decision["rule"])


def kinds_of(table: Table, action: str) -> list[str]:
    """The kinds that the action is about, by its definition or by a request of the catalogue."""
    found = {*table["actions"][action], *(route["kind"] for route in routes_of(table, action))}
    return [kind for kind in KINDS if kind in found]


def subjects_of(table: Table, action: str) -> list[Subject]:
    """Every subject that a request for this action can have, in the order of kinds and ids, none at the end."""
    found: list[Subject] = []
    for kind in kinds_of(table, action):
        listed = listed_ids(table, kind)
        found += [Subject(place="listed", sample={"kind": kind, "id": text}) for text in listed]
        taken = {*listed, *table["aliases"].get(kind, {})}
        other = next(text for number in range(1, len(taken) + 2) if (text := str(number)) not in taken)
        entity = next(text for number in range(len(taken) + 1) if (text := f"{number:021d}") not in taken)
        found.append(Subject(place="other", sample={"kind": kind, "id": other}))
        found.append(Subject(place="unsettled", sample={"kind": kind, "id": entity}))
    if not table["actions"][action] or any(route["kind"] is None for route in routes_of(table, action)):
        found.append(Subject(place="none", sample=None))
    return found


def listed_ids(table: Table, kind: str) -> list[str]:
    """The ids of a kind that any rule writes: numbers in their order, then entity ids without a number."""
    known = table["aliases"].get(kind, {})
    found = set()
    for role in table["roles"].values():
        for rule in (*role["allow"], *role["deny"]):
            ids = (rule.get("on") or {}).get(kind)
            found |= {known.get(text, text) for text in ids} if isinstance(ids, list) else set()
    return sorted(found, key=lambda text: (not NUMERIC.fullmatch(text), len(text), text))


def routes_of(table: Table, action: str) -> Iterator[Mapping[str, Any]]:
    """The catalogue's routes that take the action; one with a query takes `query:native` in place of `query:adhoc`."""
    for route in table["routes"]:
        if not route.get("blocked") and action in actions_of(route, action):
            yield route


def actions_of(route: Mapping[str, Any], asked: str) -> list[str]:
    """The actions that the route takes when it is asked for `asked`."""
    swap = asked == NATIVE and route["body"] is not None
    return [NATIVE if swap and action == ADHOC else action for action in route["actions"]]


def build(table: Table) -> Matrix:
    """Judges every cell."""
    roles = tuple(sorted(table["roles"]))
    rows = [
        Row(
            action=action,
            subjects=(subject,),
            label=describe([subject], []),
            cells=tuple(answer(table, role, action, subject.sample) for role in roles),
        )
        for action in table["actions"]
        for subject in subjects_of(table, action)
    ]
    return Matrix(roles=roles, rows=tuple(rows), digest=digest(table))


def describe(subjects: Sequence[Subject], every: Sequence[Subject]) -> str:
    """Subjects in words, as shortly as `every`, all subjects of the action, lets: `dashboards 1, 2; no single one`."""
    if len(every) > 1 and len(subjects) == len(every):
        return "all"
    return "; ".join(_words(subjects, every)) if len(every) != 1 else ""


def _words(subjects: Sequence[Subject], every: Sequence[Subject]) -> Iterator[str]:
    for kind in dict.fromkeys(subject.kind for subject in subjects):
        some = [subject for subject in subjects if subject.kind == kind]
        if kind is None:
            yield "no single one"
        elif len(some) > 1 and len(some) == sum(subject.kind == kind for subject in every):
            yield f"every {kind}"
        else:
            yield from _parts(kind, some)


def _parts(kind: str, some: Sequence[Subject]) -> Iterator[str]:
    ids = [subject.sample["id"] for subject in some if subject.place == "listed" and subject.sample]
    places = {subject.place for subject in some}
    if ids:
        yield f"{kind}{'s' if len(ids) > 1 else ''} {', '.join(ids)}"
    if {"other", "unsettled"} <= places:
        yield f"other {kind}s"
    elif "other" in places:
        yield f"other {kind}s by number"
    elif "unsettled" in places:
        yield f"other {kind}s by entity id"
