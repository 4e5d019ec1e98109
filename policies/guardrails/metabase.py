"""How a container is known for Metabase, and where it keeps its data (Metabase: "Environment variables")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import NotYetKnown, Resource, Stack, dig, known

ELSEWHERE = ("MB_DB_HOST", "MB_DB_CONNECTION_URI", "MB_DB_CONNECTION_URI_FILE")
DEFAULT_FILE = "/metabase.db/metabase.db"


def variables(container: Resource) -> tuple[Mapping[str, str], bool]:
    """The container's known variables, and whether these are all of them."""
    found, is_complete = {}, True
    for index, entry in enumerate(container.items("envs")):
        try:
            name, _, value = str(known(entry, f"envs[{index}]")).partition("=")
            found[name] = value
        except NotYetKnown:
            is_complete = False
    return found, is_complete


def is_metabase(container: Resource) -> bool:
    """True where the variables are Metabase's; what it is called doesn't count."""
    return any(name.startswith("MB_") for name in variables(container)[0])


def uses_h2(container: Resource) -> bool:
    """True where nothing names another database; raises NotYetKnown where an unknown variable might."""
    found, is_complete = variables(container)
    kind = found.get("MB_DB_TYPE")
    if kind is not None:
        return kind == "h2"
    if any(name in found for name in ELSEWHERE):
        return False
    if "MB_DB_FILE" in found or is_complete:
        return True
    raise NotYetKnown("envs")


def data_volumes(stack: Stack, container: Resource) -> list[Resource]:
    """The volumes that hold Metabase's H2 database; raises NotYetKnown."""
    file = variables(container)[0].get("MB_DB_FILE", DEFAULT_FILE)
    names: list[Any] = []
    for index, mount in enumerate(container.items("volumes")):
        folder = str(dig(mount, "containerPath", f"volumes[{index}]"))
        if file.startswith(folder.rstrip("/") + "/"):
            names.append(dig(mount, "volumeName", f"volumes[{index}]"))
    used = stack.used_by(container, "volumes", "docker:Volume")
    known_by_name = [one for one in stack.of("docker:Volume") if one.inputs.get("name") in names]
    return known_by_name or [one for one in used if one.name in names]
