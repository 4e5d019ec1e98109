"""The guardrails on a stack with real containers."""

from __future__ import annotations

import json

import pytest

from infra.guardrails import judge
from tests.demo.conftest import ROOT, Demo

pytestmark = [pytest.mark.docker, pytest.mark.demo]


def test_the_containers_keep_every_guardrail(contained: Demo) -> None:
    """In the engine, which knows every secret, without a note; from the saved state but for what is encrypted there."""
    said = contained.pulumi("preview", "--policy-pack", str(ROOT / "policies" / "guardrails"))
    assert "[mandatory]" not in said
    assert "[advisory]" not in said
    found = judge(json.loads(contained.pulumi("stack", "export")))
    assert {(finding.guardrail, finding.level) for finding in found} == {("no-inline-secret", "advisory")}
    assert all("secrets can't be read here" in finding.message for finding in found)
