"""The decision in Python: the corpus, and what holds for every table and request."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.access.decide import Reason, decide, decide_as
from tests.access.tables import situations

CORPUS = Path(__file__).parents[1] / "corpus"
FILES = sorted(CORPUS.glob("*.json"))
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def corpus_cases() -> list[Any]:
    found = []
    for file in FILES:
        corpus = json.loads(file.read_text("utf-8"))
        found += [pytest.param(corpus["table"], case, id=f"{file.stem}: {case['name']}") for case in corpus["cases"]]
    return found


@pytest.mark.parametrize(("table", "case"), corpus_cases())
def test_corpus(table: dict[str, Any], case: dict[str, Any]) -> None:
    """Every case of the corpus is decided as written."""
    assert decide(table, case["principal"], case["request"]) == case["decision"]


@pytest.mark.parametrize(("table", "case"), corpus_cases())
def test_corpus_as_a_role(table: dict[str, Any], case: dict[str, Any]) -> None:
    """Who has a role is judged the same without the claims that gave it; a malformed path is one for every role."""
    decision = case["decision"]
    if decision["role"] is not None:
        assert decide_as(table, decision["role"], case["request"]) == decision
    for role in table["roles"] if decision["reason"] == "path-malformed" else ():
        assert decide_as(table, role, case["request"]) == decision


def test_corpus_names_every_reason() -> None:
    """Each reason code is shown by a case, and the corpus has no code of its own."""
    shown = {case.values[1]["decision"]["reason"] for case in corpus_cases()}
    assert shown == set(get_args(Reason))


def test_corpus_names_are_unique() -> None:
    """A failing case can be found by its file and name."""
    ids = [case.id for case in corpus_cases()]
    assert len(set(ids)) == len(ids) >= 120


@BOUNDED
@given(situations())
def test_removing_allow_rules_never_allows_more(situation: dict[str, Any]) -> None:
    """Without allow rules nothing is allowed: deny is the default."""
    table = copy.deepcopy(situation["table"])
    for role in table["roles"].values():
        role["allow"] = []
    for case in situation["cases"]:
        assert decide(table, case["principal"], case["request"])["effect"] == "deny"


@BOUNDED
@given(situations(), st.data())
def test_a_further_deny_rule_never_allows_more(situation: dict[str, Any], data: st.DataObject) -> None:
    """A deny rule without resources turns every decision on its action into a deny."""
    before = [decide(situation["table"], case["principal"], case["request"]) for case in situation["cases"]]
    action = data.draw(st.sampled_from(sorted(situation["table"]["actions"])))
    table = copy.deepcopy(situation["table"])
    for role in table["roles"].values():
        role["deny"].append({"id": "further", "actions": [action]})
    for case, old in zip(situation["cases"], before, strict=True):
        new = decide(table, case["principal"], case["request"])
        if old["effect"] == "deny" or action in old["actions"]:
            assert new["effect"] == "deny"
        else:
            assert new == old


@BOUNDED
@given(situations())
def test_an_allowed_request_names_a_rule_of_its_role(situation: dict[str, Any]) -> None:
    """The rule of an allow is one of the role's, and names the last action."""
    for case in situation["cases"]:
        decision = decide(situation["table"], case["principal"], case["request"])
        if decision["effect"] == "allow":
            rules = {rule["id"]: rule for rule in situation["table"]["roles"][decision["role"]]["allow"]}
            assert decision["actions"][-1] in rules[decision["rule"]]["actions"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@BOUNDED
@given(JSON, JSON, JSON, JSON, JSON)
def test_anything_else_is_a_deny(issuer: Any, claims: Any, method: Any, path: Any, query: Any) -> None:
    """Whatever arrives in place of claims, method, path and query, the answer is a deny, never an exception."""
    table = json.loads((CORPUS / "rules.json").read_text("utf-8"))["table"]
    decision = decide(table, {"issuer": issuer, "claims": claims}, {"method": method, "path": path, "query": query})
    assert decision["effect"] == "deny"
