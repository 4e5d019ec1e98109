"""Whose consent to gains counts on GitLab, in the form of its API's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from infra.review.consent import LABEL, Consents
from infra.review.consent_gitlab import consents_of_gitlab

HEAD = "a" * 40
PUSHED, BEFORE, AFTER = (f"2026-03-0{day}T10:00:00Z" for day in (2, 1, 3))
ROLES = ["policies/roles.yaml"]


def why(found: Consents) -> str:
    assert not found.is_given
    [refusal] = found.refused
    return refusal.why


def gitlab(
    *,
    events: list[Any] | None = None,
    approved: list[Any] | None = None,
    rules: list[Any] | None = None,
    author: str = "ann",
    pushes: list[Any] | None = None,
) -> Consents:
    push = {
        "author_username": "pat",
        "created_at": PUSHED,
        "push_data": {"commit_to": HEAD, "ref": "gains", "ref_type": "branch"},
    }
    rule = {"rule_type": "code_owner", "name": "/policies/", "eligible_approvers": [{"username": "Olga"}]}
    facts = {
        "merge_request": {
            "author": {"username": author},
            "labels": [LABEL] if events else [],
            "source_branch": "gains",
        },
        "label_events": events or [],
        "approvals": {"approved_by": approved or []},
        "rules": [rule] if rules is None else rules,
        "pushes": [push] if pushes is None else pushes,
    }
    return consents_of_gitlab(facts, head=HEAD, paths=ROLES)


def event(by: str | None, action: str = "add", at: str = AFTER, name: str = LABEL) -> dict[str, Any]:
    return {"user": {"username": by} if by else None, "action": action, "created_at": at, "label": {"name": name}}


def approval(by: str, at: str | None = AFTER) -> dict[str, Any]:
    return {"user": {"username": by}, "approved_at": at}


def test_gitlab_label_and_approval_count() -> None:
    [label] = gitlab(events=[event("bob")]).consents
    assert (label.by, label.how, label.commit) == ("bob", "label", HEAD)
    [approved] = gitlab(approved=[approval("olga")]).consents
    assert (approved.by, approved.how, approved.commit) == ("olga", "review", HEAD)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"events": [event("ANN")]}, "authors"),
        ({"events": [event("pat")]}, "pushed last"),
        ({"events": [event("bob", at=BEFORE)]}, "older than the last push"),
        ({"events": [event("bob"), event("bob", "remove")]}, "account is gone"),
        ({"events": [event(None)]}, "account is gone"),
        ({"events": [event("ghost1")]}, "account is gone"),
        ({"events": [{**event("bob"), "label": None}]}, "account is gone"),
        ({"events": [event("project_12_bot_abc")]}, "programs"),
        ({"events": [event("group_12_bot")]}, "programs"),
        ({"events": [event("service_account_ci")]}, "programs"),
        ({"events": [event("bob")], "author": "ghost"}, "author's account is gone"),
        ({"events": [event("bob")], "pushes": []}, "isn't known who pushed"),
        ({"approved": [approval("bob")]}, "code owner"),
        ({"approved": [approval("olga")], "rules": []}, "code owner"),
        ({"approved": [approval("olga", None)]}, "when it was given"),
        ({"approved": [approval("olga", BEFORE)]}, "older than the last push"),
        ({"approved": [approval("ann")]}, "authors"),
    ],
)
def test_gitlab_says_why_one_does_not_count(given_: dict[str, Any], words: str) -> None:
    assert words in why(gitlab(**given_))


def test_a_gitlab_rule_of_other_files_makes_no_owner() -> None:
    rules = [{"rule_type": "code_owner", "name": "/docs/", "eligible_approvers": [{"username": "olga"}]}]
    assert "code owner" in why(gitlab(approved=[approval("olga")], rules=rules))
    rules = [{"rule_type": "regular", "name": "/policies/", "eligible_approvers": [{"username": "olga"}]}]
    assert "code owner" in why(gitlab(approved=[approval("olga")], rules=rules))


def test_a_push_to_another_branch_is_not_the_push() -> None:
    pushes = [{"author_username": "pat", "created_at": PUSHED, "push_data": {"commit_to": HEAD, "ref": "other"}}]
    assert "isn't known who pushed" in why(gitlab(events=[event("bob")], pushes=pushes))
