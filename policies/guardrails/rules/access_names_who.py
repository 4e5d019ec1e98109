"""An Access policy that lets in says whom: a login method, a group, a named token, never everyone."""

from __future__ import annotations

from collections.abc import Iterator

from ..access import APPLICATION, POLICY, decision_of, inline_policies, selectors
from ..model import Resource, ResourceGuardrail, Said, wrong

LETS_IN = ("allow", "non_identity")


def judge(resource: Resource) -> Iterator[Said]:
    """`everyone` is fine only where something else is required of them too."""
    found = [decision_of(resource, resource.inputs)] if resource.kind == POLICY else list(inline_policies(resource))
    for one in found:
        if one.decision not in LETS_IN:
            continue
        if not one.includes:
            yield wrong(resource, "lets in, and names nobody", "say in `includes` whom")
        elif "everyone" in selectors(one.includes, "includes") and not one.requires:
            yield wrong(resource, "lets everyone in", "name a login method or a group in `includes`")


GUARDRAIL = ResourceGuardrail(
    name="access-names-who",
    description="Every Access policy that lets in says whom, and that isn't everyone.",
    kinds=(POLICY, APPLICATION),
    judge=judge,
)
