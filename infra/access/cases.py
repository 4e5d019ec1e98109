"""Policy tests, `tests.yaml`: people with their claims, and what each may and may not do.

An entry of `allow` or `deny` is `METHOD PATH`, or a mapping with `request` and what else is expected or sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from infra.errors import PolicyError

from .decide import AUDIENCES, Decision, Reason, Table, decide, matching_roles
from .ids import NUMERIC
from .load import sorted_faults
from .overlay import BASE, environments
from .source import Node, Source, shown
from .source import entry as value_of

TESTS_FILE = "tests.yaml"
REQUEST = re.compile(r"[A-Z]+ \S.*")
Principal = dict[str, Any]
BY_RULES: frozenset[Reason] = frozenset(
    (
        *("rule-allowed", "rule-denied", "action-not-granted", "resource-not-granted"),
        *("approval-required", "resource-locked"),
    )
)
"""Decisions that the role's rules made: the others would be the same whatever the rules say."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One expectation."""

    person: str
    principal: Principal
    request: Mapping[str, Any]
    effect: str
    reason: str | None
    line: int
    environments: frozenset[str]
    """Where it must hold; `base` is without an overlay."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A case and what was decided."""

    case: Case
    decision: Decision

    @property
    def is_met(self) -> bool:
        """Whether the decision is the expected one."""
        return self.decision["effect"] == self.case.effect and self.case.reason in (None, self.decision["reason"])


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Decision cells: each role with each action that a route takes. A cell is covered when rules decided on it."""

    covered: frozenset[tuple[str, str]]
    cells: frozenset[tuple[str, str]]
    granted: frozenset[tuple[str, str]]
    """The cells in which the role has an allow rule."""

    @property
    def uncovered_grants(self) -> list[tuple[str, str]]:
        """Grants that no case looks at, sorted."""
        return sorted(self.granted - self.covered)


def load_cases(file: Path, issuers: Collection[str] = ()) -> tuple[dict[str, Principal], list[Case]]:
    """The people and the cases of a file, which knows the environments beside it; PolicyError has every fault.

    `issuers` are those that the policies declare, in whatever environment; none where they declare none.
    """
    if not file.exists():
        help = "write what people may and may not do into it: docs/policies.md shows how"
        raise PolicyError(f"there are no policy tests: `{file}` isn't there", code="tests-missing", help=help)
    source = Source(file)
    known = (BASE, *environments(file.parent))
    people: dict[str, Principal] = {}
    cases: list[Case] = []
    if source.root is not None:
        top = source.record(source.root, "$", "the file", ("version", "people", "tests"))
        source.version(top)
        if "people" in top:
            people = _read_people(source, *top["people"])
        for node, path in source.sequence(*top["tests"], "`tests`") if "tests" in top else ():
            cases.extend(_read_test(source, node, path, people, known))
        if issuers and "people" in top:
            _check_issuers(source, *top["people"], people, cases, issuers)
    if source.faults:
        raise PolicyError(f"the policy tests in `{file}` can't be used", faults=sorted_faults(source))
    return people, cases


def _check_issuers(
    source: Source,
    node: Node,
    path: str,
    people: Mapping[str, Principal],
    cases: Sequence[Case],
    issuers: Collection[str],
) -> None:
    """Notes people whose issuer is declared nowhere and who are expected to be let through: that can't be."""
    for name in sorted({case.person for case in cases if case.effect == "allow"}):
        issuer = people[name]["issuer"]
        if issuer is not None and issuer not in issuers:
            where = value_of(*value_of(node, path, name), "issuer")
            help = source.nearest(issuer, issuers) or f"use one of {', '.join(sorted(issuers))}"
            source.fault(*where, "issuer-undeclared", f"`{shown(issuer)}` is no declared issuer", help)


def run_cases(table: Table, cases: Iterable[Case], environment: str | None = None) -> list[Verdict]:
    """Decides every case that must hold in an environment; `table` is that environment's."""
    asked = [case for case in cases if (environment or BASE) in case.environments]
    own: dict[int, Table] = {}
    for case in asked:
        if id(case.principal) not in own:
            own[id(case.principal)] = _narrowed(table, case.principal)
    return [
        Verdict(case=case, decision=decide(own[id(case.principal)], case.principal, case.request)) for case in asked
    ]


def _narrowed(table: Table, principal: Principal) -> Table:
    """The table with the roles that match the principal: the others, of which there may be many, decide nothing."""
    return {**table, "roles": {name: table["roles"][name] for name in matching_roles(table, principal)}}


