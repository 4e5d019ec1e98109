"""What recovery works on: exported state, pending operations, past updates, objects found outside; and its result."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Pending:
    """One entry of the state's `pending_operations`: what the engine had begun when it died.

    `id` is there where the cloud had answered already, but the state was not written yet.
    """

    operation: str
    urn: str
    token: str
    inputs: dict[str, Any] = field(default_factory=dict, repr=False)
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """A stack's exported deployment. Secrets in it stay encrypted; nothing of `document` may be printed."""

    document: dict[str, Any] = field(repr=False)
    resources: tuple[dict[str, Any], ...] = field(repr=False)
    pending: tuple[Pending, ...]

    @property
    def ids(self) -> frozenset[Key]:
        """(type token, id) of every object that the state knows, those about to be deleted too."""
        return frozenset((r["type"], r["id"]) for r in self.resources if r.get("id"))

    @property
    def urns(self) -> frozenset[str]:
        """The names under which the state keeps resources."""
        return frozenset(r["urn"] for r in self.resources)

    @property
    def born(self) -> datetime | None:
        """When its first resource was made, as far as the state says."""
        return min((when(r["created"]) for r in self.resources if r.get("created")), default=None)

    def without_pending(self) -> str:
        """The document to import: the same, nothing pending."""
        deployment = {k: v for k, v in self.document["deployment"].items() if k != "pending_operations"}
        return json.dumps({**self.document, "deployment": deployment})


@dataclass(frozen=True, kw_only=True)
class Update:
    """One entry of the stack's history; a killed engine leaves none."""

    start: datetime
    end: datetime | None
    succeeded: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """An object outside, known by its deterministic name.

    `created` is None where the kind has no creation time. `is_empty`: it holds no data that a deletion would lose;
    None where the kind never holds any.
    """

    token: str
    label: str
    name: str
    id: str
    created: datetime | None = None
    is_empty: bool | None = None

    def __str__(self) -> str:
        return f"{self.label} `{self.name}` ({self.id})"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is done with an object that the state does not know: `delete`, `keep` (adopted later) or `unclaimed`."""

    found: Found
    action: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What a recovery found and did; every field can be printed.

    `pending` were dropped from the state, unless `is_settled` is False: then something unclaimed stands in their way.
    `refreshed` are the resources that were looked up again, since it was not known what became of them.
    """

    stack: str
    locks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unclaimed: tuple[str, ...] = ()
    not_looked_up: tuple[str, ...] = ()
    refreshed: tuple[str, ...] = ()
    state_copy: str | None = None
    is_settled: bool = True

    @property
    def is_changed(self) -> bool:
        """True where anything was repaired, deleted or written."""
        return bool(self.locks or self.files or self.deleted or self.refreshed or self.state_copy)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "is_changed": self.is_changed}


def read_state(text: str) -> State:
    """The state from the text of `pulumi stack export`."""
    document = json.loads(text)
    deployment = document.get("deployment") or {}
    document["deployment"] = deployment
    return State(
        document=document,
        resources=tuple(deployment.get("resources") or ()),
        pending=tuple(_pending(entry) for entry in deployment.get("pending_operations") or ()),
    )


def _pending(entry: dict[str, Any]) -> Pending:
    resource = entry["resource"]
    return Pending(
        operation=entry["type"],
        urn=resource["urn"],
        token=resource["type"],
        inputs=resource.get("inputs") or {},
        id=resource.get("id") or None,
    )


def read_history(text: str) -> tuple[Update, ...]:
    """The stack's updates, newest first, from the text of `pulumi stack history --json`.

    A refresh is none: it makes nothing, and says nothing of whether the update before it came to its end.
    """
    return tuple(
        Update(
            start=when(entry["startTime"]),
            end=when(entry["endTime"]) if entry.get("endTime") else None,
            succeeded=entry.get("result") == "succeeded",
        )
        for entry in json.loads(text or "[]")
        if entry.get("kind") != "refresh"
    )


def when(text: str) -> datetime:
    """A time of RFC 3339, which the engine writes with nanoseconds."""
    return datetime.fromisoformat(text)
