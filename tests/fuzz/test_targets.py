"""The fuzz targets without atheris: on every seed and every input that once failed; and they notice planted faults."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from infra.access.load import load_policies
from infra.errors import Fault, PolicyError
from tests.fuzz import fuzz_decisions, fuzz_queries, fuzz_roles, mutating
from tests.fuzz.judging import input_of
from tests.fuzz.loading import scratch
from tests.fuzz.run import TARGETS, summary, target
from tests.fuzz.words import dictionary

REGRESSIONS = sorted(file for file in (Path(__file__).parent / "regressions").glob("*/*") if file.is_file())


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    """Each target takes each of its seeds."""
    seeds = list(target(name).seeds())
    assert len(seeds) >= 5
    for seed in seeds:
        target(name).run(seed)


@pytest.mark.parametrize("file", REGRESSIONS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_regression(file: Path) -> None:
    """What once failed stays mended."""
    target(file.parent.name).run(file.read_bytes())


def test_seeds_reach_both_effects() -> None:
    """The properties of what is allowed aren't empty."""
    cases = [fuzz_decisions.case_of(seed) for seed in fuzz_decisions.seeds()]
    decisions = [fuzz_decisions.decide(fuzz_decisions.tables()[n], who, asked) for n, who, asked in cases]
    assert sum(decision["effect"] == "allow" for decision in decisions) > 50
    assert len({decision["reason"] for decision in decisions}) > 8


@pytest.mark.parametrize("name", ["decisions", "queries", "roles"])
def test_mutations_are_taken(name: str) -> None:
    """Changed seeds run, the same number changes alike, and nothing grows past the length that is allowed."""
    mutate = mutating.mutate_yaml if name == "roles" else mutating.mutate_fields
    seeds = list(target(name).seeds())
    changed = [mutate(seed, 9000, number, lambda data, most: data[:most]) for number, seed in enumerate(seeds)]
    assert changed == [mutate(seed, 9000, number, lambda data, most: data[:most]) for number, seed in enumerate(seeds)]
    assert sum(one != seed for one, seed in zip(changed, seeds, strict=True)) > len(seeds) // 4
    for one in changed:
        assert len(one) <= 9000
        target(name).run(one)


def test_a_wider_decision_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that lets a request pass which the rules don't allow fails, for each reason of a refusal."""
    real: Any = fuzz_decisions.decide
    reasons = set()
    for seed in fuzz_decisions.seeds():
        number, principal, request = fuzz_decisions.case_of(seed)
        decision = real(fuzz_decisions.tables()[number], principal, request)
        if decision["effect"] == "deny" and decision["reason"] not in reasons:
            reasons.add(decision["reason"])
            wider = {**decision, "effect": "allow", "reason": "rule-allowed"}
            monkeypatch.setattr(fuzz_decisions, "decide", lambda *_, wider=wider: wider)
            with pytest.raises(AssertionError, match="although"):
                fuzz_decisions.run(seed)
    assert len(reasons) > 8


def test_a_decision_of_only_one_side_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal in Python alone is a difference to the Worker's."""
    seed = next(seed for seed in fuzz_decisions.seeds() if b"bi-analysts" in seed and b"GET / \x1e" not in seed)
    refused = {"effect": "deny", "reason": "rule-denied"}
    monkeypatch.setattr(fuzz_decisions, "decide", lambda *_: refused)
    with pytest.raises(AssertionError, match="the Worker decides"):
        fuzz_decisions.run(seed)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ('{"database":1,"stages":[{"joins":[{"Na_ti-VE":"x"}]}]}', {"native": False, "database": "1"}),
        ('{"database":1,"type":"native","type":"query"}', {"native": False, "database": "1"}),
        ('{"database":1,"x":{"DATABASE":2}}', {"native": False, "database": "1"}),
        ('{"database":2}', {"native": False, "database": "1"}),
        ('{"database":1', {"native": False, "database": "1"}),
        ('{"database":1}', None),
    ],
)
def test_a_wrong_reading_is_noticed(monkeypatch: pytest.MonkeyPatch, body: str, read: Any) -> None:
    """Hidden SQL, a repeated key, a second database, another database, no JSON, and a refusal on one side alone."""
    monkeypatch.setattr(fuzz_queries, "read_query", lambda *_: read)
    with pytest.raises(AssertionError):
        fuzz_queries.run(input_of("query", fuzz_queries.JSON, body))


def test_a_table_that_holds_more_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An allow rule that doesn't stand in the file, and a deny rule that got lost."""
    real: Any = fuzz_roles.compile_table
    seed = next(seed for seed in fuzz_roles.seeds() if b"deny:" in seed)

    def altered(effect: str, change: Any) -> None:
        def compile_table(policies: Any) -> Any:
            table = real(policies)
            for role in table["roles"].values():
                role[effect] = change(role[effect])
            return table

        monkeypatch.setattr(fuzz_roles, "compile_table", compile_table)
        with pytest.raises(AssertionError):
            fuzz_roles.run(seed)

    altered("allow", lambda rules: [*rules, {"id": "x", "actions": ["admin:people"]}])
    altered("deny", lambda rules: [])


@pytest.mark.parametrize("lacking", ["file", "line", "column", "path", "help"])
def test_a_fault_without_a_place_is_noticed(monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    """Each of them must be there, and no other exception may escape."""
    whole: dict[str, Any] = {"file": str(scratch() / "roles.yaml"), "line": 1, "column": 1, "path": "$", "help": "do"}
    fault = Fault(code="c", message="m", **{**whole, lacking: None})

    def refuse(folder: Path) -> Any:
        raise PolicyError("no", faults=[fault])

    monkeypatch.setattr(fuzz_roles, "load_policies", refuse)
    with pytest.raises(AssertionError):
        fuzz_roles.run(b"x")
    monkeypatch.setattr(fuzz_roles, "load_policies", lambda folder: load_policies(Path(7)))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        fuzz_roles.run(b"x")


def test_words_are_plain() -> None:
    """libFuzzer refuses a dictionary with a line that it can't read, and then fuzzes nothing."""
    lines = dictionary().splitlines()
    assert len(lines) > 150 and all(line.isascii() and line[0] == line[-1] == '"' and len(line) > 2 for line in lines)


def test_summary() -> None:
    """Executions and growth, out of libFuzzer's log."""
    log = "#63\tINITED cov: 60 ft: 115 corp: 16/3899b\n#4205\tDONE   cov: 69 ft: 156 corp: 34/4711b lim: 5 exec/s: 2\n"
    assert summary(log) == "4,205 executions, edges 60 to 69, inputs 16 to 34"
    assert summary("") == "never started"


def test_every_target_is_run() -> None:
    """A new file is a new target."""
    files = {file.stem for file in Path(__file__).parent.glob("fuzz_*.py")}
    assert files == {f"fuzz_{name}" for name in TARGETS}
    assert all(importlib.import_module(f"tests.fuzz.{file}").seeds for file in files)
