"""The Worker that holds Metabase's admin key has no address, so nobody can ask it anything but the gateway."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Limits, Resource, Said, Stack, StackGuardrail, each, wrong
from ..workers import ROUTES, VERSION, binding_names, versions_of, worker_of

ADMIN_KEY = "METABASE_API_KEY"


def judge(stack: Stack, _: Limits) -> Iterator[Said]:
    """From each route to its Worker, to the bindings of the Worker's versions."""

    def route(one: Resource) -> Iterator[Said]:
        worker = worker_of(stack, one, "service" if "service" in one.inputs else "script")
        versions = versions_of(stack, worker) if worker else []
        if any(ADMIN_KEY in binding_names(version, "secret_text") for version in versions):
            problem = "leads to a Worker that holds Metabase's admin key"
            yield wrong(one, problem, f"leave `{ADMIN_KEY}` to the broker, which is asked by a service binding only")

    def version(one: Resource) -> Iterator[Said]:
        for kind in ("plain_text", "json"):
            if ADMIN_KEY in binding_names(one, kind):
                yield wrong(one, f"holds Metabase's admin key as `{kind}`", "make it a `secret_text` of the broker")

    yield from each(route, stack.of(*ROUTES))
    yield from each(version, stack.of(VERSION))


GUARDRAIL = StackGuardrail(
    name="broker-without-route",
    description="No public route leads to the Worker that holds Metabase's admin key.",
    judge=judge,
)
