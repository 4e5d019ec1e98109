"""Judges a stack by the guardrails, as the engine knows it: what is deployed, or what the next update would make."""

from __future__ import annotations

import json

from infra.guardrails import Finding, judge

from .engine import Engine


def judge_deployed(engine: Engine) -> list[Finding]:
    """The findings about what is deployed. Secrets stay encrypted, so what needs their text is advisory."""
    return judge(json.loads(engine.run("stack", "export")))


def judge_next(engine: Engine) -> list[Finding]:
    """The findings about what `pulumi up` would make; unknown values are advisory. Runs `pulumi preview`."""
    return judge(json.loads(engine.run("preview", "--json", "--show-sames")))
