"""Which objects that the state does not know this stack provably made and lost: only these are deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .model import Found, Key, Pending, State, Update, Verdict
from .parts import KV, VOLUME, name_of

# The history has whole seconds, and the cloud has a clock of its own.
SLACK = timedelta(seconds=5)
Window = tuple[datetime, datetime | None]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of the stack's updates.

    `is_interrupted`: something shows that an update was killed, which leaves no entry in the history: a pending
    operation, a dead engine's lock or a torn state. `seen` is the earliest time at which the stack is known to exist.
    """

    state: State
    history: tuple[Update, ...]
    is_interrupted: bool
    seen: datetime | None = None

    @property
    def is_blank(self) -> bool:
        """No state and no history: perhaps not the backend that the stack lives in."""
        return not self.state.resources and not self.state.pending and not self.history

    @property
    def has_failed(self) -> bool:
        """The last update that ended did not succeed."""
        return bool(self.history) and not self.history[0].succeeded

    def windows(self) -> tuple[Window, ...]:
        """The times in which this stack's updates can have lost an object; an end of None is now."""
        failed = [(u.start - SLACK, u.end + SLACK if u.end else None) for u in self.history if not u.succeeded]
        since = self._interrupted_since() if self.is_interrupted else None
        return (*failed, *([(since - SLACK, None)] if since else []))

    def _interrupted_since(self) -> datetime | None:
        """The killed update began after the last one that succeeded, or is among the stack's first."""
        ends = [u.end for u in self.history if u.succeeded and u.end]
        if ends:
            return max(ends)
        known = [self.state.born, self.seen, *(u.start for u in self.history)]
        return min((moment for moment in known if moment), default=None)


def decide(evidence: Evidence, objects: Iterable[Found], *, assume_yes: bool) -> list[Verdict]:
    """A verdict for every object that the state does not know, and none for those that it knows.

    Proof is one of: the interrupted creation's own answer (the same id); a creation time within an update of this
    stack that did not succeed; for a kind without creation times, an interrupted creation of this name and no data in
    it. `assume_yes` is a person's word for the rest, save Docker volumes, which are never deleted.
    """
    known, windows = evidence.state.ids, evidence.windows()
    begun = {_key(pending): pending for pending in evidence.state.pending if pending.operation == "creating"}
    verdicts = []
    for found in objects:
        if (found.token, found.id) in known:
            continue
        action, reason = _judge(found, begun.get((found.token, found.name)), windows)
        if evidence.is_blank and action == "delete":
            action, reason = "unclaimed", "this backend has neither state nor history of the stack"
        if action == "unclaimed" and assume_yes:
            action, reason = "delete", "as told by --yes"
        verdicts.append(Verdict(found=found, action=action, reason=reason))
    return verdicts


def _key(pending: Pending) -> Key:
    return pending.token, name_of(pending.token, pending.inputs) or ""


def _judge(found: Found, pending: Pending | None, windows: tuple[Window, ...]) -> tuple[str, str]:
    if found.token == VOLUME:
        return "keep", "a volume holds data, and making it again adopts it"
    if pending is not None and pending.id == found.id:
        return "delete", "made by the interrupted update, by its id"
    if found.created is not None:
        if any(start <= found.created and (end is None or found.created <= end) for start, end in windows):
            return "delete", "made by an update that did not succeed"
        return "unclaimed", "made at a time at which no update of this stack failed"
    if pending is not None and found.is_empty:
        return "delete", "its creation was interrupted, and it is empty"
    if found.token == KV and found.is_empty is False:
        return "unclaimed", "it holds keys, and nothing shows who made it"
    return "unclaimed", "nothing shows who made it"
