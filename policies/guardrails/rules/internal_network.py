"""Containers are on internal networks, which have no way out and none in; only the connector may dial out."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Limits, Resource, Said, Stack, StackGuardrail, each, known, wrong

ISOLATED = ("none",)


def judge(stack: Stack, _: Limits) -> Iterator[Said]:
    """A network that isn't internal may have the Tunnel's connector on it, and nobody else."""
    open_networks = [network for network in stack.of("docker:Network") if network.inputs.get("internal") is not True]

    def on_internal(container: Resource) -> Iterator[Said]:
        if container.get("networkMode") in ISOLATED:
            return
        attached = container.items("networksAdvanced")
        if not attached:
            yield wrong(container, "is on Docker's default network", "name an internal one in `networks_advanced`")
        if is_connector(container):
            return
        names = {known(known(entry, f"networksAdvanced[{i}]")["name"], "name") for i, entry in enumerate(attached)}
        used = stack.used_by(container, "networksAdvanced", "docker:Network")
        for network in open_networks:
            if network in used or network.inputs.get("name") in names:
                problem = f"is on network `{network.name}`, which isn't internal"
                yield wrong(container, problem, "set `internal=True` there, or leave that network to the connector")

    yield from each(on_internal, stack.of("docker:Container"))


def is_connector(container: Resource) -> bool:
    """True for cloudflared running a Tunnel; raises NotYetKnown."""
    command = [known(word, f"command[{index}]") for index, word in enumerate(container.items("command"))]
    return "tunnel" in command and "run" in command


GUARDRAIL = StackGuardrail(
    name="internal-network",
    description="Every container but the Tunnel's connector is on internal networks only.",
    judge=judge,
)
