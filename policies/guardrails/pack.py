"""The guardrails as a policy pack of Pulumi's engine: `pulumi preview --policy-pack policies/guardrails`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pulumi_policy
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from .catalogue import guardrails
from .model import Guardrail, Resource, ResourceGuardrail, Stack, StackGuardrail, Verdict
from .wire import read_value

NAME = "mbgate-guardrails"
Report = Callable[..., None]


class Memory:
    """The inputs of every resource, as the engine gave them one by one.

    What it gives of the whole stack are outputs, of which a preview lacks many, and which real providers fill with
    values that nobody declared.
    """

    def __init__(self) -> None:
        self._inputs: dict[str, dict[str, Any]] = {}

    def note(self, urn: str, inputs: dict[str, Any]) -> None:
        """Remembers a resource's inputs; those of a preview give way to those of the update."""
        self._inputs[urn] = inputs

    def inputs(self, urn: str, outputs: Any) -> dict[str, Any]:
        """The inputs; outputs for what the engine kept as it is without showing it, as with `--target`."""
        return self._inputs[urn] if urn in self._inputs else plain(outputs)


def plain(value: Any) -> Any:
    """The engine's values without the SDK's wrappers, which raise on the first unknown value."""
    if isinstance(value, Mapping):
        raw = value["__target"] if not isinstance(value, dict) else value
        return {key: plain(inner) for key, inner in raw.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        raw = value["__target"] if not isinstance(value, list | tuple) else value  # type: ignore[call-overload]
        return [plain(inner) for inner in raw]
    return value


def see_secrets() -> None:
    """Lets the SDK leave it seen what is secret: it takes the marks off, and a guardrail looks for them.

    Raises AttributeError where another version of the SDK has no such function.
    """
    module: Any = pulumi_policy.policy
    own = module.deserialize_properties

    def deserialize(properties: dict[str, Any], proxy_secrets: bool = False) -> Any:
        # With it the SDK keeps secrets itself, for remediations, of which this pack has none.
        return own(properties, True) if proxy_secrets else {key: read_value(v) for key, v in properties.items()}

    module.deserialize_properties = deserialize


def policies() -> list[Policy]:
    """Each guardrail as a policy; what a resource keeps by itself is judged before it is made."""
    memory = Memory()
    return [_policy(guardrail, memory) for guardrail in guardrails()]


def run() -> None:
    """Serves the pack to the engine until that ends it."""
    see_secrets()
    PolicyPack(name=NAME, policies=policies(), enforcement_level=EnforcementLevel.MANDATORY)


def _policy(guardrail: Guardrail, memory: Memory) -> Policy:
    if isinstance(guardrail, ResourceGuardrail):
        return ResourceValidationPolicy(
            name=guardrail.name, description=guardrail.description, validate=_of_resource(guardrail, memory)
        )
    return StackValidationPolicy(
        name=guardrail.name, description=guardrail.description, validate=_of_stack(guardrail, memory)
    )


def _of_resource(guardrail: ResourceGuardrail, memory: Memory) -> Callable[[ResourceValidationArgs, Report], None]:
    def validate(args: ResourceValidationArgs, report: Report) -> None:
        inputs = plain(args.props)
        memory.note(args.urn, inputs)
        resource = Resource(urn=args.urn, type=args.resource_type, inputs=inputs, protect=args.opts.protect)
        _tell(guardrail.run(Stack([resource])), report)

    return validate


def _of_stack(guardrail: StackGuardrail, memory: Memory) -> Callable[[StackValidationArgs, Report], None]:
    def validate(args: StackValidationArgs, report: Report) -> None:
        resources = [
            Resource(
                urn=one.urn,
                type=one.resource_type,
                inputs=memory.inputs(one.urn, one.props),
                protect=one.opts.protect,
                uses={name: frozenset(used.urn for used in all_) for name, all_ in one.property_dependencies.items()},
            )
            for one in args.resources
        ]
        _tell(guardrail.run(Stack(resources)), report)

    return validate


def _tell(verdicts: Iterable[Verdict], report: Report) -> None:
    """Reports violations, then by the SDK's own means that something couldn't be judged: a note, no violation."""
    unjudged = []
    for verdict in verdicts:
        if verdict.is_unjudged:
            unjudged.append(verdict.message)
        else:
            report(verdict.message, verdict.resource.urn if verdict.resource else None)
    if unjudged:
        error = UnknownValueError(UNKNOWN_STRING_VALUE, [])
        error.message = "; ".join(unjudged)
        raise error
