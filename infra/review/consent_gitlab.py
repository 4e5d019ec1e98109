"""What GitLab's API says about a merge request, as consents.

Facts are answers of its REST API (docs.gitlab.com/api), whole lists: `merge_request`, `label_events`
(`…/resource_label_events`), `approvals`, `rules` (`approval_state`'s rules; code owners need GitLab Premium) and
`pushes` (`GET /projects/SOURCE/events?action=pushed`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .consent import LABEL, Change, Consents, Given, is_same, judge, moment
from .owners import matches

BOT = re.compile(r"(project|group)_\d+_bot(_\w+)?|service_account_\w+|support-bot|alert-bot", re.IGNORECASE)
"""Accounts of access tokens and of GitLab itself."""
Record = Mapping[str, Any]


def consents_of_gitlab(facts: Record, *, head: str, paths: Sequence[str]) -> Consents:
    """The consents to the commit `head`; `paths` are the policies' files that the request changes."""
    request = facts["merge_request"]
    pusher, pushed_at = last_push(facts["pushes"], head, request.get("source_branch"))
    change = Change(author=_login(request.get("author")), head=head, pusher=pusher, pushed_at=pushed_at)
    label = _label(request, facts["label_events"])
    return judge(change, [*([label] if label else []), *_approvals(facts, paths)])


def last_push(pushes: Iterable[Record], head: str, branch: str | None) -> tuple[str | None, str | None]:
    """Who brought the branch to `head` last, and when."""
    timed = []
    for event in pushes:
        data, at = event.get("push_data") or {}, moment(event.get("created_at"))
        if at is not None and data.get("commit_to") == head and data.get("ref") == branch:
            timed.append((at, event))
    if not timed:
        return None, None
    newest = max(timed, key=lambda pair: pair[0])[1]
    author = newest.get("author") or {"username": newest.get("author_username")}
    return _login(author), newest["created_at"]


def _label(request: Record, events: Iterable[Record]) -> Given | None:
    if LABEL not in (request.get("labels") or ()):
        return None
    setter: Record = {}
    for event in events:
        if (event.get("label") or {}).get("name") == LABEL:
            setter = event if event.get("action") == "add" else {}
    by = _login(setter.get("user"))
    return Given(by=by, how="label", at=setter.get("created_at"), is_bot=_is_bot(by))


def _approvals(facts: Record, paths: Sequence[str]) -> Iterable[Given]:
    for approval in facts["approvals"].get("approved_by") or ():
        by = _login(approval.get("user"))
        at = approval.get("approved_at")
        objection = None if at else "this GitLab doesn't say when it was given: use the label"
        if by is None or not _owns(by, facts["rules"], paths):
            objection = "they aren't a code owner of every changed file of the policies"
        yield Given(by=by, how="review", at=at, is_bot=_is_bot(by), objection=objection)


def _owns(login: str, rules: Iterable[Record], paths: Sequence[str]) -> bool:
    """Whether GitLab lists the login among the eligible code owners of each path."""
    mine = [
        str(rule.get("name", ""))
        for rule in rules
        if rule.get("rule_type") == "code_owner"
        and any(is_same(login, _login(user)) for user in rule.get("eligible_approvers") or ())
    ]
    return bool(paths) and all(any(matches(pattern, path) for pattern in mine) for path in paths)


def _login(user: Any) -> str | None:
    """None for a deleted account, whose place the user `ghost` takes."""
    name = user.get("username") if isinstance(user, Mapping) else None
    return name if isinstance(name, str) and name and not re.fullmatch(r"ghost\d*", name) else None


def _is_bot(login: str | None) -> bool:
    return bool(login and BOT.fullmatch(login))
