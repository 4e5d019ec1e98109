"""Each guardrail by itself: what it lets pass, what it refuses, and what it can't judge before the deployment."""

from __future__ import annotations

import pytest

from policies.guardrails.catalogue import guardrails
from tests.guardrails import cases_access, cases_containers, cases_workers
from tests.guardrails.cases import Case
from tests.guardrails.stacks import good

BY_NAME = {guardrail.name: guardrail for guardrail in guardrails()}
CASES = {**cases_workers.CASES, **cases_access.CASES, **cases_containers.CASES}


def test_every_guardrail_has_its_three_cases() -> None:
    assert len(BY_NAME) >= 15
    assert set(CASES) == set(BY_NAME)
    lacking = {name for name, cases in CASES.items() if {case.says for case in cases} != {"nothing", "wrong", "waits"}}
    assert lacking == set()


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_good_stack_keeps_it(name: str) -> None:
    assert BY_NAME[name].run(good().build()) == []


@pytest.mark.parametrize(
    ("name", "case"), [pytest.param(n, c, id=f"{n}: {c.name}") for n, cases in CASES.items() for c in cases]
)
def test_case(name: str, case: Case) -> None:
    draft = good()
    case.change(draft)
    verdicts = BY_NAME[name].run(draft.build())
    assert not any(secret in verdict.message for verdict in verdicts for secret in ("k3y-k3y", "hunter2"))
    if case.says == "nothing":
        assert verdicts == []
        return
    is_unjudged = case.says == "waits"
    said = [verdict for verdict in verdicts if verdict.is_unjudged == is_unjudged]
    assert any(case.words in verdict.message for verdict in said), [verdict.message for verdict in verdicts]
    # The message says which resource, and for a violation what to do.
    for verdict in said:
        assert verdict.resource is not None
        assert f"`{verdict.resource.name}`" in verdict.message
        assert is_unjudged or ": " in verdict.message
    if is_unjudged:
        assert [verdict.message for verdict in verdicts if not verdict.is_unjudged] == []


def test_what_waits_keeps_no_violation_back() -> None:
    draft = good()
    draft["people"].update(decision="bypass")
    draft["origin-policy"].update(decision="04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    verdicts = BY_NAME["no-bypass-policy"].run(draft.build())
    assert [verdict.is_unjudged for verdict in verdicts] == [False, True]
