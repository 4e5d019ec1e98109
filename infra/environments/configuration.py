"""The local stack's configuration file: the checkout's own, with this world's ports, choices and secrets."""

from __future__ import annotations

from typing import Any

import yaml

from .choices import Choices
from .containers import Images
from .world import DEFAULT_PORT, STACK, World, write_private

ORIGIN_HOSTNAME = "origin.localhost"
STAND_IN_MB = 512
METABASE_MB = 2048


def write_config(world: World, salt: str | None, choices: Choices, images: Images | None) -> None:
    """Copies `Pulumi.local.yaml` out of the checkout with this world's ports, and with the `images` of its containers.

    Salt and secrets of an earlier copy are kept, unless the stack is new and brings a `salt` of its own.
    """
    target = world.folder / f"Pulumi.{STACK}.yaml"
    kept = yaml.safe_load(target.read_text()) if target.exists() else {}
    text = (world.root / f"Pulumi.{STACK}.yaml").read_text()
    for offset in range(6):
        text = text.replace(f":{DEFAULT_PORT + offset}", f":{world.port + offset}")
    document = yaml.safe_load(text)
    document["config"]["mbgate:identity"]["mode"] = choices.identity
    if choices.private_path == "hostname":
        document["config"]["mbgate:origin"] = {"privatePath": "hostname", "hostname": ORIGIN_HOSTNAME}
    if images is not None:
        document["config"].update(_container_settings(world, choices, images))
        document["config"]["mbgate:metabase"].update(_metabase_settings(images))
    if salt is None:
        secrets = {k: v for k, v in kept.get("config", {}).items() if isinstance(v, dict) and set(v) == {"secure"}}
        document["config"].update(secrets)
    document["encryptionsalt"] = salt or kept["encryptionsalt"]
    write_private(target, yaml.safe_dump(document, sort_keys=False))


def _container_settings(world: World, choices: Choices, images: Images) -> dict[str, Any]:
    return {
        "mbgate:docker": {"host": choices.docker_host, "scope": world.scope},
        "mbgate:connector": {"image": images.connector, "edgeSocket": str(world.edge_socket)},
        "mbgate:sidecar": {"image": images.sidecar},
    }


def _metabase_settings(images: Images) -> dict[str, Any]:
    memory = STAND_IN_MB if images.is_stand_in else METABASE_MB
    return {
        "runtime": "docker",
        "image": images.metabase,
        "digest": images.digest,
        "memoryMb": memory,
        "protectData": False,
    }
