"""What can't be made again, Metabase's data and the keys that read it, is protected from `pulumi destroy`."""

from __future__ import annotations

from collections.abc import Iterator

from ..metabase import data_volumes, is_metabase, uses_h2
from ..model import Limits, Resource, Said, Stack, StackGuardrail, each, wrong

KEYS = ("encryption-key", "admin-password")
REMEDY = "set `mbgate:metabase.protectData`"


def judge(stack: Stack, limits: Limits) -> Iterator[Said]:
    """Follows Metabase's container to the volume in which its database file is."""
    if not stack.is_production(limits):
        return

    def container(one: Resource) -> Iterator[Said]:
        if not is_metabase(one):
            return
        for key in stack.of("mbgate:GeneratedKey"):
            if key.name in KEYS and not key.protect:
                yield wrong(key, "isn't protected, and without it nobody can read Metabase's data", REMEDY)
        if not uses_h2(one):
            return
        volumes = data_volumes(stack, one)
        if not volumes:
            yield wrong(one, "keeps its data in no volume of this stack", "mount one, and protect it")
        for volume in volumes:
            if not volume.protect:
                yield wrong(volume, "holds Metabase's data and isn't protected", REMEDY)

    yield from each(container, stack.of("docker:Container"))


GUARDRAIL = StackGuardrail(
    name="data-protected",
    description="In production Metabase's data volume, and the keys that read it, are protected.",
    judge=judge,
)
