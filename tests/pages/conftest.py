"""Fixtures: gateways with and without a logo, and Chromium that sees their pages as they were sent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.worker.deployment import Deployment
from tests.worker.fakes import World
from tests.worker.gallery import BRAND
from tests.worker.runtime import Runtime

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
    program = os.environ.get("MBGATE_CHROMIUM") or shutil.which("chromium")
    assert program, "no Chromium on PATH: install it, or name it in MBGATE_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
