"""No Access policy lets people through without looking (decision `bypass`)."""

from __future__ import annotations

from collections.abc import Iterator

from ..access import APPLICATION, POLICY, decision_of, inline_policies
from ..model import Resource, ResourceGuardrail, Said, wrong

REMEDY = "remove it; what needs no sign-in doesn't belong on this hostname"


def judge(resource: Resource) -> Iterator[Said]:
    """Policies by themselves, and those that are written into an application."""
    found = [decision_of(resource, resource.inputs)] if resource.kind == POLICY else list(inline_policies(resource))
    if any(one.decision == "bypass" for one in found):
        yield wrong(resource, "bypasses Access: whoever it includes is asked nothing", REMEDY)
    if resource.kind == APPLICATION and resource.get("optionsPreflightBypass"):
        yield wrong(resource, "lets OPTIONS requests bypass Access (`options_preflight_bypass`)", REMEDY)


GUARDRAIL = ResourceGuardrail(
    name="no-bypass-policy",
    description="No Access policy or application bypasses sign-in.",
    kinds=(POLICY, APPLICATION),
    judge=judge,
)
