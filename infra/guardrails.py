"""Judges a stack by the guardrails of `policies/guardrails`, from what Pulumi saved of it: no engine, no network.

Two documents will do: `pulumi stack export`, what is deployed, and `pulumi preview --json --show-sames`, what would be.
`pulumi preview --policy-pack policies/guardrails` and `pulumi policy analyze` run the same guardrails in the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from policies.guardrails.catalogue import guardrails
from policies.guardrails.model import Resource, Stack
from policies.guardrails.wire import read_value

from .errors import GuardrailError

Document = Mapping[str, Any]
GONE = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})
EXPORT, PREVIEW = "`pulumi stack export`", "`pulumi preview --json --show-sames`"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a guardrail says of a stack."""

    guardrail: str
    level: Literal["mandatory", "advisory"]
    """`mandatory`: violated. `advisory`: can't be judged yet, since a value is unknown or hidden."""
    resource: str
    """The resource's URN; empty for the stack as a whole."""
    message: str
    """What is wrong, on what, and what to do. It never holds a secret."""


def judge(document: Document) -> list[Finding]:
    """Every finding about a saved stack, violations first, then by guardrail and resource.

    Raises GuardrailError where the document is none of the two, or leaves out what doesn't change.
    """
    stack = Stack(_resource(state) for state in _states(document))
    findings = [
        Finding(
            guardrail=guardrail.name,
            level="advisory" if verdict.is_unjudged else "mandatory",
            resource=verdict.resource.urn if verdict.resource else "",
            message=verdict.message,
        )
        for guardrail in guardrails()
        for verdict in guardrail.run(stack)
    ]
    return sorted(findings, key=lambda one: (one.level != "mandatory", one.guardrail, one.resource, one.message))


def as_data(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings for JSON: `guardrail`, `level`, `resource`, `message`."""
    return [asdict(finding) for finding in findings]


def names() -> dict[str, str]:
    """Every guardrail with what it says, in one sentence."""
    return {guardrail.name: guardrail.description for guardrail in guardrails()}


def _states(document: Document) -> Iterator[Mapping[str, Any]]:
    if isinstance(deployment := document.get("deployment"), Mapping):
        # A resource that waits for its deletion is no longer part of the stack.
        yield from (state for state in deployment.get("resources") or [] if not state.get("delete"))
    elif isinstance(steps := document.get("steps"), list):
        _check_complete(document, steps)
        latest = {step["urn"]: step["newState"] for step in steps if step["op"] not in GONE and step.get("newState")}
        yield from latest.values()
    else:
        raise GuardrailError(
            "this is no saved stack", code="stack-document-unknown", help=f"save {EXPORT} or {PREVIEW} as JSON"
        )


def _check_complete(document: Document, steps: list[Mapping[str, Any]]) -> None:
    """A preview shows what changes, and guardrails judge all that there will be."""
    counted = (document.get("changeSummary") or {}).get("same", 0)
    shown = sum(step["op"] == "same" for step in steps)
    if shown < counted:
        raise GuardrailError(
            f"this preview leaves out {counted - shown} resources that don't change",
            code="preview-partial",
            help=f"save {PREVIEW}",
        )


def _resource(state: Mapping[str, Any]) -> Resource:
    made_of = state.get("propertyDependencies") or {}
    return Resource(
        urn=state["urn"],
        type=state["type"],
        inputs=read_value(state.get("inputs") or {}),
        protect=bool(state.get("protect")),
        uses={name: frozenset(urns or ()) for name, urns in made_of.items()},
    )
