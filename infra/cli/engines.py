"""Which engine a command works on: the local world's, or the user's own."""

from __future__ import annotations

from pathlib import Path

from infra.environments import local
from infra.environments.engine import Engine
from infra.environments.recovery.stack import user_engine
from infra.environments.toolchain import obtain_cli
from infra.environments.world import STACK, open_world
from infra.errors import DeployError


def engine_of(root: Path, stack: str) -> Engine:
    """The engine on that stack. Raises DeployError where there is no such stack to work on."""
    cli = obtain_cli(lambda _: None).path
    if stack == STACK:
        world = open_world(root)
        if not (world.folder / "pulumi" / ".pulumi").exists():
            raise DeployError(
                "there is no local world to work on", code="stack-unknown", help="run `make demo`, or name a --stack"
            )
        return local.open_engine(world, cli, lambda _: None)
    engine = user_engine(root, stack, cli)
    if not engine.config_file.exists():
        raise DeployError(
            f"there is no `Pulumi.{stack}.yaml` in `{root}`",
            code="stack-unknown",
            help="name a stack of this project, as dev: `--stack dev`",
        )
    return engine
