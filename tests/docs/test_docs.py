"""The documentation says what the code does: commands, settings, codes, reasons, links and examples."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from infra.cli.app import app
from infra.cli.reference import PAGES
from infra.errors import SettingsError
from infra.settings import parse

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(sys.executable).parent / "node"
PAGES_FOR_PEOPLE = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CODE = re.compile(r"[a-z]+(-[a-z]+)+|leftovers")
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text()


def codes() -> set[str]:
    """Every code that an error, a fault or a finding can carry, read from the sources."""
    found = set()
    for path in (ROOT / "infra").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                given = [k.value for k in node.keywords if k.arg == "code"]
                is_finding = "doctor" in path.parts and called in ("error", "warning", "skipped")
                given += node.args if "fault" in called.lower() or is_finding else []
                found |= {v.value for v in given if isinstance(v, ast.Constant) and isinstance(v.value, str)}
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "default_code":
                found.add(ast.literal_eval(node.value))
    return {code for code in found if CODE.fullmatch(code)}


def test_every_error_code_is_explained() -> None:
    assert len(codes()) > 80
    assert {code for code in codes() if f"`{code}`" not in TROUBLESHOOTING} == set()


def test_every_reason_is_explained() -> None:
    """What the gateway can answer, as its own texts list it."""
    script = (
        "import { ENGLISH } from './worker_templates/gateway/texts/index.js';"
        "console.log(Object.keys(ENGLISH.reasons).join('\\n'))"
    )
    command = [NODE, "--input-type=module", "-e", script]
    reasons = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert len(reasons) > 40
    assert {reason for reason in reasons if f"`{reason}`" not in TROUBLESHOOTING} == set()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_generated_pages_are_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == PAGES[name](), "run `mbgate reference`"


def examples(*, in_blocks_only: bool = False) -> list[tuple[str, str]]:
    """`mbgate …` in shell blocks and, where they only name a command, in code spans of every page."""
    found = []
    for page in PAGES_FOR_PEOPLE:
        if page.name == "CHANGELOG.md":
            continue
        text = page.read_text()
        shell = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
        lines = re.findall(r"(?:^|&& )(mbgate .*?)(?= && | +#|$)", shell, re.MULTILINE)
        spans = [] if in_blocks_only else re.findall(r"`(mbgate [^`\n]+)`", text)
        found += [(page.name, line.strip()) for line in (*spans, *lines)]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "line"), examples())
def test_every_example_is_a_command_with_its_options(page: str, line: str) -> None:
    """Each word up to the arguments is a command, and each option is one that it takes."""
    command = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    while words and hasattr(command, "commands"):
        if words[0].startswith("-"):
            break
        assert words[0] in command.commands, f"{page}: `{line}`"
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "--install-completion", "--json"} if hasattr(command, "commands") else {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{page}: `{line}` has `{word}`"


def test_every_link_leads_somewhere() -> None:
    broken = []
    for page in PAGES_FOR_PEOPLE:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_make_targets_are_those_that_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES_FOR_PEOPLE for name in re.findall(r"\bmake ([a-z-]+)`?", page.read_text())}
    assert {name for name in named if name in {"demo", "setup"} or "-" in name} <= targets
    assert {"demo", "demo-down", "setup", "check", "test", "test-ci", "nightly"} <= targets


def test_every_dependency_has_its_line() -> None:
    """With its reason, in the README's table."""
    readme = (ROOT / "README.md").read_text()
    table = readme.split("## Dependencies")[1].split("##")[0]
    named = {name for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for name in re.split(r",\s*", row)}
    named = {re.sub(r" \(npm\)", "", name).strip() for name in named}
    python = set(re.findall(r'^  "([A-Za-z0-9._-]+)==', (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
    package = yaml.safe_load((ROOT / "package.json").read_text())
    node = {*package["dependencies"], *package["devDependencies"]}
    wanted = {name for name in python | node if not name.startswith("types-")}
    assert {name for name in wanted if name.lower() not in {n.lower() for n in named}} == set()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_sample_lacks_only_what_stands_in_capitals(stack: str) -> None:
    """Filled in as its comments say, it can be deployed."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    for placeholder, value in {"ACCOUNT_ID": "a" * 32, "ZONE_ID": "b" * 32, "TEAM": "acme", "ISSUER": "id"}.items():
        text = text.replace(placeholder, value)
    values = {k.removeprefix("mbgate:"): v for k, v in yaml.safe_load(text)["config"].items()}
    try:
        settings = parse(stack, values)
    except SettingsError as error:
        raise AssertionError(str(error)) from None
    assert settings.metabase.runtime == "docker"
    assert settings.metabase.digest == ""


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words."""
    for name, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from commands(inner, (*path, name))
        else:
            yield (*path, name), inner


@pytest.mark.parametrize(
    ("words", "command"),
    [(" ".join(w), c) for w, c in commands(typer.main.get_command(app))],
    ids=lambda v: str(v)[:40],
)
def test_every_command_shows_an_example_of_itself(words: str, command: Any) -> None:
    assert f"Example: mbgate {words}" in (command.help or "")


HARMLESS = ("mbgate policy", "mbgate reference --check")


@pytest.mark.parametrize(
    "line", sorted({line for _, line in examples(in_blocks_only=True) if line.startswith(HARMLESS)})
)
def test_every_harmless_example_runs(line: str, tmp_path: Path) -> None:
    """As it stands on the page, in a shell, in the checkout."""
    program = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-c", line.replace("table.json", str(tmp_path / "table.json"))],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{program}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
