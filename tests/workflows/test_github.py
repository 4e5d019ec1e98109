"""The policy review's own scripts for GitHub, run on a throwaway repository against an API on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.review.comment import MARKER
from infra.review.consent import LABEL
from tests.workflows import actions
from tests.workflows.actions import Job
from tests.workflows.forge import Forge
from tests.workflows.repository import ROLES, ROOT, Repository, make

pytestmark = pytest.mark.slow
WORKFLOWS = ROOT / ".github" / "workflows"
PULL, ISSUE, COMMENTS = "/repos/acme/bi/pulls/7", "/repos/acme/bi/issues/7", "/repos/acme/bi/issues/7/comments"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
TOKEN = "ghs_a-token-of-the-job"


def user(name: str) -> dict[str, str]:
    return {"login": name, "type": "User"}


class Scene:
    """A pull request by Ann, pushed by Pat, and what GitHub says of it."""

    def __init__(self, forge: Forge, repository: Repository, folder: Path) -> None:
        self.forge, self.repository, self.folder, self.runs = forge, repository, folder, 0
        self.source, self.author, self.base_ref, self.labels = "acme/bi", "ann", "main", list[str]()
        self.strict = ""
        forge.author = BOT
        forge.answers = {COMMENTS: [], f"{PULL}/reviews": [], f"{ISSUE}/timeline": []}

    def pull(self) -> dict[str, Any]:
        """As the API has it now."""
        source = {"full_name": self.source} if self.source else None
        head = {"sha": self.repository.head, "ref": "$(touch canary)`'\"", "repo": source}
        names = [{"name": name} for name in self.labels]
        return {
            "number": 7,
            "title": "${{ github.token }} $(id)",
            "user": user(self.author),
            "head": head,
            "base": {"ref": self.base_ref},
            "labels": names,
        }

    def label(self, by: str, at: str = "2026-03-03T10:00:00Z") -> None:
        self.labels = ["bug", LABEL]
        event = {"event": "labeled", "actor": user(by), "label": {"name": LABEL}, "created_at": at}
        others = [{"event": "committed", "sha": "x", "author": {"email": "someone@acme.test"}}] * 5
        self.forge.answers[f"{ISSUE}/timeline"] = [*others, event]

    def run(self, name: str = "policy-review", event: dict[str, Any] | None = None) -> dict[str, Job]:
        """One run of the workflow."""
        self.runs += 1
        folder = self.folder / f"run-{self.runs}"
        folder.mkdir()
        pull = event or self.pull()
        (folder / "event.json").write_text(json.dumps({"action": "labeled", "pull_request": pull}))
        pushes = [{"after": "0" * 40, "actor": user("zoe"), "timestamp": "2026-03-02T11:00:00Z"}] * 3
        pushes += [{"after": self.repository.head, "actor": user("pat"), "timestamp": "2026-03-02T10:00:00Z"}]
        current = self.pull()
        self.forge.answers[PULL] = current
        self.forge.answers[f"/repos/{self.source}/activity"] = pushes
        variables = {
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_SERVER_URL": f"file://{self.repository.bare.parent.parent}",
            "GITHUB_REPOSITORY": "acme/bi",
            "GITHUB_SHA": self.repository.merge,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
        }
        github = {"token": TOKEN, "repository": "acme/bi", "event": {"pull_request": pull}}
        contexts = {"github": github, "vars": {"POLICY_REVIEW_STRICT": self.strict}}
        jobs = actions.run(actions.load(WORKFLOWS / f"{name}.yml"), contexts, variables, folder)
        assert not self.repository.canary.exists(), "something of the head was executed"
        assert not any(TOKEN in job.log or TOKEN in job.summary for job in jobs.values())
        return jobs


@pytest.fixture
def scene(forge: Forge, repository: Repository, tmp_path: Path) -> Scene:
    return Scene(forge, repository, tmp_path)


def results(jobs: dict[str, Job]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def test_one_comment_is_written_and_then_edited(scene: Scene) -> None:
    """Gains nobody accepts fail the check; the comment and the summary are there all the same."""
    first = scene.run()
    assert results(first) == {"review": "failure", "comment": "success"}, first["review"].log
    assert "one gain" in first["review"].summary and "nobody has accepted gains yet" in first["review"].summary
    [(method, path, body)] = scene.forge.writes
    assert (method, path) == ("POST", COMMENTS)
    assert body["body"].startswith(MARKER) and "one gain" in body["body"]

    scene.label("bob")
    second = scene.run()
    assert results(second) == {"review": "success", "comment": "success"}, second["review"].log
    assert "gains are accepted by bob" in second["review"].summary
    scene.repository.push_head({"policies/roles.yaml": ROLES})
    assert results(scene.run()) == {"review": "success", "comment": "success"}
    mine = scene.forge.answers[COMMENTS][0]["id"]
    edits = [(method, path) for method, path, _ in scene.forge.writes[1:]]
    assert edits == [("PATCH", f"/repos/acme/bi/issues/comments/{mine}")] * 2
    assert len(scene.forge.answers[COMMENTS]) == 1 and "no change" in scene.forge.answers[COMMENTS][0]["body"]


def test_others_comments_are_left_alone(scene: Scene) -> None:
    """A copied marker of somebody else's, and the bot's comments on other things; ours is on a later page."""
    others = [
        {"id": 1, "user": user("mallory"), "body": f"{MARKER}all is well"},
        {"id": 2, "user": BOT, "body": f"quoted: {MARKER}"},
        {"id": 3, "user": {"login": "other[bot]", "type": "Bot"}, "body": MARKER},
        {"id": 4, "user": None, "body": MARKER},
        {"id": 5, "user": BOT, "body": None},
    ]
    scene.forge.answers[COMMENTS] = [dict(comment) for comment in others]
    scene.run()
    assert [call[:2] for call in scene.forge.writes] == [("POST", COMMENTS)]
    scene.run()
    mine = scene.forge.answers[COMMENTS][5]["id"]
    assert scene.forge.writes[1][:2] == ("PATCH", f"/repos/acme/bi/issues/comments/{mine}")
    assert scene.forge.answers[COMMENTS][:5] == others


@pytest.mark.parametrize("source", ["mallory/bi", ""])
def test_nothing_is_written_for_a_fork(scene: Scene, source: str) -> None:
    scene.source = source
    scene.label("bob")
    jobs = scene.run()
    assert results(jobs) == {"review": "success" if source else "failure", "comment": "skipped"}, jobs["review"].log
    assert "one gain" in jobs["review"].summary
    assert scene.forge.writes == []


def test_the_comment_itself_writes_nothing_for_a_fork_or_dependabot(scene: Scene) -> None:
    scene.author = "dependabot[bot]"
    jobs = scene.run()
    assert jobs["comment"].result == "success" and "no comment is written" in jobs["comment"].log
    assert scene.forge.writes == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"{COMMENTS}$"), ("POST", f"{COMMENTS}$"), ("PATCH", "/issues/comments/")]
)
def test_a_comment_that_fails_fails_its_job_loudly(scene: Scene, method: str, path: str) -> None:
    if method == "PATCH":
        scene.run()
    scene.forge.fails.append((method, path, 403))
    jobs = scene.run()
    assert jobs["comment"].result == "failure" and "answered 403: the forge fails ::set-output" in jobs["comment"].log
    assert "one gain" in jobs["review"].summary


@pytest.mark.parametrize("path", [f"{PULL}$", "/reviews$", "/timeline$", "/activity$"])
def test_without_the_forges_facts_nobody_consents(scene: Scene, path: str) -> None:
    """The check fails, though the review is there."""
    scene.label("bob")
    scene.forge.fails.append(("GET", path, 404))
    jobs = scene.run()
    assert results(jobs) == {"review": "failure", "comment": "success"}
    assert "one gain, accepted by []" in jobs["review"].summary and "could not be asked" in jobs["review"].summary
    assert "one gain" in scene.forge.answers[COMMENTS][0]["body"]


def test_failing_facts_fail_the_check_without_gains_too(scene: Scene) -> None:
    scene.repository.push_head({"policies/roles.yaml": ROLES})
    scene.forge.fails.append(("GET", "/reviews$", 404))
    assert results(scene.run()) == {"review": "failure", "comment": "success"}


@pytest.mark.parametrize("by", ["Ann", "pat"])
def test_neither_author_nor_pusher_accepts(scene: Scene, by: str) -> None:
    scene.label(by)
    jobs = scene.run()
    assert jobs["review"].result == "failure" and f"the label of {by} doesn't count" in jobs["review"].summary


def test_the_bases_code_owners_hold(scene: Scene) -> None:
    """The head names Ann the owner of everything; on the base Olga is."""
    approval = {"state": "APPROVED", "submitted_at": "2026-03-03T10:00:00Z", "commit_id": scene.repository.head}
    scene.forge.answers[f"{PULL}/reviews"] = [{**approval, "user": user(name)} for name in ("zoe", "yan", "olga")]
    jobs = scene.run()
    assert jobs["review"].result == "success", jobs["review"].log
    assert "accepted by olga (review" in jobs["review"].summary
    scene.forge.answers[f"{PULL}/reviews"] = [{**approval, "user": user("zoe")}]
    assert scene.run()["review"].result == "failure"


def test_an_old_event_is_judged_by_what_is_now(scene: Scene) -> None:
    """Somebody runs the run of a label that is gone by now, or of another base, again."""
    scene.label("bob")
    old = scene.pull()
    scene.labels = []
    assert scene.run(event=old)["review"].result == "failure"
    scene.label("bob")
    scene.base_ref = "elsewhere"
    jobs = scene.run(event=old)
    assert jobs["review"].result == "failure" and "review-superseded" in jobs["review"].log
    scene.base_ref = "main"
    former = (scene.repository.head, scene.repository.merge)
    scene.repository.push_head({"policies/roles.yaml": ROLES})
    newer, scene.repository.merge = scene.repository.merge, former[1]
    jobs = scene.run(event=old)
    assert newer and jobs["review"].result == "failure" and "review-superseded" in jobs["review"].log


def test_a_merge_commit_of_another_head_is_not_reviewed(scene: Scene) -> None:
    event = scene.pull()
    event["head"]["sha"] = "c" * 40
    jobs = scene.run(event=event)
    assert results(jobs) == {"review": "failure", "comment": "success"}
    assert "merge commit isn't of the pull request's newest commit" in jobs["review"].log
    assert "could not be made" in scene.forge.answers[COMMENTS][0]["body"]


def test_a_link_among_the_policies_is_not_followed(scene: Scene) -> None:
    scene.repository.push_head({}, link="policies/roles.yaml")
    jobs = scene.run()
    assert results(jobs) == {"review": "failure", "comment": "success"}
    assert "no regular file" in jobs["review"].log and "root:" not in jobs["review"].log
    assert "could not be made" in jobs["review"].summary


def test_a_review_that_cannot_be_made_says_so(scene: Scene) -> None:
    scene.repository.push_head({"policies/roles.yaml": "CRASH"})
    jobs = scene.run()
    assert results(jobs) == {"review": "failure", "comment": "success"}
    assert "could not be made" in jobs["review"].summary


def test_what_the_head_says_is_no_command_to_the_runner(scene: Scene) -> None:
    scene.repository.push_head({"policies/roles.yaml": "::add-mask::a\n::error::b\n"})
    log = scene.run()["review"].log
    silence = log.split("::stop-commands::")[1].split("\n")[0]
    assert log.index("::stop-commands::") < log.index("::add-mask::a\n") < log.index(f"::{silence}::")
    assert len(silence) == 36


def test_a_review_longer_than_a_comment_is_in_the_summary(scene: Scene) -> None:
    scene.repository.push_head({"policies/roles.yaml": "HUGE"})
    jobs = scene.run()
    assert results(jobs) == {"review": "success", "comment": "success"}
    assert len(jobs["review"].summary) > 150_000
    [(_, _, body)] = scene.forge.writes
    assert "longer than a comment" in body["body"] or "too long for a comment" in body["body"]


def test_gains_are_only_told_where_the_repository_wants_that(scene: Scene) -> None:
    scene.strict = "false"
    jobs = scene.run()
    assert jobs["review"].result == "success" and "one gain" in jobs["review"].summary


def test_the_whole(forge: Forge, tmp_path: Path) -> None:
    """The project's own review of its own policies: gains wait for somebody else, and are in the comment."""
    repository = make(tmp_path, whole=True)
    scene = Scene(forge, repository, tmp_path)
    roles = (ROOT / "policies" / "roles.yaml").read_text()
    more = roles.replace("dashboards: [1, 2]}}", "dashboards: [1, 2, 77]}}", 1)
    assert more != roles
    repository.push_head({"policies/roles.yaml": more})
    jobs = scene.run()
    assert results(jobs) == {"review": "failure", "comment": "success"}, jobs["review"].log
    body = forge.answers[COMMENTS][0]["body"]
    assert "dashboard 77" in body and "dashboard 77" in jobs["review"].summary
    scene.label("bob")
    jobs = scene.run()
    assert results(jobs) == {"review": "success", "comment": "success"}, jobs["review"].log
    assert len(forge.answers[COMMENTS]) == 1


RUNS = "/repos/acme/bi/actions/workflows/policy-review.yml/runs"


def a_run(identity: int, number: int = 7, status: str = "completed") -> dict[str, Any]:
    return {"id": identity, "status": status, "pull_requests": [{"number": number}]}


def test_a_review_runs_the_policy_review_again(scene: Scene) -> None:
    scene.forge.answers[RUNS] = {"workflow_runs": [a_run(3), a_run(5), a_run(9, number=8)]}
    jobs = scene.run("policy-review-again")
    assert results(jobs) == {"again": "success"}, jobs["again"].log
    assert scene.forge.writes == [("POST", "/repos/acme/bi/actions/runs/5/rerun", None)]


def test_where_none_has_run_there_is_nothing_to_run_again(scene: Scene) -> None:
    scene.forge.answers[RUNS] = {"workflow_runs": [a_run(9, number=8)]}
    assert results(scene.run("policy-review-again")) == {"again": "success"}
    scene.source = "mallory/bi"
    assert results(scene.run("policy-review-again")) == {"again": "skipped"}
    assert scene.forge.writes == []
