"""The workflows' form: linters and schemas find nothing, and what the review's trust rests on is as it must be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.environments.toolchain import cache_folder
from tests.workflows.repository import ROOT

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
PROGRAMS = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = ROOT / ".gitlab" / "policy-review.yml"
FAULTY = """\
on: {pull_request_target: {}}
jobs:
  j:
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${{ github.event.pull_request.title }} $undefined
"""


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=ROOT, **more)


def actionlint() -> Path:
    """Compiled once a machine, by the Go module proxy."""
    folder = cache_folder() / ACTIONLINT.rsplit("/", 1)[1]
    if not (folder / "actionlint").exists():
        go = shutil.which("go")
        assert go, "these tests need Go"
        folder.mkdir(parents=True, exist_ok=True)
        done = run(go, "install", ACTIONLINT, env={**os.environ, "GOBIN": str(folder), "GOFLAGS": ""}, timeout=500)
        assert done.returncode == 0, done.stderr
    return folder / "actionlint"


@pytest.mark.slow
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """With shellcheck on each script; and it does find what is wrong in another workflow."""
    command = [actionlint(), "-shellcheck", PROGRAMS / "shellcheck", "-pyflakes", "", "-no-color"]
    done = run(*command, *WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, "")
    (tmp_path / "faulty.yml").write_text(FAULTY)
    found = run(*command, tmp_path / "faulty.yml")
    assert found.returncode == 1 and "untrusted" in found.stdout and "SC2086" in found.stdout


@pytest.mark.slow
def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    """At its strictest persona, without the network."""
    command = [PROGRAMS / "zizmor", "--offline", "--no-progress", "--persona", "auditor", "--no-config"]
    done = run(*command, *WORKFLOWS)
    assert done.returncode == 0 and "No findings to report" in done.stdout, done.stdout + done.stderr
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    faulty = tmp_path / ".github" / "workflows" / "faulty.yml"
    faulty.write_text(FAULTY)
    found = run(*command, faulty)
    assert found.returncode != 0 and "template-injection" in found.stdout and "dangerous-triggers" in found.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "file"), [("vendor.gitlab-ci", GITLAB), *(("vendor.github-workflows", file) for file in WORKFLOWS)]
)
def test_the_forges_schema_takes_it(schema: str, file: Path, tmp_path: Path) -> None:
    command = [PROGRAMS / "check-jsonschema", "--builtin-schema", schema]
    done = run(*command, file)
    assert done.returncode == 0, done.stdout
    key = "script:" if file == GITLAB else "runs-on:"
    (tmp_path / "faulty.yml").write_text(file.read_text().replace(key, "no-such-key:", 1))
    assert run(*command, tmp_path / "faulty.yml").returncode == 1


def test_shellcheck_finds_nothing_in_gitlabs_script() -> None:
    """Not even of the optional checks; each part sees what those before it set, as in one shell."""
    script = "#!/bin/sh\n" + "\n".join(yaml.safe_load(GITLAB.read_text())["policy-review"]["script"])
    done = run(PROGRAMS / "shellcheck", "--severity=style", "-", input=script)
    assert (done.returncode, done.stdout) == (0, "")


def parsed(file: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_what_trust_rests_on(file: Path) -> None:
    workflow = parsed(file)
    assert set(workflow[True]) in ({"pull_request"}, {"pull_request_review"}), "YAML 1.1 reads the key `on` as true"
    assert not {"paths", "paths-ignore", "branches"} & set(next(iter(workflow[True].values())))
    assert workflow["permissions"] == {}
    assert "github.event.pull_request.number" in workflow["concurrency"]["group"]
    assert "secrets." not in file.read_text()
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 20 and re.fullmatch(r"ubuntu-\d\d\.04", job["runs-on"])
        assert job["permissions"]["contents"] == "read" and "container" not in job
        for step in job["steps"]:
            script = step["run"].strip()
            assert "uses" not in step and "${{" not in script
            assert "set -euo pipefail" in script or "\n" not in script


def test_the_job_that_may_write_installs_nothing_and_the_required_one_is_never_skipped() -> None:
    jobs = {name: job for file in WORKFLOWS for name, job in parsed(file)["jobs"].items()}
    writers = {name for name, job in jobs.items() if "write" in job["permissions"].values()}
    assert writers == {"comment", "again"}
    scripts = {name: "\n".join(step["run"] for step in job["steps"]) for name, job in jobs.items()}
    assert not any(re.search(r"\b(make|pip|npm|mbgate)\b", scripts[name]) for name in writers)
    assert all("head.repo.full_name == github.repository" in jobs[name]["if"] for name in writers)
    assert "if" not in jobs["review"] and jobs["review"]["name"] == "policy review"
    assert set(parsed(WORKFLOWS[-1])[True]["pull_request"]["types"]) >= {
        "opened", "synchronize", "reopened", "edited", "labeled", "unlabeled",
    }  # fmt: skip


def test_what_the_writers_run_needs_no_package() -> None:
    """A bare Python, without this environment's packages."""
    for module in ("comment", "again", "forge"):
        code = f"import sys; sys.path.insert(0, '.'); import infra.review.{module}"
        done = run(sys.executable, "-I", "-S", "-c", code)
        assert done.returncode == 0, done.stderr


def test_gitlabs_job_is_for_merge_requests_alone() -> None:
    document = parsed(GITLAB)
    job = document["policy-review"]
    rule = [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    assert document["workflow"]["rules"] == job["rules"] == rule
    assert job["variables"]["GIT_STRATEGY"] == "none" and job["timeout"] and job["artifacts"]["when"] == "always"
    assert re.fullmatch(r"python:3\.\d+\.\d+-[a-z]+", job["image"])
