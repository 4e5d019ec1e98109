"""`mbgate policy`: output and exit codes."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.policy import policy_app

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project's policies, to spoil."""
    for name in ("roles.yaml", "routes.yaml", "tests.yaml"):
        (tmp_path / name).write_text((POLICIES / name).read_text("utf-8"), "utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(policy_app, list(arguments))


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_check_is_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder the project's own policies are checked, from any folder below its root."""
    monkeypatch.chdir(ROOT / "infra" / "access")
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout.startswith("ok: 3 roles (analyst, engineer, exec)")


def test_check_lists_all_faults(copy: Path) -> None:
    """Exit code 1, and every fault on a line of its own."""
    spoil(copy / "roles.yaml", "actions: [app:use, search:use]}", "actions: [app:us]}")
    result = run("check", str(copy))
    assert result.exit_code == 1
    faults = [line for line in result.stdout.splitlines() if "is no action" in line]
    assert len(faults) == 2 and all("did you mean `app:use`?" in line for line in faults)


def test_check_as_json(copy: Path) -> None:
    """For programs: the digest, or the faults with their codes and places."""
    good = json.loads(run("check", str(copy), "--json").stdout)
    assert good["ok"] and len(good["digest"]) == 64
    spoil(copy / "tests.yaml", "reason: role-ambiguous", "reason: role-ambigous")
    result = run("check", str(copy), "--json")
    bad = json.loads(result.stdout)
    assert (result.exit_code, bad["ok"]) == (1, False)
    assert [fault["code"] for fault in bad["faults"]] == ["choice-unknown"]
    assert bad["faults"][0]["line"] > 1


def test_explain_with_claims() -> None:
    """The decision, the rule that falls short, and who could."""
    result = run(
        "explain", "--policies", str(POLICIES), "--claims", '{"groups":["bi-analysts"]}', "GET", "/api/dashboard/3"
    )
    assert result.exit_code == 0
    assert result.stdout.startswith("deny: resource-not-granted\n")
    assert "`analyst-dashboards`" in result.stdout


def test_explain_a_person_as_json() -> None:
    """A person of the policy tests, with a query's body."""
    result = run(
        *("explain", "--policies", str(POLICIES), "--as", "engineer@acme.test", "--json"),
        *("--query", '{"native":true,"database":"1"}', "post", "/api/dataset"),
    )
    decision = json.loads(result.stdout)["decision"]
    assert (decision["effect"], decision["rule"], decision["actions"]) == (
        "allow",
        "engineer-queries",
        ["query:native"],
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "GET", "/"),
        ("explain", "--as", "a@b.test", "--claims", "{}", "GET", "/"),
        ("explain", "--as", "whoever@acme.test", "GET", "/"),
        ("explain", "--claims", "{", "GET", "/"),
        ("explain", "--claims", "[]", "GET", "/"),
    ],
)
def test_explain_needs_one_principal(arguments: tuple[str, ...]) -> None:
    """A wrong use is exit code 2."""
    assert run(*arguments, "--policies", str(POLICIES)).exit_code == 2


def test_policy_tests_pass() -> None:
    """Every test passes, and the covered decision cells are counted."""
    result = run("test", str(POLICIES))
    assert result.exit_code == 0
    assert re.search(r"decision cells .* of those that a rule grants, (\d+) of \1$", result.stdout, re.MULTILINE)


def test_policy_tests_fail(copy: Path) -> None:
    """A broken expectation is exit code 1, with file, line, expected and got."""
    spoil(copy / "roles.yaml", "on: {dashboards: [1]}}", "on: {dashboards: [1, 2]}}")
    result = run("test", str(copy))
    assert result.exit_code == 1
    assert "expected deny (resource-not-granted), got allow (rule-allowed)" in result.stdout
    report = json.loads(run("test", str(copy), "--json").stdout)
    assert (report["ok"], len(report["failed"])) == (False, 1)


def test_table_is_canonical() -> None:
    """Standard output is the canonical text and nothing else; the digest is of exactly these bytes."""
    result = run("table", str(POLICIES))
    assert hashlib.sha256(result.stdout.encode()).hexdigest() in result.stderr
    printed = json.loads(run("table", str(POLICIES), "--json").stdout)
    assert printed["table"] == json.loads(result.stdout)


def test_actions_are_listed() -> None:
    """Every action with its kinds and meaning."""
    listed = {action["name"]: action for action in json.loads(run("actions", "--json").stdout)}
    assert listed["dashboard:view"]["kinds"] == ["dashboard"]
    assert "dashboard:view" in run("actions").stdout


@pytest.mark.parametrize("database", ["1", '"1"'])
def test_a_databases_id_is_a_number_or_a_text(database: str) -> None:
    """Metabase's own bodies have a number."""
    query = f'{{"native":false,"database":{database}}}'
    words = ["explain", "--as", "engineer@acme.test", "POST", "/api/dataset", "--query", query, "--json"]
    result = CliRunner().invoke(policy_app, words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["decision"]["effect"] == "allow"
