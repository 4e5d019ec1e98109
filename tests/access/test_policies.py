"""Loading good policies, the canonical table, the policy tests, and explanations."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from infra.access.cases import Verdict, load_cases, measure, run_cases
from infra.access.decide import Reason, decide, decide_as
from infra.access.explain import explain
from infra.access.load import load_policies, read_policies
from infra.access.model import MetabaseGrants, Policies
from infra.access.source import Source
from infra.access.table import canonical_json, compile_table, digest

ROOT = Path(__file__).parents[2]
ROUTES = (ROOT / "policies" / "routes.yaml").read_text("utf-8")
ENTITY = "AbCdEfGhIjKlMnOpQrStU"
EXAMPLE = f"""
version: 1
roles:
  writer:
    match: [{{issuer: workforce, claims: {{groups: "on"}}}}]
    landing: /
    metabase: {{group: Writers}}
    allow:
      - {{id: app, actions: [app:use]}}
      - {{id: pair, actions: [dashboard:view], on: {{dashboards: [{{id: 7, entity_id: {ENTITY}}}, "8"]}}}}
      - {{id: same, actions: [dashboard:edit], on: {{dashboards: [{ENTITY}, 7]}}}}
  reader:
    description: reads
    match: [{{issuer: workforce, claims: {{groups: readers}}}}]
    landing: /
    metabase: {{group: Readers}}
    allow: [{{id: r-app, actions: [app:use, question:run, query:native], on: {{questions: all, databases: [1]}}}}]
    deny: [{{id: r-no, actions: [query:native]}}]
"""


def example() -> Policies:
    roles, routes = Source("roles.yaml", EXAMPLE), Source("routes.yaml", ROUTES)
    policies = read_policies(roles, routes)
    assert roles.faults == routes.faults == []
    return policies


def test_model() -> None:
    """YAML becomes the model: roles by name, ids as text, `on` as a key although YAML 1.1 reads a boolean."""
    reader, writer = example().roles
    assert (reader.name, reader.description, reader.deny[0].on) == ("reader", "reads", None)
    assert reader.metabase == MetabaseGrants(group="Readers", collections={}, attributes={})
    assert reader.allow[0].on == {"question": "*", "database": ("1",)}
    assert writer.allow[1].on == {"dashboard": ("7", "8")}
    assert writer.match[0].claims == {"groups": "on"}
    assert example().aliases == {"dashboard": {ENTITY: "7"}}


def test_table_settles_entity_ids() -> None:
    """In the table an entity id is its number wherever any rule gives it, once."""
    rules = {rule["id"]: rule for rule in compile_table(example())["roles"]["writer"]["allow"]}
    assert rules["same"]["on"] == {"dashboard": ["7"]}
    assert "on" not in rules["app"]


def test_canonical_json() -> None:
    """The canonical text is stable, sorted, without spaces, and reads back as the table; the digest is its SHA-256."""
    table = compile_table(example())
    text = canonical_json(table)
    assert json.loads(text) == table
    assert text == canonical_json(json.loads(text)) and '": ' not in text
    assert digest(table) == hashlib.sha256(text.encode()).hexdigest()
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_order_of_roles_has_no_part() -> None:
    """The same roles in another order are the same table."""
    head, writer, reader = re.split(r"(?m)^  (?=writer|reader)", EXAMPLE)
    other = Source("roles.yaml", f"{head}  {reader}  {writer}")
    table = compile_table(read_policies(other, Source("routes.yaml", ROUTES)))
    assert digest(table) == digest(compile_table(example()))


def test_own_policies_pass_their_tests() -> None:
    """The project's policies do what `policies/tests.yaml` says, and every grant is looked at by a test."""
    table = compile_table(load_policies(ROOT / "policies"))
    _, cases = load_cases(ROOT / "policies" / "tests.yaml")
    verdicts = run_cases(table, cases)
    assert [verdict for verdict in verdicts if not verdict.is_met] == []
    coverage = measure(table, verdicts)
    assert coverage.uncovered_grants == []
    assert coverage.covered <= coverage.cells


def test_a_wrong_expectation_is_not_met() -> None:
    """An expected effect or reason that differs fails its case."""
    table = compile_table(load_policies(ROOT / "policies"))
    case = load_cases(ROOT / "policies" / "tests.yaml")[1][0]
    decision = decide(table, case.principal, case.request)
    assert decision["effect"] == "allow"
    for effect, reason in (("deny", None), ("allow", "route-unknown")):
        changed = replace(case, effect=effect, reason=reason)
        assert not run_cases(table, [changed])[0].is_met


def corpus_cases() -> list[Any]:
    files = sorted((ROOT / "tests" / "corpus").glob("*.json"))
    corpora = [json.loads(file.read_text("utf-8")) for file in files]
    return [(corpus["table"], case) for corpus in corpora for case in corpus["cases"]]


def test_every_decision_can_be_explained() -> None:
    """Each case of the corpus is explained in words that name its reason; only what can't change has no remedy."""
    explained = set()
    for table, case in corpus_cases():
        found = explain(table, case["principal"], case["request"])
        assert found.decision == case["decision"]
        assert found.text().startswith(f"{found.decision['effect']}: {found.decision['reason']}\n")
        assert "``" not in found.text() and "None" not in found.text()
        assert bool(found.change) == (found.decision["reason"] != "route-blocked")
        explained.add(found.decision["reason"])
    assert explained == set(get_args(Reason))


def test_explanation_of_a_missing_resource() -> None:
    """It names the rule to extend and who can open the page already."""
    table = compile_table(load_policies(ROOT / "policies"))
    analyst = {"issuer": "workforce", "claims": {"groups": ["bi-analysts"]}}
    text = explain(table, analyst, {"method": "GET", "path": "/api/dashboard/3"}).text()
    assert "why: rule `analyst-dashboards` allows `dashboard:view`, but not on dashboard 3" in text
    assert "add 3 to `dashboards` of `analyst-dashboards`" in text
    assert "ask somebody with role `exec`" in text


@pytest.mark.parametrize("name", ["roles.yaml", "routes.yaml", "tests.yaml"])
def test_own_files_hold_no_tabs(name: str) -> None:
    """YAML refuses tabs in some places and takes them in others: the project's files have none."""
    assert "\t" not in (ROOT / "policies" / name).read_text("utf-8")


def test_only_what_rules_decided_is_covered() -> None:
    """A malformed id or a query that nobody can read is refused whatever the rules say: it covers no cell."""
    table = compile_table(load_policies(ROOT / "policies"))
    case = load_cases(ROOT / "policies" / "tests.yaml")[1][0]

    def covered(method: str, path: str, **more: object) -> frozenset[tuple[str, str]]:
        request = {"method": method, "path": path, **more}
        verdict = Verdict(case=case, decision=decide_as(table, "engineer", request))
        return measure(table, [verdict]).covered

    assert covered("GET", "/api/dashboard/1") == {("engineer", "dashboard:view")}
    assert covered("GET", "/api/dashboard/99999") == {("engineer", "dashboard:view")}
    assert covered("GET", "/api/dashboard/one") == frozenset()
    assert covered("POST", "/api/dataset", query=None) == frozenset()
    assert covered("GET", "/api/collection/graph") == {("engineer", "admin:permissions")}
