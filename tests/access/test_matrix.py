"""The matrix: every cell is the decision's, and its three formats say the same, safely."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner, Result

from infra.access.decide import decide
from infra.access.load import load_policies
from infra.access.matrix import Matrix, build
from infra.access.routes import pattern_segments
from infra.access.table import compile_table, digest
from infra.cli.matrix_page import page
from infra.cli.policy import policy_app
from infra.cli.policy_matrix import matrix_csv, matrix_text
from infra.errors import PolicyError
from tests.access.tables import ENTITIES, NUMBERS, tables
from tests.access.test_who import alone

POLICIES = Path(__file__).parents[2] / "policies"
TABLE = compile_table(load_policies(POLICIES))
BOUNDED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HOSTILE = "=<script>alert(1)</script>\"'&[red]\x1b[31m"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(policy_app, ["matrix", *arguments])


def cells(matrix: Matrix) -> dict[tuple[str, str, str], tuple[str, str | None]]:
    return {
        (cell.role, row.action, row.subjects[0].name): (cell.reason, cell.rule)
        for row in matrix.rows
        for cell in row.cells
    }


def class_of(table: dict[str, Any], kind: str | None, text: str) -> str:
    """The name of the class that a settled id belongs to, found without the matrix's code."""
    if kind is None:
        return ""
    rules = [rule for role in table["roles"].values() for rule in (*role["allow"], *role["deny"])]
    known = table["aliases"].get(kind, {})
    ids = {known.get(x, x) for rule in rules for x in rule.get("on", {}).get(kind, []) if x != "*"}
    return f"{kind}/{text}" if text in ids else f"{kind}/{'unsettled' if len(text) == 21 else 'other'}"


def domain(table: dict[str, Any]) -> list[str]:
    rules = [rule for role in table["roles"].values() for rule in (*role["allow"], *role["deny"])]
    written = {x for rule in rules for ids in rule.get("on", {}).values() for x in ids if x != "*"}
    return sorted({*written, *NUMBERS, *ENTITIES, "8", "x" * 21})


def check_domain(table: dict[str, Any]) -> None:
    """Each cell against `decide()`, on every id that the rules write and on others."""
    matrix = build(table)
    found = cells(matrix)
    met = set()
    for action in table["actions"]:
        kinds = {subject.kind for subject in matrix.subjects(action)}
        for role in table["roles"]:
            for kind in kinds:
                for text in domain(table) if kind else ("",):
                    wanted = alone(table, role, action, kind, text)
                    settled = wanted["resource"]["id"] if kind else ""
                    key = (role, action, class_of(table, kind, settled))
                    met.add(key)
                    assert found[key] == (wanted["reason"], wanted["rule"])
    assert met == set(found)


def test_the_projects_own_policies() -> None:
    """The whole finite domain, and no cell beyond it."""
    check_domain(TABLE)


@BOUNDED
@given(tables())
def test_made_up_policies(table: dict[str, Any]) -> None:
    """The same for whatever rules."""
    check_domain(table)


def test_real_requests_follow_from_the_cells() -> None:
    """A request of the catalogue is let through exactly where each of its actions is allowed on its resource."""
    found, count = cells(build(TABLE)), 0
    for route in TABLE["routes"]:
        if route.get("blocked"):
            continue
        for role, rules in TABLE["roles"].items():
            match = rules["match"][0]
            for text in ("1", "2", "3", "9", "x" * 21):
                for native in (False, True):
                    principal = {"issuer": match["issuer"], "claims": match["claims"]}
                    request = {"method": route["method"], "path": concrete(route, text)}
                    decision = decide(TABLE, principal, {**request, "query": {"native": native, "database": text}})
                    if decision["route"] != route["id"] or not decision["reason"].startswith(("rule", "act", "res")):
                        continue
                    if decision["reason"] == "resource-id-malformed":
                        continue
                    about = decision["resource"]
                    name = class_of(TABLE, about["kind"], about["id"]) if about else ""
                    each = [found[role, action, name][0] == "rule-allowed" for action in decision["actions"]]
                    assert (decision["effect"] == "allow") == all(each)
                    count += 1
    assert count > 5000


def concrete(route: dict[str, Any], text: str) -> str:
    parts = [
        text if part == f":{route['kind']}" else part.strip(":*") or "x" for part in pattern_segments(route["path"])
    ]
    return "/" + "/".join(parts)


def test_the_sample_of_unknown_entity_ids_is_unknown() -> None:
    """Also where the policies know the number of the first that comes to mind."""
    rule = {"id": "no", "actions": ["dashboard:view"], "on": {"dashboard": ["5"]}}
    role = {**TABLE["roles"]["exec"], "deny": [rule]}
    table = {**TABLE, "roles": {"exec": role}, "aliases": {"dashboard": {"0" * 21: "5", f"{1:021d}": "6"}}}
    check_domain(table)
    assert cells(build(table))["exec", "dashboard:view", "dashboard/unsettled"] == ("resource-id-unsettled", None)


def test_merged_rows_lose_nothing() -> None:
    """Each subject of each action stands in exactly one merged row, with the cells of its own."""
    matrix = build(TABLE)
    single = {(row.action, row.subjects[0].name): row.cells for row in matrix.rows}
    merged = [((row.action, one.name), row.cells) for row in matrix.merged() for one in row.subjects]
    assert len(merged) == len(single) and dict(merged) == single
    labels = [(row.action, row.label) for row in matrix.merged()]
    assert len(set(labels)) == len(labels)
    assert ("dashboard:view", "other dashboards") in labels and ("app:use", "") in labels


