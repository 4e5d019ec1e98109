"""The engine that `.ci/run` started, the images on it, and containers that end with their test."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import NotFound
from docker.models.containers import Container
from docker.models.networks import Network

from localcloud.images.engine import ensure
from localcloud.images.recipes import recipes
from tests.docker_host import engine_host

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def host() -> str:
    """The engine's socket; without one these tests fail, since nothing else shows the images."""
    return engine_host()


@pytest.fixture(scope="session")
def client(host: str) -> Iterator[docker.DockerClient]:
    """A client of the engine."""
    made = docker.DockerClient(base_url=host)
    yield made
    made.close()


@pytest.fixture(scope="session")
def images(host: str) -> dict[str, str]:
    """The tags by name."""
    return ensure(host, recipes(ROOT))


@pytest.fixture
def network(client: docker.DockerClient) -> Iterator[Network]:
    """An internal network."""
    made = client.networks.create(f"mbgate-test-images-{secrets.token_hex(3)}", internal=True)
    yield made
    made.remove()


@pytest.fixture
def run(client: docker.DockerClient, network: Network) -> Iterator[Callable[..., Container]]:
    """Starts containers in the network as tightly as mbgate does; they and their volumes go at the end."""
    made: list[Container] = []

    def start(image: str, *, alias: str = "other", **options: Any) -> Container:
        tight: dict[str, Any] = {
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "tmpfs": {"/tmp": ""},  # noqa: S108 - the container's own
        }
        container = client.containers.create(image, network=network.name, **{**tight, **options})
        made.append(container)
        network.disconnect(container)
        network.connect(container, aliases=[alias])
        container.start()
        return container

    yield start
    for container in made:
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)


@pytest.fixture
def volume(client: docker.DockerClient, images: dict[str, str]) -> Iterator[str]:
    """A volume that belongs to 2000; a test names it before `run`, whose containers go first."""
    made = client.volumes.create(f"mbgate-test-images-{secrets.token_hex(3)}")
    options: dict[str, Any] = {"entrypoint": ["/bin/chown"], "network_mode": "none", "remove": True}
    client.containers.run(images["metabase"], ["2000:2000", "/v"], volumes=[f"{made.name}:/v"], **options)
    yield str(made.name)
    made.remove(force=True)
