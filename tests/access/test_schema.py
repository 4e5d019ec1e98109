"""The JSON Schemas for editors: they accept what the loader does, and refuse the faults of form that they can see."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from infra.access import schema as made
from infra.access.actions import ACTIONS
from infra.cli.policy import policy_app

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
INVALID = ROOT / "tests" / "invalid"
UNSEEN = {
    "the loader refuses the writing, which is gone in the data": r"alias|anchor-only|merge|tag|documents|tab-|nested",
    "PyYAML takes the last of two equal keys": r"twice",
    "what is no YAML at all an editor shows by itself": (
        r"no-yaml|unclosed|colon|at-sign|percent|indentation|directive|key-list"
    ),
    "it is about what rules, roles and claims mean together": (
        r"shadowed|rule-|deny-|same-people|match-redundant|match-widened|issuer-case|opens-nothing|landing"
    ),
    "JSON Schema has no word for it": r"padded|direction|invisible|line-separator|escaped",
    "names that YAML 1.2 reads as texts": r"yaml11-(names|claim-names|collections)",
    "it is about what other roles, rules and issuers say": r"issuers-(pairs|un)|for-same|approvers|conditions-",
    "groups without case, and which ids which actions take": r"groups-case|databases-named",
    "what an overlay changes is in another file": r"overlay-(?!form)",
}
"""Cases that no schema can see, and why."""
SEEN = [
    file
    for file in sorted(INVALID.glob("*.yaml"))
    if not file.name.startswith(("routes-", "overlay."))
    and not any(re.search(words, file.stem) for words in UNSEEN.values())
]
VALIDATORS = {
    "roles": Draft202012Validator(made.roles_schema()),
    "tests": Draft202012Validator(made.tests_schema()),
    "overlay": Draft202012Validator(made.overlay_schema()),
}


class Core(yaml.SafeLoader):
    """YAML 1.2 as editors read it: `on` is a text, and so is a date."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for tag, pattern, first in (
    ("bool", "true|false", "tf"),
    ("null", "null|~|", ["n", "~", ""]),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), list(first))


def data_of(text: str) -> Any:
    """YAML as plain data, with no key but texts, as in JSON."""
    return json.loads(json.dumps(yaml.load(text, Core)))  # noqa: S506 - a SafeLoader


@pytest.mark.parametrize("name", ["roles", "tests"])
def test_own_policies_are_accepted(name: str) -> None:
    """The schema itself is one, and accepts the project's file."""
    validator = VALIDATORS[name]
    Draft202012Validator.check_schema(validator.schema)
    errors = validator.iter_errors(data_of((POLICIES / f"{name}.yaml").read_text("utf-8")))
    assert [error.message for error in errors] == []


@pytest.mark.parametrize("file", SEEN, ids=lambda file: file.stem)
def test_faults_of_form_are_seen(file: Path) -> None:
    """What the loader refuses for its form, an editor underlines."""
    validator = VALIDATORS[file.stem.split("-")[0]]
    assert not validator.is_valid(data_of(file.read_text("utf-8")))


def test_most_cases_are_seen() -> None:
    """The list of excuses doesn't swallow the test."""
    assert len(SEEN) >= 39


ACCEPTED = (
    "{id: a, actions: [app:use]}",
    "{id: a, actions: [dashboard:view], on: {dashboards: all}}",
    "{id: a, actions: [results:export], on: {questions: [1]}}",
    "{id: a, actions: [app:use, dashboard:view], on: {dashboards: ['7', AbCdEfGhIjKlMnOpQrStU]}}",
    "{id: a, actions: [question:run], on: {questions: [{id: 7, entity_id: AbCdEfGhIjKlMnOpQrStU}]}}",
)
REFUSED = (
    "{id: a, actions: [dashboard:view]}",
    "{id: a, actions: [dashboard:view], on: {questions: all}}",
    "{id: a, actions: [app:us]}",
    "{id: A, actions: [app:use]}",
    "{id: a, actions: [dashboard:view], on: {dashboards: [-1]}}",
    "{id: a, actions: [dashboard:view], on: {dashboards: [12345678901]}}",
)


@pytest.mark.parametrize("rule", ACCEPTED)
def test_accepted_rules(rule: str) -> None:
    assert _with_rule(rule) == []


@pytest.mark.parametrize("rule", REFUSED)
def test_refused_rules(rule: str) -> None:
    assert _with_rule(rule) != []


def _with_rule(rule: str) -> list[str]:
    role = f"match: [{{issuer: i, claims: {{c: v}}}}], landing: /, metabase: {{group: R}}, allow: [{rule}]"
    text = f"version: 1\nroles: {{r: {{{role}}}}}"
    return [error.message for error in VALIDATORS["roles"].iter_errors(data_of(text))]


def test_every_word_is_explained() -> None:
    """Hovering over a key or an action shows what it means."""
    role = json.dumps(made.roles_schema())
    assert all(action.doc in role for action in ACTIONS.values())
    assert list(_unexplained(made.roles_schema())) == list(_unexplained(made.tests_schema())) == []


def _unexplained(schema: Any) -> Any:
    for name, field in schema.get("properties", {}).items():
        target = field.get("$ref", "").rpartition("/")[2]
        if "description" not in field and target in ("", "text"):
            yield name
        yield from _unexplained(field)
    for below in schema.get("$defs", {}).values():
        yield from _unexplained(below)


@pytest.mark.parametrize("name", [made.ROLES_SCHEMA, made.OVERLAY_SCHEMA, made.TESTS_SCHEMA])
def test_files_are_current(name: str) -> None:
    """Run `mbgate policy schema` and commit what it writes."""
    assert (POLICIES / name).read_text("utf-8") == made.schemas()[name]


def test_own_roles_name_their_schema() -> None:
    """Editors find it by the first line."""
    first = (POLICIES / "roles.yaml").read_text("utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=./{made.ROLES_SCHEMA}"


def test_command(tmp_path: Path) -> None:
    """It writes the files, and tells what is out of date without writing."""
    runner = CliRunner()
    stale = runner.invoke(policy_app, ["schema", str(tmp_path), "--check"])
    assert stale.exit_code == 1 and getattr(stale.exception, "code", "") == "schema-stale"
    assert list(tmp_path.iterdir()) == []
    assert (
        "written: schema.json, environment.schema.json, tests.schema.json"
        in runner.invoke(policy_app, ["schema", str(tmp_path)]).stdout
    )
    assert runner.invoke(policy_app, ["schema", str(tmp_path), "--check"]).stdout == "up to date\n"
    nowhere = runner.invoke(policy_app, ["schema", str(tmp_path / "nowhere")])
    assert getattr(nowhere.exception, "code", "") == "schema-unwritable"
