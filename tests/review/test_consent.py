"""Whose consent to gains counts: on GitHub, in the form of its API's own answers, and by the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from infra.cli.app import app
from infra.errors import PolicyError
from infra.review.consent import LABEL, Change, Consents, Given, judge, login, read_consents
from infra.review.consent_github import consents_of_github
from infra.review.owners import Owners, matches

HEAD, OLDER = "a" * 40, "b" * 40
PUSHED, BEFORE, AFTER, LATER = (f"2026-03-0{day}T10:00:00Z" for day in (2, 1, 3, 4))
ROLES = ["policies/roles.yaml"]


def user(name: str, kind: str = "User") -> dict[str, Any]:
    return {"login": name, "type": kind}


def labeled(by: dict[str, Any] | None, at: str = AFTER, name: str = LABEL, event: str = "labeled") -> dict[str, Any]:
    return {"event": event, "actor": by, "label": {"name": name}, "created_at": at}


def review(by: dict[str, Any] | None, state: str = "APPROVED", at: str = AFTER, commit: str = HEAD) -> dict[str, Any]:
    return {"user": by, "state": state, "submitted_at": at, "commit_id": commit}


def github(
    *,
    timeline: list[Any] | None = None,
    reviews: list[Any] | None = None,
    labels: list[str] | None = None,
    author: dict[str, Any] | None = None,
    activity: list[Any] | None = None,
    owners: str = "/policies/ @Olga @acme/security",
    teams: dict[str, list[str]] | None = None,
    paths: list[str] | None = None,
    author_gone: bool = False,
) -> Consents:
    pull = {
        "user": None if author_gone else author or user("Ann"),
        "labels": [{"name": name} for name in (labels if labels is not None else [LABEL] if timeline else [])],
    }
    pushes = [{"after": HEAD, "actor": user("pat"), "timestamp": PUSHED, "activity_type": "push"}]
    facts = {
        "pull": pull,
        "timeline": timeline or [],
        "reviews": reviews or [],
        "activity": pushes if activity is None else activity,
    }
    return consents_of_github(facts, head=HEAD, owners=Owners(owners, teams), paths=ROLES if paths is None else paths)


def why(found: Consents) -> str:
    assert not found.is_given
    [refusal] = found.refused
    return refusal.why


def test_a_label_by_another_person_after_the_push_counts() -> None:
    found = github(timeline=[labeled(user("bob"))])
    assert found.record()["consents"] == [{"by": "bob", "how": "label", "at": AFTER, "commit": HEAD}]
    assert found.is_given and not found.refused


def test_an_approval_of_the_head_by_a_code_owner_counts() -> None:
    found = github(reviews=[review(user("olga"))])
    assert found.record()["consents"] == [{"by": "olga", "how": "review", "at": AFTER, "commit": HEAD}]


@pytest.mark.parametrize("name", ["Ann", "ann", "ANN"])
@pytest.mark.parametrize("how", ["label", "review"])
def test_the_author_does_not_count_in_whatever_case(name: str, how: str) -> None:
    given_ = {"timeline": [labeled(user(name))]} if how == "label" else {"reviews": [review(user(name))]}
    assert why(github(**given_, owners="* @ann")) == "authors can't accept their own gains"


@pytest.mark.parametrize("how", ["label", "review"])
def test_the_last_pusher_does_not_count(how: str) -> None:
    given_ = {"timeline": [labeled(user("Pat"))]} if how == "label" else {"reviews": [review(user("Pat"))]}
    assert "pushed last" in why(github(**given_, owners="* @pat"))


def test_the_newest_push_of_the_commit_decides_who_pushed_last() -> None:
    """A branch can be forced back to a commit that somebody else pushed first."""
    pushes = [
        {"after": HEAD, "actor": user("pat"), "timestamp": PUSHED},
        {"after": OLDER, "actor": user("quinn"), "timestamp": AFTER},
        {"after": HEAD, "actor": user("bob"), "timestamp": AFTER},
    ]
    assert "pushed last" in why(github(timeline=[labeled(user("bob"), LATER)], activity=pushes))
    assert "older than the last push" in why(github(timeline=[labeled(user("eve"), PUSHED)], activity=pushes))


@pytest.mark.parametrize(
    "activity",
    [
        [],
        [{"after": OLDER, "actor": user("pat"), "timestamp": PUSHED}],
        [{"after": HEAD, "actor": None, "timestamp": PUSHED}],
        [{"after": HEAD, "actor": user("pat"), "timestamp": None}],
    ],
)
def test_nobody_counts_where_nobody_knows_who_pushed(activity: list[Any]) -> None:
    assert "isn't known who pushed" in why(github(timeline=[labeled(user("bob"))], activity=activity))
    assert "isn't known who pushed" in why(github(reviews=[review(user("olga"))], activity=activity))


@pytest.mark.parametrize("at", [BEFORE, PUSHED, "2026-03-02T11:00:00+01:00"])
def test_a_label_of_before_the_last_push_does_not_count(at: str) -> None:
    """What it accepted was another commit; the same second is no later."""
    assert "older than the last push" in why(github(timeline=[labeled(user("bob"), at)]))


def test_a_label_that_was_removed_does_not_count() -> None:
    events = [labeled(user("bob")), labeled(user("carl"), LATER, event="unlabeled")]
    assert github(timeline=events, labels=[]) == github()
    assert why(github(timeline=events)) == "it is unknown whose it is, or the account is gone"


def test_whoever_set_the_label_last_is_asked() -> None:
    events = [labeled(user("bob")), labeled(user("bob"), event="unlabeled"), labeled(user("ann"), LATER)]
    assert "authors" in why(github(timeline=events))
    assert github(timeline=[labeled(user("ann")), labeled(user("ann"), event="unlabeled"), *events[:1]]).is_given


def test_other_labels_say_nothing() -> None:
    found = github(timeline=[labeled(user("bob"), name="bug")], labels=["bug"])
    assert not found.is_given and not found.refused


@pytest.mark.parametrize(
    "bot", [user("dependabot[bot]", "Bot"), user("mallory[bot]"), user("acme", "Organization"), {"login": "x"}]
)
def test_programs_do_not_count(bot: dict[str, Any]) -> None:
    assert why(github(timeline=[labeled(bot)])) == "programs don't count"


@pytest.mark.parametrize("gone", [None, user("ghost")])
def test_deleted_accounts_do_not_count(gone: dict[str, Any] | None) -> None:
    assert why(github(timeline=[labeled(gone)])) == "it is unknown whose it is, or the account is gone"
    assert why(github(reviews=[review(gone)], owners="* @ghost")) == "it is unknown whose it is, or the account is gone"


def test_nobody_counts_where_the_author_is_gone() -> None:
    assert "author's account is gone" in why(github(timeline=[labeled(user("bob"))], author_gone=True))


def test_an_approval_of_an_older_commit_does_not_count() -> None:
    assert "older commit" in why(github(reviews=[review(user("olga"), commit=OLDER)]))
    assert "older commit" in why(github(reviews=[{**review(user("olga")), "commit_id": None}]))


@pytest.mark.parametrize("state", ["DISMISSED", "CHANGES_REQUESTED"])
def test_the_newest_opinion_of_a_person_decides(state: str) -> None:
    newer = review(user("OLGA"), state, LATER)
    assert github(reviews=[review(user("olga")), newer]) == github()
    assert github(reviews=[newer, review(user("olga"))]) == github(), "by time, not by place"
    assert github(reviews=[review(user("olga"), state, BEFORE), review(user("olga"))]).is_given


@pytest.mark.parametrize("state", ["COMMENTED", "PENDING"])
def test_a_comment_withdraws_no_approval(state: str) -> None:
    assert github(reviews=[review(user("olga")), review(user("olga"), state, LATER)]).is_given
    assert github(reviews=[review(user("olga"), state)]) == github()


def test_whoever_asks_for_changes_has_not_accepted_by_label() -> None:
    changes = [review(user("Bob"), "CHANGES_REQUESTED")]
    assert "ask for changes" in why(github(timeline=[labeled(user("bob"))], reviews=changes))


def test_an_approval_by_somebody_who_is_no_code_owner_does_not_count() -> None:
    assert "code owner" in why(github(reviews=[review(user("bob"))]))
    assert "code owner" in why(github(reviews=[review(user("olga"))], owners=""))
    assert "code owner" in why(github(reviews=[review(user("olga"))], paths=[]))
    both = [*ROLES, "policies/environments/prod.yaml"]
    lines = "/policies/ @olga\n/policies/environments/ @zoe"
    assert "code owner" in why(github(reviews=[review(user("olga"))], owners=lines, paths=both))
    assert github(reviews=[review(user("olga"))], paths=both).is_given


def test_a_team_is_as_good_as_its_list() -> None:
    approved = [review(user("tess"))]
    assert "code owner" in why(github(reviews=approved))
    assert github(reviews=approved, teams={"acme/security": ["Tess"]}).is_given
    assert github(reviews=approved, teams={"@Acme/Security": ["tess"]}).is_given
    assert "code owner" in why(github(reviews=approved, teams={"acme/others": ["tess"]}))


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("* @a\n/policies/ @b", ["b"]),
        ("/policies/ @b\n* @a", ["a"]),
        ("/policies/ @b\n/policies/roles.yaml", []),
        ("policies @b", ["b"]),
        ("policies/* @b", ["b"]),
        ("**/roles.yaml @b", ["b"]),
        ("*.yaml @b @c", ["b", "c"]),
        ("/roles.yaml @b", []),
        ("/polic @b", []),
        ("/Policies/ @b", []),
        ("/policies/ @b # not @mallory", ["b"]),
        ("#/policies/ @b", []),
        ("/policies/ @b\n!/policies/ @c", ["b"]),
        ("/policies/ @b\n/policie[s]/ @c", ["b"]),
        ("/policies/ @b\n[Section] @c\n", ["b"]),
        ("/policies/ somebody@acme.test", []),
        ("/policies/ @b\n/policies/environments/ @c", ["b"]),
        ("/policies/ @b\r\n", ["b"]),
    ],
)
def test_code_owners_are_read_as_github_reads_them(text: str, owners: list[str]) -> None:
    assert Owners(text).of("policies/roles.yaml") == owners


def test_a_star_at_the_end_does_not_go_deeper() -> None:
    assert Owners("policies/* @b").of("policies/environments/prod.yaml") == []
    assert Owners("policies/** @b").of("policies/environments/prod.yaml") == ["b"]
    assert matches("/policies/", "policies/roles.yaml") and not matches("!/policies/", "policies/roles.yaml")


# The file and the command

NAMES = st.sampled_from(["ann", "Ann", "bob", "pat", "ghost", None])


@given(author=NAMES, pusher=NAMES, by=NAMES, bot=st.booleans(), commit=st.sampled_from([None, HEAD, OLDER]))
def test_whatever_counts_is_of_another_known_person(
    author: str | None, pusher: str | None, by: str | None, bot: bool, commit: str | None
) -> None:
    change = Change(author=author, head=HEAD, pusher=pusher, pushed_at=PUSHED)
    found = judge(change, [Given(by=by, how="label", at=AFTER, commit=commit, is_bot=bot)])
    assert len(found.consents) + len(found.refused) == 1
    distinct = None not in (author, pusher, by) and str(by).casefold() not in {
        str(author).casefold(),
        str(pusher).casefold(),
    }
    assert found.is_given == (distinct and not bot and commit != OLDER)
    assert read_consents(found.record()) == found


def record(**changes: Any) -> dict[str, Any]:
    consents = [{"by": "bob", "how": "label", "at": AFTER, "commit": HEAD}]
    return {"author": "ann", "head": HEAD, "consents": consents, **changes}


def test_the_file_is_judged_once_more() -> None:
    assert read_consents(record()).is_given
    assert not read_consents(record(author="BOB")).is_given
    assert not read_consents(record(author=None)).is_given
    assert not read_consents(record(head=OLDER)).is_given


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"consents": []},
        record(head="main"),
        record(head=None),
        record(author=7),
        record(consents={}),
        record(consents=["bob"]),
        record(consents=[{"by": "bob", "how": "shout", "at": AFTER}]),
        record(consents=[{"by": "bob", "how": "label", "at": "yesterday"}]),
        record(consents=[{"by": None, "how": "label", "at": AFTER}]),
        record(consents=[{"by": "bob", "how": "label", "at": AFTER, "commit": 7}]),
    ],
)
def test_another_form_is_a_fault(data: Any) -> None:
    with pytest.raises(PolicyError) as error:
        read_consents(data)
    assert error.value.code == "consent-invalid"


def test_no_text_of_others_reaches_a_page() -> None:
    assert login("bob`(//x)<b>") == "bobxb"
    found = Consents(author="ann", head=HEAD, consents=(), refused=())
    assert found.text() == "nobody has accepted gains yet"
    shown = github(timeline=[labeled(user("b<img src=x>\n::stop"))]).text()
    assert shown == f"gains are accepted by bimgsrcxstop (label, {AFTER})"


def test_the_command_judges_facts(tmp_path: Path) -> None:
    facts = {
        "forge": "github",
        "head": HEAD,
        "pull": {"user": user("ann"), "labels": []},
        "reviews": [review(user("tess"))],
        "timeline": [],
        "activity": [{"after": HEAD, "actor": user("pat"), "timestamp": PUSHED}],
    }
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    (tmp_path / "changed").write_bytes(b"policies/roles.yaml\0policies/\xff.yaml\0")
    (tmp_path / "owners").write_text("/policies/ @acme/security\n")
    (tmp_path / "teams.json").write_text(json.dumps({"acme/security": ["tess"]}))
    options = [f"--{name}={tmp_path / file}" for name, file in [("changed", "changed"), ("codeowners", "owners")]]
    command = ["policy", "consent", str(tmp_path / "facts.json"), *options]
    assert json.loads(CliRunner().invoke(app, command).stdout)["consents"] == []
    done = CliRunner().invoke(
        app, [*command, f"--teams={tmp_path / 'teams.json'}", f"--output={tmp_path / 'consent.json'}"]
    )
    assert (done.exit_code, done.stdout) == (0, f"gains are accepted by tess (review, {AFTER})\n")
    assert read_consents(json.loads((tmp_path / "consent.json").read_text())).is_given


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"forge": "github", "head": "main"}', f'{{"forge":"github","head":"{HEAD}"}}']
)
def test_facts_of_another_form_are_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "facts.json").write_text(text)
    done = CliRunner().invoke(app, ["policy", "consent", str(tmp_path / "facts.json")])
    assert isinstance(done.exception, PolicyError) and done.exception.code == "consent-invalid"
