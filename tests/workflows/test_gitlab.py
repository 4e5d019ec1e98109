"""The policy review's own scripts for GitLab, run on a throwaway repository against an API on loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.review.comment import MARKER
from infra.review.consent import LABEL
from tests.workflows.forge import Forge
from tests.workflows.repository import ROLES, ROOT, Repository, environment, git

pytestmark = pytest.mark.slow
FILE = ROOT / ".gitlab" / "policy-review.yml"
MERGE, NOTES = "/projects/3/merge_requests/7", "/projects/3/merge_requests/7/notes"
TOKEN = "glpat-a-token"


class Scene:
    """A merge request by Ann, pushed by Pat, and what GitLab says of it."""

    def __init__(self, forge: Forge, repository: Repository, folder: Path) -> None:
        self.forge, self.repository, self.folder, self.runs = forge, repository, folder, 0
        self.target, self.extra = "main", dict[str, str]()
        self.merge: dict[str, Any] = {"author": {"username": "ann"}, "labels": [], "source_branch": "gains"}
        self.merge |= {"target_branch": "main", "source_project_id": 3, "sha": repository.head}
        forge.author, forge.author_key = {"id": 42}, "author"
        forge.answers = {
            "/user": {"id": 42},
            MERGE: self.merge,
            NOTES: [],
            f"{MERGE}/resource_label_events": [],
            f"{MERGE}/approvals": {"approved_by": []},
            "/projects/3/events": [],
        }

    def label(self, by: str) -> None:
        self.merge["labels"] = [LABEL]
        event = {"user": {"username": by}, "action": "add", "label": {"name": LABEL}}
        self.forge.answers[f"{MERGE}/resource_label_events"] = [{**event, "created_at": "2026-03-03T10:00:00.000Z"}]

    def run(self) -> tuple[int, str]:
        """The job's exit code and log."""
        self.runs += 1
        folder = self.folder / f"run-{self.runs}"
        folder.mkdir()
        push = {"author_username": "pat", "created_at": "2026-03-02T10:00:00.000Z"}
        data = {"commit_to": self.repository.head, "ref": "gains", "ref_type": "branch"}
        others = [{**push, "push_data": {**data, "commit_to": "0" * 40}}] * 3
        self.forge.answers["/projects/3/events"] = [*others, {**push, "push_data": data}]
        job = yaml.safe_load(FILE.read_text())["policy-review"]
        variables = {
            "CI_API_V4_URL": self.forge.url,
            "CI_COMMIT_SHA": self.repository.head,
            "CI_JOB_TOKEN": "job-token",
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_PROJECT_URL": f"file://{self.repository.bare}",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": self.target,
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "$(touch canary)`",
            "MBGATE_FORGE_TOKEN": TOKEN,
            **job["variables"],
            **self.extra,
        }
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
            cwd=folder,
            env={**environment(), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert not self.repository.canary.exists(), "something of the source branch was executed"
        assert TOKEN not in done.stdout and "job-token" not in done.stdout
        self.review = (folder / "review.md").read_text() if (folder / "review.md").exists() else ""
        return done.returncode, done.stdout


@pytest.fixture
def scene(forge: Forge, repository: Repository, tmp_path: Path) -> Scene:
    return Scene(forge, repository, tmp_path)


def test_one_note_is_written_and_then_edited(scene: Scene) -> None:
    """Somebody else's note with the marker, one of the system and ours of another text are left alone."""
    others = [
        {"id": 1, "author": {"id": 9}, "body": MARKER},
        {"id": 2, "author": {"id": 42}, "body": MARKER, "system": True},
        {"id": 3, "author": {"id": 42}, "body": "hello"},
    ]
    scene.forge.answers[NOTES] = [dict(note) for note in others]
    status, log = scene.run()
    assert status == 1 and "nobody has accepted gains yet" in log, log
    assert "one gain" in scene.review
    [(method, path, body)] = scene.forge.writes
    assert (method, path) == ("POST", NOTES) and body["body"].startswith(MARKER)

    scene.label("bob")
    status, log = scene.run()
    assert status == 0 and "gains are accepted by bob" in log, log
    mine = scene.forge.answers[NOTES][3]["id"]
    assert [call[:2] for call in scene.forge.writes[1:]] == [("PUT", f"{NOTES}/{mine}")]
    assert scene.forge.answers[NOTES][:3] == others


def test_the_author_does_not_accept(scene: Scene) -> None:
    scene.label("ANN")
    status, log = scene.run()
    assert status == 1 and "the label of ANN doesn't count" in log


def test_what_the_merge_brings_is_reviewed(scene: Scene) -> None:
    """Not what the branch lacks of a target that went on."""
    work = scene.repository.work
    git(work, "checkout", "--quiet", "--detach", scene.repository.base)
    (work / "policies" / "tests.yaml").write_text("version: 1\n")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "-m", "newer")
    git(work, "push", "--quiet", str(scene.repository.bare), "HEAD:refs/heads/main")
    scene.run()
    assert "one gain" in scene.review
    (work / "policies" / "roles.yaml").write_text(ROLES + "# CONFLICT\n")
    git(work, "commit", "--quiet", "--all", "-m", "conflict")
    git(work, "push", "--quiet", str(scene.repository.bare), "HEAD:refs/heads/main")
    status, log = scene.run()
    assert status == 1 and "conflicts" in log and scene.review == ""


@pytest.mark.parametrize("name", ["CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_PROJECT_ID"])
def test_nothing_is_asked_or_written_for_a_fork(scene: Scene, name: str) -> None:
    scene.extra = {name: "8"}
    scene.label("bob")
    status, log = scene.run()
    assert status == 1 and "one gain" in scene.review, log
    assert scene.forge.calls == []


def test_without_a_token_the_review_is_in_the_artifact(scene: Scene) -> None:
    scene.extra = {"MBGATE_FORGE_TOKEN": "", "POLICY_REVIEW_STRICT": "false"}
    status, log = scene.run()
    assert status == 0 and "one gain" in scene.review and "is not set" in log, log
    assert scene.forge.calls == []


@pytest.mark.parametrize(("method", "path"), [("GET", f"{MERGE}$"), ("GET", "/events$"), ("POST", "/notes$")])
def test_an_api_that_fails_fails_the_job_loudly(scene: Scene, method: str, path: str) -> None:
    scene.repository.push_head({"policies/roles.yaml": ROLES})
    scene.merge["sha"] = scene.repository.head
    scene.forge.fails.append((method, path, 403))
    status, log = scene.run()
    assert status != 0 and "answered 403" in log and "no change" in scene.review, log


def test_a_job_of_an_older_commit_or_target_is_refused(scene: Scene) -> None:
    scene.extra = {"CI_COMMIT_SHA": "c" * 40}
    status, log = scene.run()
    assert status == 1 and "newer commit" in log
    scene.extra = {}
    scene.label("bob")
    scene.merge["target_branch"] = "elsewhere"
    status, log = scene.run()
    assert status == 1 and "review-superseded" in log


def test_a_link_among_the_policies_is_not_followed(scene: Scene) -> None:
    scene.repository.push_head({}, link="policies/roles.yaml")
    status, log = scene.run()
    assert status == 1 and "no regular file" in log and "root:" not in log
