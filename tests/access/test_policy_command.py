"""`mbgate policy`: output and exit codes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.policy import policy_app

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project's policies, to spoil."""
    shutil.copytree(POLICIES, tmp_path, dirs_exist_ok=True)
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


def test_check_and_test_go_through_environments(copy: Path) -> None:
    """Each overlay is merged and tested; a fault or a failure in one fails the whole, and says where."""
    assert "environment dev: 3 roles (analyst, engineer, exec)" in run("check", str(copy)).stdout
    report = json.loads(run("test", str(copy), "--json").stdout)
    assert report["ok"] and report["environments"]["dev"]["ok"]
    assert report["cases"] + 1 == report["environments"]["dev"]["cases"]
    overlay = copy / "environments" / "dev.yaml"
    spoil(overlay, "dashboards: [1, 2]", "dashboards: all")
    result = run("test", str(copy))
    assert result.exit_code == 1
    wanted = "environment dev: engineer@acme.test PUT /api/dashboard/3: expected deny (resource-not-granted), got allow"
    assert wanted in result.stdout
    spoil(overlay, "dashboard:edit", "dashboard:edits")
    result = run("check", str(copy))
    assert result.exit_code == 1
    place, _, told = result.stdout.partition(":9:44: ")
    assert (
        Path(place).resolve() == overlay.resolve()
    )  # as it is reached from here, which depends on the checkout's place
    assert told.startswith("`dashboard:edits` is no action @ $.roles.change")


def test_one_environment_of_each_command(copy: Path) -> None:
    """`--environment` takes the overlay; an unknown one is told with what there is."""
    asked = ("explain", "--policies", str(copy), "--as", "engineer@acme.test", "PUT", "/api/dashboard/2")
    assert run(*asked).stdout.startswith("deny: action-not-granted")
    assert run(*asked, "--environment", "dev").stdout.startswith("allow: rule-allowed")
    who = ("who-can", "--policies", str(copy), "dashboard:edit", "dashboard/2")
    assert "engineer: not granted" in run(*who).stdout
    assert "engineer: allowed, by rule `engineer-edits`" in run(*who, "-e", "dev").stdout
    assert "engineer-edits" in run("matrix", "--policies", str(copy), "-e", "dev", "--format", "csv").stdout
    assert run("table", str(copy)).stdout != run("table", str(copy), "-e", "dev").stdout
    assert json.loads(run("test", str(copy), "-e", "dev", "--json").stdout)["environments"] == {}
    wrong = run("table", str(copy), "-e", "dve")
    assert wrong.exit_code == 1 and "did you mean `dev`?" in str(wrong.exception)


def test_a_tests_place(copy: Path) -> None:
    """`in` and `except` name environments that there are, and not both."""
    spoil(copy / "tests.yaml", "    in: [dev]", "    in: [dve]\n    except: [base]")
    lines = run("check", str(copy)).stdout.splitlines()
    assert [line.split(" @ ")[0].split(": ", 1)[1] for line in lines] == [
        "`dve` is no environment",
        "a test has either `in` or `except`",
    ]


EVENT = {
    "type": "mbgate.access",
    "request_id": "r-1",
    "role": "analyst",
    "method": "GET",
    "path": "/api/dashboard/3",
    "actions": ["dashboard:view"],
    "resource_kind": "dashboard",
    "resource_id": "3",
    "effect": "deny",
    "reason": "resource-not-granted",
    "rule": None,
    "policy_digest": "another",
}


def recorded(tmp_path: Path, *events: dict[str, object] | str, more: tuple[str, ...] = ()) -> str:
    """What `explain` says to a log."""
    log = tmp_path / "log.ndjson"
    log.write_text("".join(f"{event if isinstance(event, str) else json.dumps(event)}\n" for event in events), "utf-8")
    return run("explain", "--audit", str(log), *more).stdout


def test_an_audit_line_is_explained(tmp_path: Path) -> None:
    """What was decided, by which policy, and what it would be today."""
    told = recorded(
        tmp_path, "no json", {**EVENT, "request_id": "r-0", "role": None, "reason": "session-expired"}, EVENT
    )
    assert told.startswith("recorded: deny: resource-not-granted, decided by a policy with another digest\n")
    assert "today, unchanged: deny: resource-not-granted" in told
    assert "add 3 to `dashboards` of `analyst-dashboards`" in told


def test_an_audit_line_whose_answer_changed(tmp_path: Path) -> None:
    """By these policies a query with SQL was denied; a recorded allow of it is told apart."""
    sql = {"method": "POST", "path": "/api/dataset", "actions": ["query:native"], "resource_kind": "database"}
    event = {**EVENT, **sql, "resource_id": "1", "effect": "allow", "reason": "rule-allowed", "rule": "gone"}
    told = recorded(tmp_path, event)
    assert told.startswith("recorded: allow: rule-allowed by rule `gone`")
    assert "today: deny: rule-denied" in told and "rule: analyst-no-native" in told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"role": None, "reason": "session-expired"}, "the policies weren't asked"),
        ({"role": None, "reason": "role-not-mapped"}, "the trail holds no claims"),
        ({"role": None, "reason": "path-malformed"}, "could be read in two ways"),
        ({"role": "gone"}, "no longer have the role `gone`"),
        ({"path": "/public/dashboard/…"}, "isn't whole in the trail"),
        ({"effect": "deny", "reason": "origin-unreachable"}, "what failed came after"),
    ],
)
def test_what_a_line_does_not_tell(tmp_path: Path, change: dict[str, object], words: str) -> None:
    """Where the request can't be asked again, it says why."""
    assert words in recorded(tmp_path, {**EVENT, **change})


