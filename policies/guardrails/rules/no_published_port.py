"""No container opens a port on its host: the only way to Metabase is the Tunnel."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Resource, ResourceGuardrail, Said, wrong

REMEDY = "remove it; people come by the gateway, the deployment by `metabase.adminHostname`"


def judge(resource: Resource) -> Iterator[Said]:
    """Looks at every way in which Docker gives a port of the host to a container or service."""
    if resource.items("ports"):
        yield wrong(resource, "publishes a port", REMEDY)
    if resource.items("endpointSpec.ports"):
        yield wrong(resource, "publishes a port of the swarm", REMEDY)
    if resource.get("publishAllPorts"):
        yield wrong(resource, "publishes every port that its image names (`publishAllPorts`)", REMEDY)
    if resource.get("networkMode") == "host":
        yield wrong(resource, "is on the host's own network, where each of its ports is open", REMEDY)


GUARDRAIL = ResourceGuardrail(
    name="no-published-port",
    description="No container publishes a port.",
    kinds=("docker:Container", "docker:Service"),
    judge=judge,
)
