"""What GitHub's API says about a pull request, as consents.

Facts are answers of its REST API (docs.github.com/en/rest), whole lists:
`pull` (`GET …/pulls/N`), `reviews` (`…/pulls/N/reviews`), `timeline` (`…/issues/N/timeline`) and `activity` (`GET
/repos/HEAD_REPOSITORY/activity?ref=…`: who pushed what, by the server's own record; commits name whom they like).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .consent import LABEL, Change, Consents, Given, is_same, judge, moment
from .owners import Owners

OPINIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
"""Comments and drafts change nobody's mind."""
Record = Mapping[str, Any]


def consents_of_github(facts: Record, *, head: str, owners: Owners, paths: Sequence[str]) -> Consents:
    """The consents to the commit `head`; `paths` are the policies' files that the request changes."""
    pull = facts["pull"]
    pusher, pushed_at = last_push(facts["activity"], head)
    change = Change(author=_login(pull.get("user")), head=head, pusher=pusher, pushed_at=pushed_at)
    newest = _newest_reviews(facts["reviews"])
    label = _label(pull, facts["timeline"], newest)
    return judge(change, [*([label] if label else []), *_approvals(newest, owners, paths)])


def last_push(activity: Iterable[Record], head: str) -> tuple[str | None, str | None]:
    """Who brought the branch to `head` last, and when."""
    pushes = [(moment(entry.get("timestamp")), entry) for entry in activity if entry.get("after") == head]
    timed = [(at, entry) for at, entry in pushes if at is not None]
    if not timed:
        return None, None
    newest = max(timed, key=lambda pair: pair[0])[1]
    return _login(newest.get("actor")), newest["timestamp"]


def _label(pull: Record, timeline: Iterable[Record], newest: Mapping[str, Record]) -> Given | None:
    """The label, by whoever set it last, if it is there now."""
    if not any(is_same(label.get("name"), LABEL) for label in pull.get("labels") or ()):
        return None
    setter: Record | None = None
    for event in timeline:
        if event.get("event") in ("labeled", "unlabeled") and is_same((event.get("label") or {}).get("name"), LABEL):
            setter = event if event["event"] == "labeled" else None
    actor = (setter or {}).get("actor")
    review = newest.get((_login(actor) or "").casefold(), {})
    objects = review.get("state") == "CHANGES_REQUESTED"
    return Given(
        by=_login(actor),
        how="label",
        at=(setter or {}).get("created_at"),
        is_bot=_is_bot(actor),
        objection="they ask for changes" if objects else None,
    )


def _newest_reviews(reviews: Iterable[Record]) -> dict[str, Record]:
    """Each person's newest review with an opinion, by folded login; those of accounts that are gone stay apart."""
    found: dict[str, Record] = {}
    opinions = [(index, review) for index, review in enumerate(reviews) if review.get("state") in OPINIONS]
    for index, review in sorted(opinions, key=lambda pair: (pair[1].get("submitted_at") or "", pair[0])):
        name = _login(review.get("user"))
        found[name.casefold() if name else f"\0{index}"] = review
    return found


def _approvals(newest: Mapping[str, Record], owners: Owners, paths: Sequence[str]) -> Iterable[Given]:
    for review in newest.values():
        if review["state"] != "APPROVED":
            continue
        by = _login(review.get("user"))
        owns = by is not None and owners.own(by, paths)
        yield Given(
            by=by,
            how="review",
            at=review.get("submitted_at"),
            commit=review.get("commit_id") or "unknown",
            is_bot=_is_bot(review.get("user")),
            objection=None if owns else "they aren't a code owner of every changed file of the policies",
        )


def _login(user: Any) -> str | None:
    """None for a deleted account, which GitHub shows as null or as the user `ghost`."""
    name = user.get("login") if isinstance(user, Mapping) else None
    return name if isinstance(name, str) and name and not is_same(name, "ghost") else None


def _is_bot(user: Any) -> bool:
    return isinstance(user, Mapping) and (user.get("type") != "User" or str(user.get("login", "")).endswith("[bot]"))
