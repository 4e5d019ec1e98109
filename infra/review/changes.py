"""All that changes between two decision tables, as gains and losses, with the proof that the list is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from infra.access.table import digest

from .cells import Cell, compare_cells
from .extent import RANK, RoleExtent
from .grants import Grant, compare_grants
from .people import Way, compare_people
from .proof import Proof, prove_cells, prove_people
from .proof_routes import prove_routes
from .requests import RequestChange, compare_requests
from .routes import compare_routes

Table = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The whole difference of two policies."""

    before: Table = field(repr=False)
    after: Table = field(repr=False)
    cells: Sequence[Cell]
    added: Sequence[Way]
    """Ways to belong to a role that are new."""
    removed: Sequence[Way]
    grants: Sequence[Grant]
    requests: Sequence[RequestChange]
    """Requests that the route catalogue judges otherwise, for the roles to which that matters."""
    proof: Proof

    @property
    def is_empty(self) -> bool:
        """Whether nobody gains or loses anything."""
        return not (self.cells or self.added or self.removed or self.grants or self.requests)

    @property
    def has_gains(self) -> bool:
        """Whether somebody gains something."""
        directions = [one.direction for one in self.cells]
        directions += [one.direction for one in self.grants]
        directions += [one.direction for one in self.requests]
        return bool(self.added) or "gain" in directions

    @cached_property
    def unreachable(self) -> list[Cell]:
        """The first loss of each action on a resource that no role has any longer, not even on a condition."""
        extents = [RoleExtent(self.after, role) for role in self.after["roles"].values()]
        aliases = self.after["aliases"]
        found: dict[tuple[str, str | None], Cell] = {}
        for cell in self.cells:
            if RANK[cell.after.effect] > 0 or (cell.action, cell.resource) in found:
                continue
            known = aliases.get(cell.kind, {})
            outcomes = (extent.outcome(cell.action, cell.kind, known.get(cell.one, cell.one)) for extent in extents)
            if all(RANK[outcome.effect] == 0 for outcome in outcomes):
                found[cell.action, cell.resource] = cell
        return list(found.values())

    def record(self) -> dict[str, Any]:
        """As plain data: one entry for each answer that changed."""
        entries: dict[str, list[dict[str, Any]]] = {"gain": [], "loss": []}
        for cell in self.cells:
            entries[cell.direction].append(_cell_record(cell))
        for direction, ways in (("gain", self.added), ("loss", self.removed)):
            entries[direction] += [{"what": "people", **asdict(way), "action": None, "resource": None} for way in ways]
        for change in self.requests:
            entries[change.direction].append({"what": "request", **change.record()})
        for grant in self.grants:
            told = {key: value for key, value in asdict(grant).items() if key != "direction"}
            entries[grant.direction].append({**told, "action": None, "resource": None})
        return {
            "gains": entries["gain"],
            "losses": entries["loss"],
            "unreachable": [{"action": cell.action, "resource": cell.resource} for cell in self.unreachable],
            "proof": self.proof.verdict,
            "proof_example": self.proof.example,
            "digests": {"before": digest(self.before), "after": digest(self.after)},
        }


def compare(before: Table, after: Table) -> Changes:
    """Compares two decision tables, and proves the list whole."""
    cells = compare_cells(before, after)
    added, removed = compare_people(before, after)
    routes = compare_routes(before, after)
    proofs = (
        prove_cells(before, after, cells),
        prove_people(before, after, [*added, *removed]),
        prove_routes(before, after, routes),
    )
    return Changes(
        before=before,
        after=after,
        cells=cells,
        added=added,
        removed=removed,
        grants=compare_grants(before, after),
        requests=compare_requests(before, after, routes),
        proof=next((proof for proof in proofs if proof.verdict != "unsat"), proofs[0]),
    )


def _cell_record(cell: Cell) -> dict[str, Any]:
    return {
        "what": "rule",
        "role": cell.role,
        "action": cell.action,
        "resource": cell.resource,
        "rule": cell.rule,
        "before": _outcome(cell.before),
        "after": _outcome(cell.after),
    }


def _outcome(outcome: Any) -> Mapping[str, Any]:
    return {"effect": outcome.effect, "reason": outcome.reason, "rule": outcome.rule}
