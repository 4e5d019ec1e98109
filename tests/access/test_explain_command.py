"""`mbgate policy explain`: whatever it is given, it answers, or says in words what it can't take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.cli import policy_explain
from infra.cli.app import app
from infra.errors import PolicyError
from tests.access.test_policy_command import EVENT

POLICIES = Path(__file__).resolve().parents[2] / "policies"
CLAIMS = ("--claims", '{"groups":["bi-analysts"]}')


def explain(*arguments: str, input: str | bytes | None = None) -> Result:
    """Runs it in this process."""
    return CliRunner().invoke(app, ["policy", "explain", "--policies", str(POLICIES), *arguments], input=input)


def log(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "log.ndjson"
    file.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))
    return str(file)


@pytest.mark.parametrize(
    "change",
    [
        {"role": 7},
        {"role": ["analyst"]},
        {"role": {"a": 1}},
        {"actions": "dashboard:view"},
        {"actions": [["query:native"]]},
        {"actions": {"a": 1}},
        {"reason": 1},
        {"rule": 1},
        {"path": 1},
        {"method": ["GET"]},
        {"resource_id": 1},
        {"request_id": 5},
    ],
    ids=str,
)
def test_a_line_with_values_of_another_kind(tmp_path: Path, change: dict[str, Any]) -> None:
    """Is told as no line of the gateway, with the value's name."""
    found = explain("--audit", log(tmp_path, json.dumps({**EVENT, **change})))
    assert isinstance(found.exception, PolicyError) and found.exception.code == "audit-line-unknown"
    assert f"`{next(iter(change))}`" in str(found.exception)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_texts_that_no_terminal_can_show(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Lone surrogates, and what a terminal takes for commands, are written as escapes."""
    line = json.dumps({**EVENT, "path": "/api/dashboard/3\ud800", "method": "GET\u001b[2J"})
    found = explain("--audit", log(tmp_path, line), *more)
    assert found.exit_code == 0 and "\\ud800" in found.stdout and "\x1b" not in found.stdout
    direct = explain(*CLAIMS, "GET", "/api/\u001b[2J", *more)
    assert direct.exit_code == 0 and "\\u001b" in direct.stdout and "\x1b" not in direct.stdout


def test_nested_values(tmp_path: Path) -> None:
    """Such a line is skipped; as an option it is refused in words."""
    deep = "[" * 100_000 + "]" * 100_000
    assert "dashboard 3" in explain("--audit", log(tmp_path, json.dumps(EVENT), deep)).stdout
    for option in (("--claims", deep, "GET", "/"), (*CLAIMS, "POST", "/api/dataset", "--query", deep)):
        found = explain(*option)
        assert found.exit_code == 2 and "nested too deeply" in " ".join(found.output.split())


def test_long_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are skipped in pieces: what follows in one isn't taken for a line."""
    event = json.dumps(EVENT)
    monkeypatch.setattr(policy_explain, "MAX_LINE", len(event) + 1)
    hidden = json.dumps({**EVENT, "request_id": "r-9"})
    padded = "x" * (len(event) + 1) + hidden
    assert "dashboard 3" in explain("--audit", log(tmp_path, event)).stdout
    found = explain("--audit", log(tmp_path, event, padded), "--request-id", "r-9")
    assert isinstance(found.exception, PolicyError) and found.exception.code == "audit-line-missing"


def test_bytes_that_are_no_text() -> None:
    """On standard input as in a file."""
    found = explain("--audit", "-", input=b"\xff\xfe\n" + json.dumps(EVENT).encode() + b"\n")
    assert found.exit_code == 0 and "dashboard 3" in found.stdout


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("/dashboard/3?tab=1", "/dashboard/3"),
        ("/dashboard/3#edit", "/dashboard/3"),
        ("https://bi.acme.example/dashboard/3-sales?a=/b#c", "/dashboard/3-sales"),
        ("HTTPS://bi.acme.example", "/"),
    ],
)
def test_a_pasted_address(given: str, asked: str) -> None:
    """Is asked as the gateway reads it, and that is told beside the answer."""
    found = explain(*CLAIMS, "GET", given)
    assert f"request: GET {asked}\n" in found.stdout
    assert f"asked as {asked}: " in found.stderr
    assert "asked as" not in explain(*CLAIMS, "GET", asked).output


def test_a_query_that_was_not_given() -> None:
    """Isn't told as one that nobody can read."""
    assert "give --query" in explain(*CLAIMS, "POST", "/api/dataset").stdout
    unreadable = explain(*CLAIMS, "POST", "/api/dataset", "--query", "{}").stdout
    assert "give --query" not in unreadable and "can't be read as a query" in unreadable


def test_an_unreadable_query_in_the_trail(tmp_path: Path) -> None:
    """There is no option to give then."""
    body = {"method": "POST", "path": "/api/dataset", "actions": ["query:adhoc"], "reason": "query-unreadable"}
    told = explain("--audit", log(tmp_path, json.dumps({**EVENT, **body, "resource_kind": None}))).stdout
    assert "today, unchanged: deny: query-unreadable" in told and "--query" not in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("--as", "engineer@acme.test", "--issuer", "workforce", "GET", "/"),
        ("--as", "engineer@acme.test", "--kind", "person", "GET", "/"),
        (*CLAIMS, "--request-id", "r-1", "GET", "/"),
        ("--audit", "-", "--issuer", "workforce"),
        ("--audit", "-", "--kind", "machine"),
        ("--audit", "-", "--claims", ""),
    ],
)
def test_options_that_say_nothing_together(arguments: tuple[str, ...]) -> None:
    assert explain(*arguments).exit_code == 2


def test_an_issuer_that_no_policy_names() -> None:
    """It matches nobody, and why is told."""
    found = explain(*CLAIMS, "--issuer", "workforse", "GET", "/")
    assert "role-not-mapped" in found.stdout
    assert "`workforse` is no issuer of these policies: workforce" in found.stderr
    assert explain(*CLAIMS, "--issuer", "workforce", "GET", "/").stderr == ""