def test_which_line(tmp_path: Path) -> None:
    """By its request id; none, or no file, is an error for people."""
    other = {**EVENT, "request_id": "r-2", "path": "/api/dashboard/2"}
    assert "dashboard 2" in recorded(tmp_path, other, EVENT, more=("--request-id", "r-2"))
    log = str(tmp_path / "log.ndjson")
    assert getattr(run("explain", "--audit", log, "--request-id", "x").exception, "code", "") == "audit-line-missing"
    nowhere = str(tmp_path / "nowhere")
    assert getattr(run("explain", "--audit", nowhere).exception, "code", "") == "audit-unreadable"
    assert run("explain", "--audit", log, "GET", "/").exit_code == 2


def test_no_tests(copy: Path) -> None:
    """`check` needs none; `test` and `--as` say that there are none."""
    (copy / "tests.yaml").unlink()
    assert run("check", str(copy)).exit_code == 0
    for arguments in (("test", str(copy)), ("explain", "--policies", str(copy), "--as", "a", "GET", "/")):
        error = run(*arguments).exception
        assert getattr(error, "code", "") == "tests-missing" and "there are no policy tests" in str(error)


ISSUERS = 'version: 1\nissuers: {workforce: {}, ci: {url: "https://ci.acme.org", audience: mbgate}}\n'
JOB = """
  job:
    for: machines
    match: [{issuer: ci, claims: {sub: job}}]
    metabase: {group: Jobs}
    allow: [{id: job-questions, actions: [question:run], on: {questions: [1]}}]
"""
JOBS = """
  job: {kind: machine, issuer: ISSUER, claims: {sub: job}}
tests:
  - as: job
    allow: [POST /api/card/1/query]
"""


@pytest.mark.parametrize("command", ["check", "test"])
def test_a_person_of_an_issuer_that_is_not_declared(copy: Path, command: str) -> None:
    """Is told where the person is let through; who is always refused may come from anywhere."""
    spoil(copy / "roles.yaml", "version: 1\n", ISSUERS)
    with (copy / "roles.yaml").open("a") as roles:
        roles.write(JOB)
    spoil(copy / "tests.yaml", "tests:\n", JOBS.replace("ISSUER", "cii").lstrip("\n"))
    faults = faults_of_command(command, copy)
    assert [(code, message) for code, message, _ in faults] == [("issuer-undeclared", "`cii` is no declared issuer")]
    assert faults[0][2] == "did you mean `ci`?"
    spoil(copy / "tests.yaml", "issuer: cii", "issuer: ci")
    assert faults_of_command(command, copy) == []


def faults_of_command(command: str, folder: Path) -> list[tuple[str, str, str | None]]:
    """Code, message and help of each fault that a command finds."""
    if command == "test":
        return [
            (fault.code, fault.message, fault.help)
            for fault in getattr(run("test", str(folder)).exception, "faults", ())
        ]
    told = json.loads(run("check", str(folder), "--json").stdout)
    return [(fault["code"], fault["message"], fault["help"]) for fault in told.get("faults", ())]


def test_who_can_on_a_condition(tmp_path: Path) -> None:
    """What somebody must approve, or what is locked to claims, is neither allowed nor denied."""
    rules = (
        "      - {id: own, actions: [dashboard:view], on: {dashboards: [4]}, locked: {team: department}}\n"
        "      - {id: asked, actions: [results:export], on: {dashboards: [1]}, requires_approval: {by: [analyst]}}\n"
    )
    (tmp_path / "roles.yaml").write_text(
        "version: 1\nroles:\n  analyst:\n    match: [{issuer: workforce, claims: {groups: a}}]\n    landing: /\n"
        f"    metabase: {{group: A}}\n    allow:\n      - {{id: app, actions: [app:use]}}\n{rules}",
        "utf-8",
    )
    where = ("--policies", str(tmp_path))
    assert (
        "analyst: only with locked parameters, by rule `own`"
        in run("who-can", "dashboard:view", "dashboard/4", *where).stdout
    )
    assert (
        "analyst: only once approved, by rule `asked`" in run("who-can", "results:export", "dashboard/1", *where).stdout
    )
    assert "with an approval or locked parameters `asked`" in run("who-can", "results:export", *where).stdout
    printed = run("matrix", *where).stdout
    assert "? own" in printed and "? asked" in printed and "only when somebody approves" in printed
