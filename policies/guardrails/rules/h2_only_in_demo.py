"""Metabase's own H2 database is for trying out; in production its data is in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

from ..metabase import is_metabase, uses_h2
from ..model import Limits, Resource, Said, Stack, StackGuardrail, each, wrong

REMEDY = (
    "set `mbgate:metabase.runtime: external` and run Metabase on PostgreSQL or MySQL, or name the stack in "
    "`development_stacks` of policies/guardrails/limits.yaml"
)


def judge(stack: Stack, limits: Limits) -> Iterator[Said]:
    """Looks at the variables that tell Metabase where its database is."""
    if not stack.is_production(limits):
        return

    def container(one: Resource) -> Iterator[Said]:
        if is_metabase(one) and uses_h2(one):
            yield wrong(one, "keeps Metabase's data in H2, which a crash can break and nobody can back up live", REMEDY)

    yield from each(container, stack.of("docker:Container"))


GUARDRAIL = StackGuardrail(
    name="h2-only-in-demo",
    description="Metabase keeps its data in H2 only in the demo and in stacks for development.",
    judge=judge,
)
