"""The local world's Docker engine: whether one answers, the images that the stack takes, and how its containers do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from infra.errors import LocalCloudError
from infra.naming import docker_name
from infra.settings import MetabaseSettings

from .toolchain import Report
from .world import STACK, World

SOCKET = "unix:///var/run/docker.sock"
METABASE_IMAGE = str(MetabaseSettings.model_fields["image"].default)
PARTS = ("connector", "sidecar", "metabase")


@dataclass(frozen=True, kw_only=True)
class Images:
    """The images that the local stack's containers are made of, and the digest of Metabase's where it was pulled."""

    metabase: str
    connector: str
    sidecar: str
    digest: str = ""

    @property
    def is_stand_in(self) -> bool:
        """True where Metabase's own image could not be had."""
        return not self.digest


def find_engine(known: str | None = None) -> str | None:
    """The address of the Docker engine, where it answers; None where it doesn't.

    The `known` one, else that of MBGATE_DOCKER_HOST, DOCKER_HOST or the usual socket.
    """
    env = os.environ
    host = known or env.get("MBGATE_DOCKER_HOST") or env.get("DOCKER_HOST") or SOCKET
    return host if answers(host) else None


def answers(host: str) -> bool:
    """True where an engine answers at that address."""
    try:
        with closing(docker.DockerClient(base_url=host, timeout=10)) as client:
            return bool(client.ping())
    except (DockerException, OSError):
        return False


def obtain_images(world: World, host: str, report: Report, *, stand_in: bool) -> Images:
    """Metabase's own image where it can be pulled, else the stand-in's; the others' from this machine's files.

    `stand_in` asks for the stand-in in any case: a world keeps the Metabase that it was made with. Cloudflare's
    connector speaks to Cloudflare's edge alone, so the local cloud always has its own.
    """
    done = subprocess.run(
        [sys.executable, "-m", "localcloud.images", "--host", host],
        cwd=world.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalCloudError(f"the images can't be made: {done.stderr.strip()[-300:]}", code="images-not-made")
    made = json.loads(done.stdout)
    report(f"images: {', '.join(made.values())}")
    digest = None
    if not stand_in:
        report(f"looking for {METABASE_IMAGE}")
        digest = _pull(host)
        report("it can't be pulled here: taking the stand-in" if digest is None else f"found, {digest}")
    return Images(
        metabase=made["metabase"] if digest is None else METABASE_IMAGE,
        connector=made["connector"],
        sidecar=made["node"],
        digest=digest or "",
    )


def _pull(host: str) -> str | None:
    """The digest of Metabase's image, which the engine has or gets; None where the registry can't be reached."""
    with closing(docker.DockerClient(base_url=host, timeout=900)) as client:
        try:
            image = client.images.get(METABASE_IMAGE)
        except ImageNotFound:
            try:
                image = client.images.pull(METABASE_IMAGE)
            except (APIError, NotFound):
                return None
        digests = image.attrs.get("RepoDigests") or []
        return str(digests[0]).split("@")[1] if digests else None


def states(world: World, host: str) -> dict[str, str]:
    """Part → `running` with the health that its check tells, `stopped`, `missing`; `unknown` without an engine."""
    try:
        with closing(docker.DockerClient(base_url=host, timeout=10)) as client:
            return {part: _state(client, docker_name(STACK, world.scope, part)) for part in PARTS}
    except (DockerException, OSError):
        return dict.fromkeys(PARTS, "unknown")


def _state(client: docker.DockerClient, name: str) -> str:
    try:
        state = client.containers.get(name).attrs["State"]
    except NotFound:
        return "missing"
    if not state["Running"]:
        return "stopped"
    health = state.get("Health", {}).get("Status")
    return f"running, {health}" if health else "running"
