"""What a local world tries out; kept with it, so that a later run goes on with the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from infra.errors import LocalCloudError

from . import containers
from .toolchain import Report
from .world import World, write_private


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the local stack tries out: who signs people in, the private path, and what Metabase runs in.

    `runtime` is `docker`, `processes`, or `auto`: Docker where an engine answers. `metabase` is `image`, `stand-in` or,
    as long as nothing is deployed, `auto`.
    """

    identity: str = "oidc"
    private_path: str = "vpc"
    runtime: str = "auto"
    metabase: str = "auto"
    docker_host: str | None = None


def last_choices(world: World) -> Choices:
    """What the last run was started with, or the defaults."""
    file = world.folder / "choices.json"
    return Choices(**json.loads(file.read_text())) if file.exists() else Choices()


def keep_choices(world: World, choices: Choices) -> None:
    """Writes them down for the next run."""
    write_private(world.folder / "choices.json", json.dumps(asdict(choices)))


def with_runtime(choices: Choices, report: Report) -> Choices:
    """The choices with `auto` decided; a world that was made with an engine is not half moved to another place."""
    known = choices.docker_host
    if choices.runtime == "processes":
        if known is not None:
            raise LocalCloudError(
                "this local world's Metabase runs in containers, with its data",
                code="runtime-fixed",
                help="destroy it first: `mbgate local down`; or go on with `--runtime docker`",
            )
        return choices
    host = containers.find_engine(known)
    if choices.runtime == "auto" and known is None:
        report(f"Docker engine: {host}" if host else "no Docker engine answers: Metabase runs as a process")
        return replace(choices, runtime="docker" if host else "processes", docker_host=host)
    if host is None:
        raise LocalCloudError(
            f"the Docker engine{f' `{known}`' if known else ''} does not answer, which this local world needs",
            code="docker-missing",
            help="start it; or, on a new world, choose `mbgate local up --runtime processes`",
        )
    return replace(choices, runtime="docker", docker_host=host)
