"""Fixtures: gateways with and without a logo, and Chromium that sees their pages as they were sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium import chromium_running
from tests.worker.deployment import Deployment
from tests.worker.fakes import World
from tests.worker.gallery import BRAND
from tests.worker.runtime import Runtime


@pytest.fixture(scope="package")
def runtimes() -> Iterator[dict[str, Runtime]]:
    """`plain`, `logo`, `access`: real workerd, started once."""
    world = World()
    made = {
        "plain": Runtime(Deployment(), world),
        "logo": Runtime(Deployment(brand=dict(BRAND)), world),
        "access": Runtime(Deployment(mode="access"), world),
    }
    for runtime in made.values():
        runtime.warm()
    yield made
    for runtime in made.values():
        runtime.close()
    world.server.shutdown()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    with chromium_running() as browser:
        yield browser