def measure(table: Table, verdicts: Iterable[Verdict]) -> Coverage:
    """Which decision cells the verdicts looked at."""
    actions = {action for route in table["routes"] for action in route.get("actions", ())} | {"query:native"}
    cells = frozenset((role, action) for role in table["roles"] for action in actions)
    covered = {
        (verdict.decision["role"], action)
        for verdict in verdicts
        if verdict.decision["role"]
        for action in verdict.decision["actions"]
        if verdict.decision["reason"] in BY_RULES
    }
    granted = {
        (name, action) for name, role in table["roles"].items() for rule in role["allow"] for action in rule["actions"]
    }
    return Coverage(covered=cells & frozenset(covered), cells=cells, granted=cells & frozenset(granted))


def _read_people(source: Source, node: Node, path: str) -> dict[str, Principal]:
    people: dict[str, Principal] = {}
    for name, _, value, below in source.names(node, path, "`people`"):
        found = source.record(value, below, "a person", ("issuer", "claims"), ("kind",))
        kind = source.choice(*found["kind"], "kind of principal", tuple(AUDIENCES)) if "kind" in found else "person"
        claims: dict[str, Any] = {}
        for claim, _, entry, at in source.names(*found["claims"], "`claims`") if "claims" in found else ():
            if isinstance(entry, yaml.SequenceNode):
                items = source.sequence(entry, at, "a claim", empty=True)
                claims[claim] = [source.text(item, where, "a claim's value") for item, where in items]
            else:
                claims[claim] = source.text(entry, at, "a claim's value")
        issuer = source.text(*found["issuer"], "an issuer's name") if "issuer" in found else None
        people[name] = {"kind": kind, "issuer": issuer, "claims": claims}
    return people


def _read_test(
    source: Source, node: Node, path: str, people: Mapping[str, Principal], known: Sequence[str]
) -> list[Case]:
    before = len(source.faults)
    found = source.record(node, path, "a test", ("as",), ("allow", "deny", "in", "except"))
    if not {"allow", "deny"} & found.keys() and len(source.faults) == before:
        help = "add `allow` or `deny` with requests, or remove it"
        source.fault(node, path, "test-empty", "a test expects nothing, so that it always passes", help)
    places = _read_places(source, found, known)
    person = source.choice(*found["as"], "person", tuple(people)) if "as" in found else None
    if person is None:
        return []
    cases: list[Case] = []
    for effect in ("allow", "deny"):
        for entry, below in source.sequence(*found[effect], f"`{effect}`") if effect in found else ():
            request, reason = _read_expectation(source, entry, below)
            if request is not None:
                line = entry.start_mark.line + 1
                cases.append(
                    Case(
                        person=person,
                        principal=people[person],
                        request=request,
                        effect=effect,
                        reason=reason,
                        line=line,
                        environments=places,
                    )
                )
    return cases


def _read_places(source: Source, found: Mapping[str, tuple[Node, str]], known: Sequence[str]) -> frozenset[str]:
    """Where a test holds: everywhere, or where `in` or `except` say."""
    if "in" in found and "except" in found:
        message = "a test has either `in` or `except`"
        source.fault(*found["except"], "conditions-both", message, "remove one of the two")
    named: dict[str, frozenset[str]] = {}
    for key in ("in", "except"):
        items = list(source.sequence(*found[key], f"`{key}`")) if key in found else []
        chosen = [source.choice(item, below, "environment", known) for item, below in items]
        named[key] = frozenset(name for name in chosen if name)
    return named["in"] or frozenset(known) - named["except"]


def _read_expectation(source: Source, node: Node, path: str) -> tuple[dict[str, Any] | None, str | None]:
    fields: dict[str, tuple[Node, str]] = {"request": (node, path)}
    if isinstance(node, yaml.MappingNode):
        fields = source.record(node, path, "an expectation", ("request",), ("query", "reason"))
    text = source.text(*fields["request"], "a request (`METHOD PATH`)", REQUEST) if "request" in fields else None
    reason = source.choice(*fields["reason"], "reason", get_args(Reason)) if "reason" in fields else None
    if text is None:
        return None, None
    method, _, target = text.partition(" ")
    request: dict[str, Any] = {"method": method, "path": target}
    if "query" in fields:
        request["query"] = _read_query(source, *fields["query"])
    return request, reason


def _read_query(source: Source, node: Node, path: str) -> dict[str, Any] | None:
    if isinstance(node, yaml.ScalarNode) and node.value == "unreadable":
        return None
    found = source.record(node, path, "a query", ("native", "database"))
    if not {"native", "database"} <= found.keys():
        return None
    native = source.flag(*found["native"], "`native`")
    database, path = found["database"]
    if not isinstance(database, yaml.ScalarNode) or not NUMERIC.fullmatch(database.value):
        source.fault(database, path, "id-invalid", "`database` must be a number", "write an id such as 1")
        return None
    return {"native": native, "database": database.value}
