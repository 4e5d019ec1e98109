"""The page says what the pack holds."""

from __future__ import annotations

import re
from pathlib import Path

from policies.guardrails.catalogue import guardrails
from policies.guardrails.model import read_limits

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guardrails.md").read_text()


def test_the_table_is_the_pack() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(guardrail.name, guardrail.description) for guardrail in guardrails()]


def test_every_guardrail_that_the_pages_name_is_one() -> None:
    names = {guardrail.name for guardrail in guardrails()}
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", PAGE))
    assert named == {name for name in names if "-" in name}
    assert "Twenty rules" in (ROOT / "README.md").read_text()
    assert len(names) == 20


def test_sessions_of_the_samples_are_within_the_limits() -> None:
    limits = read_limits()
    for sample in ROOT.glob("Pulumi.*.yaml"):
        for name, most in (("idle", limits.session_idle_seconds), ("absolute", limits.session_absolute_seconds)):
            found = re.search(rf"{name}Seconds: (\d+)", sample.read_text())
            assert found is None or int(found[1]) <= most, sample.name
