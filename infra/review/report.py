"""The review of a change: what everybody gains and loses in each environment, policy tests, and what others found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.access.cases import Verdict, run_cases
from infra.errors import Fault

from .changes import Changes, compare
from .replay import Replay, replay
from .sides import Side


@dataclass(frozen=True, kw_only=True)
class Part:
    """The changes that environments have in common; `base` stands for the policies without an overlay."""

    environments: tuple[str, ...]
    changes: Changes


@dataclass(frozen=True, kw_only=True)
class Review:
    """Everything that a reviewer is shown."""

    base: str
    head: str
    parts: tuple[Part, ...]
    """At least one; that of the policies without an overlay comes first."""
    failing: tuple[tuple[str, Verdict], ...]
    """Policy tests of the head that fail, each with its environment."""
    tests: int
    replay: Replay | None = None
    guardrails: Sequence[Mapping[str, Any]] | None = None
    """None where nobody asked them."""
    preview: str | None = None
    consent: Mapping[str, Any] | None = None
    """None where it wasn't asked for: not in strict mode."""

    @property
    def has_gains(self) -> bool:
        """Whether somebody gains something, in whatever environment."""
        return any(part.changes.has_gains for part in self.parts)

    @property
    def is_proven(self) -> bool:
        """Whether every list of changes is proven whole."""
        return all(part.changes.proof.verdict == "unsat" for part in self.parts)

    @property
    def objections(self) -> list[str]:
        """Why the review doesn't pass; empty where it does."""
        found = []
        if not self.is_proven:
            found.append("the list of changes could not be proven complete")
        if self.failing:
            found.append(f"{len(self.failing)} policy tests fail")
        mandatory = [one for one in self.guardrails or () if one.get("level") == "mandatory"]
        if mandatory:
            found.append(f"{len(mandatory)} guardrails are violated")
        if self.consent is not None and self.has_gains and not self.consent["given"]:
            found.append(f"somebody gains something, and nobody but the author agreed to it: {self.consent['why']}")
        return found

    def record(self) -> dict[str, Any]:
        """As plain data; `gains`, `losses` and `proof` are those without an overlay."""
        first, *others = self.parts
        return {
            "ok": not self.objections,
            "objections": self.objections,
            "base": self.base,
            "head": self.head,
            **first.changes.record(),
            "same_in": list(first.environments[1:]),
            "environments": [{"in": list(part.environments), **part.changes.record()} for part in others],
            "tests": {"run": self.tests, "failed": [_failed(*one) for one in self.failing]},
            "guardrails": None if self.guardrails is None else list(self.guardrails),
            "preview": self.preview,
            "replay": None if self.replay is None else asdict(self.replay),
            "consent": self.consent,
        }


@dataclass(frozen=True, kw_only=True)
class Faulty:
    """The review of a head whose policies can't be read: its faults are all that there is to say."""

    base: str
    head: str
    faults: Sequence[Fault]

    @property
    def objections(self) -> list[str]:
        """Always one."""
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        return [f"the policies have {count}"]

    def record(self) -> dict[str, Any]:
        """As plain data, in the shape of a review."""
        told = {"ok": False, "objections": self.objections, "base": self.base, "head": self.head}
        return {**told, "gains": [], "losses": [], "proof": "unknown", "faults": [asdict(one) for one in self.faults]}


def review(
    base: Side,
    head: Side,
    *,
    lines: Path | None = None,
    guardrails: Sequence[Mapping[str, Any]] | None = None,
    preview: str | None = None,
    consent: Mapping[str, Any] | None = None,
) -> Review:
    """Compares the two sides in every environment that either has. `lines` are audit lines to be asked again."""
    names = sorted({name for side in (base, head) for name in side.tables if name is not None})
    found: list[tuple[list[str], Changes, dict[str, Any]]] = []
    for environment in (None, *names):
        changes = compare(base.table(environment), head.table(environment))
        told = {key: value for key, value in changes.record().items() if key != "digests"}
        alike = next((entry for entry in found if entry[2] == told), None)
        if alike:
            alike[0].append(environment or "base")
        else:
            found.append(([environment or "base"], changes, told))
    verdicts = [
        (environment or "base", verdict)
        for environment, table in head.tables.items()
        for verdict in run_cases(table, head.cases, environment)
    ]
    return Review(
        base=base.name,
        head=head.name,
        parts=tuple(Part(environments=tuple(some), changes=changes) for some, changes, _ in found),
        failing=tuple(one for one in verdicts if not one[1].is_met),
        tests=len(verdicts),
        replay=replay(lines, base.table(None), head.table(None)) if lines else None,
        guardrails=guardrails,
        preview=preview,
        consent=consent,
    )


def _failed(environment: str, verdict: Verdict) -> dict[str, Any]:
    case, decision = verdict.case, verdict.decision
    return {
        "environment": environment,
        "line": case.line,
        "person": case.person,
        "request": f"{case.request['method']} {case.request['path']}",
        "expected": case.reason or case.effect,
        "got": decision["reason"],
    }
