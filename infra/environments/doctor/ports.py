"""The local world's ports and parts."""

from __future__ import annotations

from infra.environments import processes
from infra.environments.choices import last_choices
from infra.environments.world import World, port_is_taken

from .model import Found, error, ok, skipped, warning
from .subject import Subject

# Offset from the first port → the part that listens there.
PARTS = ("edge", "cloudflare-api", "oidc-provider", "metabase", "edge", "edge")
ELSEWHERE = "stack `local` only"


def ports(subject: Subject) -> Found:
    """Whether each of the six ports is free, or taken by this world's own part."""
    world = subject.world
    if world is None:
        return skipped(ELSEWHERE)
    strange = [
        f"{world.port + offset} ({part})"
        for offset, part in enumerate(PARTS)
        if port_is_taken(world.port + offset) and not _runs(world, part)
    ]
    if strange:
        return error(
            "port-taken",
            f"another process listens on {', '.join(strange)}",
            "end it (ss -ltnp shows which), or choose others for a new world: MBGATE_PORT=9480 make demo",
        )
    return ok(f"{world.port} to {world.port + len(PARTS) - 1} are free or our own")


def parts(subject: Subject) -> Found:
    """Whether the local world runs; that there is none yet is fine."""
    world = subject.world
    if world is None:
        return skipped(ELSEWHERE)
    if not subject.has_world:
        return ok("no local world yet: `make demo` makes it")
    names = dict.fromkeys((*PARTS, "connector"))
    if last_choices(world).docker_host is not None:
        names = dict.fromkeys(name for name in names if name not in ("metabase", "connector"))
    stopped = [name for name in names if not _runs(world, name)]
    if len(stopped) == len(names):
        return ok("stopped: `make demo` starts it")
    if stopped:
        return warning(
            "part-stopped", f"{', '.join(stopped)} does not run", "run `make demo` again: it starts what lacks"
        )
    return ok("every part runs")


def _runs(world: World, name: str) -> bool:
    try:
        return processes.running_pid(world, name) is not None
    except (OSError, ValueError, KeyError, TypeError):
        return False
