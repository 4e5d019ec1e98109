"""docs/policies.md and its examples: what they show loads, runs and prints what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from infra.access.actions import ACTIONS
from infra.access.cases import load_cases, measure, run_cases
from infra.access.catalogue import read_catalogue
from infra.access.decide import Table
from infra.access.load import load_policies
from infra.access.schema import schemas
from infra.access.source import Source
from infra.access.table import compile_table
from infra.errors import Fault, PolicyError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policies.md").read_text()
EXAMPLES = sorted((ROOT / "docs" / "examples" / "policies").iterdir())
NAMES = [folder.name for folder in EXAMPLES]
SKELETON = {
    "roles": """
version: 1
roles:
  analyst:
    match: [{issuer: workforce, claims: {groups: bi-analysts}}]
    landing: /
    metabase: {group: Analysts, collections: {Sales: read}}
    allow: [{id: skeleton-app, actions: [app:use]}]
""",
    "tests": """
version: 1
people:
  analyst@acme.test: {issuer: workforce, claims: {groups: [bi-analysts]}}
tests: [{as: analyst@acme.test, allow: [GET /]}]
""",
    "routes": (ROOT / "policies" / "routes.yaml").read_text(),
}


class Block(NamedTuple):
    """A fenced block, the comment right above it, and the line on which it stands."""

    marker: str
    language: str
    text: str
    line: int


def blocks() -> list[Block]:
    pattern = re.compile(r"(?:^<!-- ([^\n]*?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found = [Block(m[1] or "", m[2], m[3], PAGE.count("\n", 0, m.start(2)) + 1) for m in pattern.finditer(PAGE)]
    assert len(found) == len(re.findall(r"^```\w*\n", PAGE, re.MULTILINE)) - len(found)
    return found


def between(name: str) -> str:
    """What stands between a pair of markers."""
    return PAGE.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0].strip("\n")


def place(file: str, path: list[str], text: str) -> str:
    """The skeleton of a file, with a fragment at a path; mappings are merged, anything else is replaced."""
    root = yaml.compose(SKELETON[file], yaml.SafeLoader)
    fragment = yaml.compose(text, yaml.SafeLoader)
    assert root is not None and fragment is not None
    if path:
        *above, last = path
        node = root
        for key in above:
            node = next(value for name, value in node.value if name.value == key)
        known = next((pair for pair in node.value if pair[0].value == last), None)
        if known is None:
            node.value.append((yaml.ScalarNode("tag:yaml.org,2002:str", last), fragment))
        elif isinstance(fragment, yaml.MappingNode) and isinstance(known[1], yaml.MappingNode):
            merge(known[1], fragment)
        else:
            node.value[node.value.index(known)] = (known[0], fragment)
    else:
        merge(root, fragment)
    return str(yaml.serialize(root))


def with_jobs(text: str) -> str:
    """`roles.yaml` with a role for machines of each issuer beside the provider: one that no role names is a fault."""
    document = yaml.safe_load(text)
    for name in set(document["issuers"]) - {"workforce"}:
        document["roles"][f"{name}-job"] = {
            "for": "machines",
            "match": [{"issuer": name, "claims": {"sub": "job"}}],
            "metabase": {"group": f"Jobs of {name}"},
            "allow": [{"id": f"{name}-app", "actions": ["app:use"]}],
        }
    return yaml.safe_dump(document)


def merge(node: yaml.MappingNode, fragment: yaml.MappingNode) -> None:
    given = {key.value for key, _ in fragment.value}
    node.value = [*(pair for pair in node.value if pair[0].value not in given), *fragment.value]


def folder_with(path: Path, **files: str) -> Path:
    """A folder of policies: the project's route catalogue, and the given files or the skeleton's."""
    path.mkdir(exist_ok=True)
    for name, text in {**SKELETON, **files}.items():
        (path / f"{name}.yaml").write_text(text)
    return path


def copied(name: str, path: Path) -> Path:
    """An example's folder with the project's route catalogue."""
    shutil.copytree(ROOT / "docs" / "examples" / "policies" / name, path, dirs_exist_ok=True)
    shutil.copy(ROOT / "policies" / "routes.yaml", path)
    return path


def all_pass(folder: Path) -> Table:
    """Loads a folder and runs its policy tests, which must pass and look at every grant."""
    table = compile_table(load_policies(folder))
    verdicts = run_cases(table, load_cases(folder / "tests.yaml")[1])
    assert [(v.case.line, v.decision["reason"]) for v in verdicts if not v.is_met] == []
    assert measure(table, verdicts).uncovered_grants == []
    return table


YAML = [block for block in blocks() if block.language == "yaml"]


@pytest.mark.parametrize("block", YAML, ids=lambda block: f"line-{block.line}")
def test_every_yaml_block_loads(block: Block, tmp_path: Path) -> None:
    """A whole file, or `fragment: FILE.PATH`, which is put into the skeleton at that place."""
    kind, _, where = block.marker.partition(": ")
    if kind == "file":
        assert where in ("roles.yaml", "tests.yaml")
        return  # the worked example is loaded as a whole
    assert kind == "fragment", f"the YAML block in line {block.line} has no marker"
    file, *path = where.split(".")
    if file == "routes":
        source = Source("routes.yaml", f"version: 1\nchecked: [one]\nroutes:\n{block.text}")
        assert read_catalogue(source).routes
        assert source.faults == []
        return
    if file == "environment":
        folder = folder_with(tmp_path / "policies")
        (folder / "environments").mkdir()
        (folder / "environments" / "test.yaml").write_text(block.text)
        load_policies(folder, "test")
        return
    path = path[1:] if path[:1] == ["^"] else path if file == "tests" else [file, *path]
    text = place(file, path, block.text)
    folder = folder_with(tmp_path / "policies", **{file: with_jobs(text) if path == ["issuers"] else text})
    load_policies(folder)
    load_cases(folder / "tests.yaml")


def test_the_worked_example_passes_its_own_tests(tmp_path: Path) -> None:
    files = {block.marker[len("file: ") : -len(".yaml")]: block.text for block in YAML if "file: " in block.marker}
    assert set(files) == {"roles", "tests"}
    all_pass(folder_with(tmp_path / "policies", **files))


@pytest.mark.parametrize("name", NAMES)
def test_every_example_passes_its_own_tests(name: str, tmp_path: Path) -> None:
    folder = copied(name, tmp_path / name)
    all_pass(folder)
    _, cases = load_cases(folder / "tests.yaml")
    reasons = {case.reason for case in cases if case.effect == "deny"}
    assert {"rule-denied", "action-not-granted", "resource-not-granted", "role-not-mapped", "role-ambiguous"} <= reasons
    natives = {case.effect for case in cases if (case.request.get("query") or {}).get("native")}
    exports = {case.effect for case in cases if case.request["path"].endswith(("/csv", "/xlsx", "/json"))}
    assert "deny" in natives
    assert exports == {"allow", "deny"}
    assert f"examples/policies/{name}/" in PAGE


def test_there_are_three_examples_and_the_startup_has_thirty_people() -> None:
    assert NAMES == ["hospital", "shop", "startup"]
    roles = yaml.safe_load((ROOT / "docs" / "examples" / "policies" / "startup" / "roles.yaml").read_text())["roles"]
    assert sum(len(role["match"]) for role in roles.values()) == 30


SHELL = [block for block in blocks() if block.language in ("sh", "text")]


def test_commands_print_what_the_page_quotes(tmp_path: Path) -> None:
    """All shell blocks in order, in a copy of the checkout; `policies: NAME` starts anew from those policies.

    The text block after a shell block is its whole standard output.
    """
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    program = Path(sys.executable).parent
    ran = 0
    for block, following in zip(SHELL, [*SHELL[1:], None], strict=True):
        if block.language != "sh":
            continue
        kind, _, name = block.marker.partition(": ")
        if kind == "policies":
            shutil.rmtree(tmp_path / "policies")
            if name == "the project's own":
                shutil.copytree(ROOT / "policies", tmp_path / "policies")
            else:
                copied(name, tmp_path / "policies")
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block.text],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{program}:{os.environ['PATH']}", "COLUMNS": "120"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"line {block.line}: {done.stdout}{done.stderr}"
        quoted = following.text if following is not None and following.language == "text" else ""
        assert done.stdout == quoted, f"line {block.line}"
        ran += block.text.count("mbgate policy")
    assert ran > 10


def test_the_table_of_actions_is_current() -> None:
    rows = ["| action | `on` | what it allows |", "|---|---|---|"]
    for action in ACTIONS.values():
        kinds = ", ".join(f"`{kind}s`" for kind in action.kinds) or "none"
        rows.append(f"| `{action.name}` | {kinds} | {action.doc} |")
    assert between("actions") == "\n".join(rows)


def faults_of(where: str, written: str, folder: Path) -> list[Fault]:
    file, *path = where.split(".")
    file, path = ("roles", [file, *path]) if file in ("roles", "version") else ("tests", [file, *path])
    try:
        load_policies(folder_with(folder, **{file: place(file, path, written)}))
        load_cases(folder / "tests.yaml")
    except PolicyError as error:
        return list(error.faults)
    return []


FAULTS = re.findall(r"^\| `(.+?)` \| ``? ?(.+?) ?``? \| (.+) \|$", between("faults"), re.MULTILINE)


@pytest.mark.parametrize(("where", "written", "answer"), FAULTS)
def test_faults_read_as_the_page_says(where: str, written: str, answer: str, tmp_path: Path) -> None:
    found = faults_of(where, written, tmp_path / "policies")
    assert answer in [f"{fault.message}; {fault.help}" for fault in found]


def test_every_fault_of_the_page_is_tried() -> None:
    assert len(FAULTS) == len(between("faults").splitlines()) - 2


def keys_of(schema: Any) -> set[str]:
    """Every key that a schema knows, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(keys_of, schema))
    if not isinstance(schema, dict):
        return set()
    own = set(schema["properties"]) if schema.get("type") == "object" and "properties" in schema else set()
    return own.union(*map(keys_of, schema.values()))


def test_every_key_is_in_the_reference() -> None:
    """Those that the schemas of `roles.yaml`, overlays and `tests.yaml` know."""
    known = set().union(*(keys_of(json.loads(text)) for text in schemas().values()))
    assert {"match", "landing", "on", "entity_id", "people", "reason", "unset", "by"} <= known
    assert {key for key in known if f"`{key}`" not in PAGE} == set()
