"""`mbgate policy diff` and `review`: output, files and exit codes, on a repository of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.policy import policy_app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose only commit has the project's policies."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies", ignore=shutil.ignore_patterns("guardrails"))
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(policy_app, list(arguments))


def edit(repository: Path, old: str, new: str) -> None:
    file = repository / "policies" / "roles.yaml"
    assert old in file.read_text("utf-8")
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


def test_nothing_changed(repository: Path) -> None:
    """The working tree against its own commit."""
    result = run("review", "--base", "main")
    assert result.exit_code == 0 and "no access changes" in result.stdout
    told = json.loads(run("diff", "main", "policies", "--json").stdout)
    assert (told["gains"], told["losses"], told["proof"]) == ([], [], "unsat")


def test_gains_and_losses(repository: Path) -> None:
    """Each answer is an entry with role, action, resource and rule; the other way round they are losses."""
    edit(
        repository,
        "actions: [question:run], on: {questions: [1, 2]}",
        "actions: [question:run], on: {questions: [1, 3]}",
    )
    told = json.loads(run("diff", "main", "policies", "--json").stdout)
    entry = {key: told["gains"][0][key] for key in ("role", "action", "resource", "rule")}
    assert entry == {"role": "analyst", "action": "question:run", "resource": "question/3", "rule": "analyst-questions"}
    assert [one["resource"] for one in told["losses"]] == ["question/2"]
    back = json.loads(run("diff", "policies", "main", "--json").stdout)
    assert [one["resource"] for one in back["gains"]] == ["question/2"]
    assert told["same_in"] == ["dev", "local"]


def test_a_failing_policy_test_is_an_objection(repository: Path) -> None:
    """And is named with what it wanted."""
    edit(repository, "on: {dashboards: [1]}}", "on: {dashboards: [1, 2]}}")
    result = run("review", "--base", "main")
    assert result.exit_code == 1
    assert "analyst@acme.test GET /api/dashboard/2: wanted resource-not-granted, got rule-allowed" in result.stdout
    assert "objection: 3 policy tests fail" in result.stdout


def test_strict_gains_need_consent(repository: Path) -> None:
    """Losses don't; a consent of the head's commit by somebody else is enough, the author's own isn't."""
    edit(
        repository,
        "actions: [app:use, search:use, snippet:view]",
        "actions: [app:use, search:use, snippet:view, ai:use]",
    )
    assert run("review", "--base", "main").exit_code == 0
    assert run("review", "--base", "main", "--strict").exit_code == 1
    file, sha = repository / "consent.json", "a" * 40
    for by, code in (("olga", 0), ("Ada", 1)):
        given = {"by": by, "how": "review", "at": "2026-11-24T10:00:00Z", "commit": sha}
        file.write_text(json.dumps({"author": "ada", "head": sha, "consents": [given]}))
        assert run("review", "--base", "main", "--strict", "--consent", str(file)).exit_code == code
    assert run("review", "--base", "policies", "--head", "main", "--strict").exit_code == 0


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_faults_are_the_review(repository: Path, form: str) -> None:
    """A head that can't be read is reviewed too: with its faults, in a file as well."""
    edit(repository, "dashboard:view", "dashboards:view")
    file = repository / "review.out"
    result = run("review", "--base", "main", "--format", form, "--output", str(file))
    assert result.exit_code == 1
    written = file.read_text("utf-8")
    assert "dashboards:view" in written and "did you mean" in written and "roles.yaml" in written
    if form == "json":
        assert json.loads(written)["ok"] is False


def test_what_others_found(repository: Path) -> None:
    """The preview's summary, guardrails and recorded accesses; what is no such file is told."""
    preview, rails, log = (repository / name for name in ("preview.json", "rails.json", "log"))
    preview.write_text(json.dumps({"changeSummary": {"create": 2, "same": 40, "update": 1}}))
    rails.write_text(json.dumps([{"guardrail": "no-port", "level": "advisory", "resource": "r", "message": "m"}]))
    log.write_text("")
    more = ("--preview", str(preview), "--guardrails", str(rails), "--replay", str(log), "--format", "markdown")
    result = run("review", "--base", "main", *more)
    assert result.exit_code == 0
    assert "`2 to create, 1 to update`" in result.stdout and "`no-port`" in result.stdout
    assert "of 0 recorded accesses" in result.stdout
    for option in ("--preview", "--guardrails", "--consent"):
        wrong = run("review", "--base", "main", "--strict", option, str(log))
        assert getattr(wrong.exception, "code", "") == "review-input-unreadable"