def test_csv_has_every_cell() -> None:
    """One line a cell."""
    result = run("--policies", str(POLICIES), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert list(rows[0]) == ["role", "action", "resource", "effect", "reason", "rule"]
    read = {(row["role"], row["action"], row["resource"]): (row["reason"], row["rule"] or None) for row in rows}
    assert read == cells(build(TABLE)) and len(rows) == len(read)
    effects = {(row["effect"], row["reason"]) for row in rows}
    assert ("allowed", "rule-allowed") in effects and ("denied", "rule-denied") in effects
    assert ("not-granted", "action-not-granted") in effects


def many_roles(count: int) -> dict[str, Any]:
    roles = TABLE["roles"]
    return {**TABLE, "roles": {f"role-{n}-of-a-rather-long-name-{'x' * n}": roles["engineer"] for n in range(count)}}


@pytest.mark.parametrize("table", [TABLE, many_roles(8)], ids=["own", "many roles"])
def test_text_fits_a_terminal(table: dict[str, Any]) -> None:
    """At most 100 columns, every role and rule in it."""
    text = matrix_text(build(table))
    assert max(len(line) for line in text.splitlines()) <= 100
    assert digest(table) in text
    squeezed = re.sub(r"\s", "", text)
    assert all(prefix + ":" in squeezed for prefix in ("dashboard", "query", "admin"))
    assert "✓engineer-queries" in squeezed
    assert "\x1b" not in text and "\x1b[32m" in matrix_text(build(table), colour=True)


class Page(HTMLParser):
    """Collects what the assertions ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def matches(table: dict[str, Any]) -> dict[str, Any]:
    return {name: role["match"] for name, role in table["roles"].items()}


def test_html_is_self_contained_and_accessible() -> None:
    """No script, nothing from elsewhere; every th has a scope; caption and digest; a td for each merged cell."""
    matrix = build(TABLE)
    text = page(matrix, matches(TABLE))
    found = Page(text)
    names = [tag for tag, _ in found.tags]
    assert not {"script", "link", "img", "iframe"} & set(names)
    assert not [attrs for _, attrs in found.tags if {"src", "href", "style"} & attrs.keys()]
    assert "url(" not in text and "@import" not in text
    assert all(attrs.get("scope") in ("col", "row", "rowgroup") for tag, attrs in found.tags if tag == "th")
    assert names.count("caption") == 1
    assert matrix.digest in text[text.index("<footer>") :]
    effects = [attrs["class"] for tag, attrs in found.tags if tag == "td"]
    assert effects == [cell.effect for rows in matrix.groups().values() for row in rows for cell in row.cells]
    assert "position: sticky" in text and "prefers-color-scheme: dark" in text and "A4 landscape" in text


def hostile() -> dict[str, Any]:
    rule = {"id": HOSTILE, "actions": ["dashboard:view"], "on": {"dashboard": [HOSTILE[:3]]}}
    role = {"match": [{"issuer": HOSTILE, "claims": {HOSTILE: HOSTILE}}], "allow": [rule], "deny": []}
    return {**TABLE, "roles": {HOSTILE: role}}


def test_hostile_names_are_only_shown() -> None:
    """Names that the loader would refuse anyway: escaped in HTML, no formula in CSV, no command to a terminal."""
    table = {**hostile(), "actions": {"app:use": [], "dashboard:view": []}}
    table["routes"] = [{**route, "kind": None} for route in TABLE["routes"] if not route.get("blocked")]
    matrix = build(table)
    text = page(matrix, matches(table))
    found = Page(text)
    assert "script" not in [tag for tag, _ in found.tags]
    assert HOSTILE in "".join(found.text)
    rows = list(csv.reader(io.StringIO(matrix_csv(matrix))))
    assert not [value for row in rows for value in row if value.startswith("=")]
    assert {row[0] for row in rows[1:]} == {f"'{HOSTILE}"}
    shown = matrix_text(matrix)
    assert "\x1b" not in shown and "[red]" in re.sub(r"\s", "", shown)


def test_output_is_written(tmp_path: Path) -> None:
    """A file has exactly what standard output would have had, the digest of the same table in it."""
    for form in ("text", "csv", "html"):
        file = tmp_path / form
        written = run("--policies", str(POLICIES), "--format", form, "--output", str(file))
        assert (written.exit_code, written.stdout) == (0, "")
        assert file.read_text("utf-8") == run("--policies", str(POLICIES), "--format", form).stdout
        assert form == "csv" or digest(TABLE) in file.read_text("utf-8")


def test_wrong_use(tmp_path: Path) -> None:
    """An unknown format is exit code 2; what can't be read or written exit code 1, with what to do."""
    assert run("--format", "pdf").exit_code == 2
    result = run("--policies", str(POLICIES), "--output", str(tmp_path / "none" / "x"))
    assert result.exit_code == 1 and isinstance(result.exception, PolicyError)
    assert result.exception.code == "output-unwritable" and result.exception.help
    missing = run("--policies", str(tmp_path))
    assert missing.exit_code == 1 and isinstance(missing.exception, PolicyError)
