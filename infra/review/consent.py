"""Who consents to what a change of the policies lets people gain, and whose consent doesn't count.

Pure: what a forge says is brought into `Change` and `Given` by `consent_github` and `consent_gitlab`, judged here, and
written as the file that `mbgate policy review --consent` reads. Whatever isn't known is no consent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from infra.errors import PolicyError

LABEL = "policy-gains-accepted"
"""Set by somebody who isn't the author, after the last push."""
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A pull or merge request: its author, the commit under review, who pushed that and when; None is unknown."""

    author: str | None
    head: str
    pusher: str | None
    pushed_at: str | None


@dataclass(frozen=True, kw_only=True)
class Given:
    """A label or an approval as the forge has it. `commit` is None where the forge ties it to none; then its time,
    which must be after the push, stands for it. `objection` is a reason that only the forge's own data shows."""

    by: str | None
    how: str
    at: str | None
    commit: str | None = None
    is_bot: bool = False
    objection: str | None = None


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One that counts."""

    by: str
    how: str
    at: str
    commit: str | None


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One that doesn't, and why."""

    by: str
    how: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Consents:
    """Everything about one commit of one request."""

    author: str | None
    head: str
    consents: tuple[Consent, ...]
    refused: tuple[Refusal, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether gains may pass in strict mode: one that counts is enough."""
        return bool(self.consents)

    def record(self) -> dict[str, Any]:
        """As plain data: author, head, consents (by, how, at, commit), refused (by, how, why)."""
        found = asdict(self)
        return {**found, "consents": list(found["consents"]), "refused": list(found["refused"])}

    def text(self) -> str:
        """A line each, for a person; logins are the only text of others in it, and hold no markup."""
        lines = [f"gains are accepted by {login(c.by)} ({c.how}, {c.at})" for c in self.consents]
        lines += [f"the {r.how} of {login(r.by)} doesn't count: {r.why}" for r in self.refused]
        return "\n".join(lines or ["nobody has accepted gains yet"])


def login(name: str) -> str:
    """A login as it can stand in any text: forges' logins have letters, digits and `-_.[]`; all else is left out."""
    return re.sub(r"[^A-Za-z0-9_.\[\]-]", "", name)[:100] or "unknown"


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two logins are one account: forges don't tell case apart."""
    return one is not None and other is not None and one.casefold() == other.casefold()


def moment(text: str | None) -> datetime | None:
    """The time that ISO 8601 text names, or None where it names none, or no offset from UTC."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def judge(change: Change, given: Iterable[Given]) -> Consents:
    """Which of them count for the change."""
    consents, refused = [], []
    for one in given:
        why = objection(change, one)
        if why is None and one.by is not None and one.at is not None:
            consents.append(Consent(by=one.by, how=one.how, at=one.at, commit=one.commit or change.head))
        else:
            refused.append(Refusal(by=one.by or "", how=one.how, why=why or "its time is unknown"))
    return Consents(author=change.author, head=change.head, consents=tuple(consents), refused=tuple(refused))


def objection(change: Change, given: Given) -> str | None:
    """Why it doesn't count; None where it does."""
    if given.by is None:
        return "it is unknown whose it is, or the account is gone"
    if change.author is None:
        return "the author's account is gone, so that nobody can be told apart from them"
    if given.is_bot:
        return "programs don't count"
    if is_same(given.by, change.author):
        return "authors can't accept their own gains"
    if change.pusher is None:
        return "it isn't known who pushed the commit under review"
    if is_same(given.by, change.pusher):
        return "whoever pushed last can't accept what they pushed"
    return given.objection or _stale(change, given)


def _stale(change: Change, given: Given) -> str | None:
    if given.commit is not None:
        return None if given.commit == change.head else "it is of an older commit"
    at, pushed_at = moment(given.at), moment(change.pushed_at)
    if at is None or pushed_at is None:
        return "it isn't known whether it is newer than the last push"
    return None if at > pushed_at else "it is older than the last push: give it anew"


def read_consents(data: Any) -> Consents:
    """From the consent file's JSON. Raises PolicyError where it has another form.

    What needs no forge is judged once more: authors don't consent, nor does anybody to another commit.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("consents"), list):
        raise _invalid("needs `author`, `head` and a list `consents`")
    author, head = data.get("author"), data.get("head")
    if not isinstance(head, str) or not SHA.fullmatch(head):
        raise _invalid("`head` must be a commit's full hash")
    if author is not None and not isinstance(author, str):
        raise _invalid("`author` must be a login")
    consents = [_consent(entry) for entry in data["consents"]]
    listed = data.get("refused", [])
    refused = [_refusal(entry) for entry in listed] if isinstance(listed, list) else []
    kept = [c for c in consents if author and not is_same(c.by, author) and c.commit in (None, head)]
    refused += [Refusal(by=c.by, how=c.how, why="of the author or another commit") for c in consents if c not in kept]
    return Consents(author=author, head=head, consents=tuple(kept), refused=tuple(refused))


def _consent(entry: Any) -> Consent:
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(key), str) for key in ("by", "how", "at")):
        raise _invalid("each of `consents` needs the texts `by`, `how` and `at`")
    commit = entry.get("commit")
    if moment(entry["at"]) is None:
        raise _invalid("`at` of a consent is a time with its offset, as 2026-01-31T12:00:00Z")
    if entry["how"] not in ("label", "review") or not (commit is None or isinstance(commit, str)):
        raise _invalid("`how` of a consent is `label` or `review`, `commit` a hash or null")
    return Consent(by=entry["by"], how=entry["how"], at=entry["at"], commit=commit)


def _refusal(entry: Any) -> Refusal:
    known = entry if isinstance(entry, Mapping) else {}
    return Refusal(by=str(known.get("by", "")), how=str(known.get("how", "")), why=str(known.get("why", "")))


def _invalid(what: str) -> PolicyError:
    return PolicyError(
        f"the consent file can't be used: it {what}" if what.startswith("needs") else f"the consent file: {what}",
        code="consent-invalid",
        help="make it with `mbgate policy consent`",
    )
