"""Fixtures: the fakes, and one workerd for each deployment that tests ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.worker.deployment import Deployment
from tests.worker.fakes import World
from tests.worker.runtime import Runtime


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    """The fakes of this folder's tests."""
    made = World()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="package")
def deployed_oidc(world: World) -> Iterator[Runtime]:
    """A gateway that signs people in itself."""
    runtime = Runtime(Deployment(), world)
    yield runtime
    runtime.close()


@pytest.fixture(scope="package")
def deployed_access(world: World) -> Iterator[Runtime]:
    """A gateway behind Cloudflare Access."""
    runtime = Runtime(Deployment(mode="access"), world)
    yield runtime
    runtime.close()


@pytest.fixture
def gateway(deployed_oidc: Runtime) -> Runtime:
    """The same gateway with fresh fakes, past its first look at the key store."""
    return _fresh(deployed_oidc)


@pytest.fixture
def behind_access(deployed_access: Runtime) -> Runtime:
    """The gateway behind Access, with fresh fakes."""
    return _fresh(deployed_access)


def _fresh(runtime: Runtime) -> Runtime:
    runtime.warm()
    runtime.world.reset()
    runtime.forget()
    return runtime


@pytest.fixture
def deploy(world: World) -> Iterator[Callable[[Deployment], Runtime]]:
    """Starts another deployment for one test, with fresh fakes."""
    started: list[Runtime] = []

    def start(deployment: Deployment) -> Runtime:
        world.reset()
        started.append(Runtime(deployment, world))
        return started[-1]

    yield start
    for runtime in started:
        runtime.close()
