"""The large policies are free of faults and mean what their tests say; the bench measures, judges and reports."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from infra.access.cases import load_cases, run_cases
from infra.access.decide import decide
from infra.access.load import load_policies
from infra.access.table import compile_table
from tests.bench.checking import check_rows, measure_checks, sizes_of
from tests.bench.deciding import SAMPLE, measure_decisions, verify
from tests.bench.figures import Estimate, growth, ratio
from tests.bench.generator import FULL, SKEWED, Size, make_roles, write_policies
from tests.bench.mix import common_mix
from tests.bench.report import Row, is_failed, records, text_of

ROOT = Path(__file__).parents[2]
SMALL = [FULL.part(8), SKEWED.part(8), Size(roles=4, rules=60, resources=160), Size(roles=1, rules=8, resources=80)]
SHAPES = {shape: Size(roles=16, rules=400, resources=3200, skew=skew) for shape, skew in (("even", 0), ("skewed", 0.2))}


def quiet(text: str) -> None:
    """No progress."""


@pytest.mark.parametrize("size", SMALL, ids=str)
def test_generated_policies_have_no_fault(size: Size, tmp_path: Path) -> None:
    """As many roles, rules and resources as asked for; every policy test of theirs passes, for each kind of answer."""
    write_policies(tmp_path, size)
    policies = load_policies(tmp_path)
    table = compile_table(policies)
    verdicts = run_cases(table, load_cases(tmp_path / "tests.yaml")[1])
    assert [one.case for one in verdicts if not one.is_met] == []
    assert len(policies.roles) == size.roles
    assert len({role.landing for role in policies.roles}) == size.roles
    rules = [rule for role in policies.roles for rule in (*role.allow, *role.deny)]
    assert len(rules) == size.rules
    assert all(role.deny for role in policies.roles)


@pytest.mark.parametrize("size", [FULL, SKEWED], ids=["even", "skewed"])
def test_every_resource_is_listed_several_times(size: Size) -> None:
    """At full size, and at the smallest of the four."""
    for part in (size, size.part(8)):
        roles = make_roles(part)
        rules = [rule for role in roles for rule in role.allow]
        listed = Counter((rule.kind, one) for rule in rules for one in rule.ids or ())
        assert len(listed) == part.resources
        assert min(listed.values()) >= 2
        assert max(len(role.allow) + len(role.deny) for role in roles) >= part.rules * (part.skew or 1 / part.roles)


def test_policies_are_the_same_each_time(tmp_path: Path) -> None:
    """Byte for byte."""
    for name in ("one", "other"):
        write_policies(tmp_path / name, SHAPES["even"])
    for file in ("roles.yaml", "tests.yaml"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_the_mix_is_the_same_on_both_tables(tmp_path: Path) -> None:
    """Reason by reason; each case is decided as the mix says; half of it is allowed."""
    write_policies(tmp_path, SHAPES["even"])
    tables = [compile_table(load_policies(folder)) for folder in (tmp_path, ROOT / "policies")]
    mixes, missing = common_mix(tables)
    reasons = [[case["expected"]["reason"] for case in mix["mix"]] for mix in mixes]
    assert reasons[0] == reasons[1]
    assert reasons[0].count("rule-allowed") * 2 == len(reasons[0])
    assert len(set(reasons[0])) >= 10 and not set(reasons[0]) & set(missing)
    for table, mix in zip(tables, mixes, strict=True):
        for case in mix["mix"]:
            assert decide(table, case["principal"], case["request"]) == case["expected"]
    roles = {case["expected"]["role"] for case in mixes[0]["mix"]} - {None}
    assert roles == set(tables[0]["roles"])


def test_growth_is_told_from_growth() -> None:
    """Linear and n log n times are met, quadratic ones not, whatever fixed part they have."""
    sizes = (625, 1250, 2500, 5000)
    limit = growth({n: [float(n)] * 5 for n in sizes}, [0.0] * 5).nlogn
    assert 1.1 < limit < 1.2
    for cost, verdict in (
        (lambda n: n / 1e4, "met"),
        (lambda n: n**2 / 1e8, "not met"),
        (lambda n: n**1.3 / 1e5, "not met"),
    ):
        noise = (1.0, 1.01, 0.99, 1.02, 0.98)
        grown = growth({n: [0.05 + cost(n) * one for one in noise] for n in sizes}, [0.05] * 5)
        assert grown.exponent.verdict(limit) == verdict
    quadratic = growth({n: [n**2.0] * 5 for n in sizes}, [0.0] * 5)
    assert math.isclose(quadratic.exponent.value, 2) and math.isclose(quadratic.doubling, 4)
    assert growth({n: [n * math.log2(n)] * 5 for n in sizes}, [0.0] * 5).line_r2 > 0.9999


def test_ratios_are_of_the_same_round() -> None:
    """What slows both in one round leaves the ratio; the interval holds it."""
    small = [1.0, 2.0, 1.0, 4.0, 1.5]
    found = ratio([one * 3 for one in small], small)
    assert (found.value, found.low, found.high) == (3, 3, 3)
    wide = ratio([3.0, 1.0, 2.0, 1.2, 2.5], [1.0] * 5)
    assert wide.low < wide.value < wide.high
    assert wide.verdict(1.5) == "not resolved"


def test_only_what_is_not_met_fails() -> None:
    """An interval that straddles its limit is told, and fails nothing."""
    verdicts = [
        Estimate(value=1.0, low=low, high=high).verdict(1.5) for low, high in ((0.9, 1.5), (1.4, 1.6), (1.6, 2))
    ]
    assert verdicts == ["met", "not resolved", "not met"]
    rows = [Row(what="one", figure="1", limit="2", verdict=verdict) for verdict in verdicts]
    assert not is_failed(rows[:2]) and is_failed(rows)


def test_measuring_and_reporting(tmp_path: Path) -> None:
    """The whole way at small sizes: processes, workerd, rows and data; nothing here judges a time."""
    shapes = {"skewed": SHAPES["skewed"]}
    rows, data = check_rows(shapes, measure_checks(tmp_path, sizes_of(shapes), 2, quiet))
    tables = {shape: compile_table(load_policies(tmp_path / f"{shape}-1")) for shape in shapes}
    tables[SAMPLE] = compile_table(load_policies(ROOT / "policies"))
    decided, decisions = measure_decisions(tables, 4, quiet, seconds=0.001)
    text = text_of("title", [*rows, *decided])
    for words in (
        "check, skewed",
        "memory, skewed",
        "n log n",
        "decision, skewed to sample",
        "rule-denied",
        "start-up",
    ):
        assert words in text
    assert json.loads(json.dumps({"rows": records(rows), "check": data, "decisions": decisions}))
    assert decisions["skewed"]["mix"]["seconds"]["median"] > 0
    assert all(row.verdict for row in [*rows, *decided] if row.limit)


def test_a_decision_that_differs_is_refused() -> None:
    """The bench measures no Worker that decides otherwise than Python."""

    class Wrong:
        decisions = staticmethod(lambda name, group: [{"effect": "allow"}])

    table = compile_table(load_policies(ROOT / "policies"))
    case = {"principal": {}, "request": {}, "expected": decide(table, {}, {"path": "/"})}
    with pytest.raises(RuntimeError, match="role-not-mapped"):
        verify(Wrong(), {"sample": {"mix": [case]}})  # type: ignore[arg-type]
