"""One deployed world for the kill tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from infra.environments import local
from infra.environments.connecting import connector_alongside
from infra.environments.toolchain import obtain_cli
from infra.environments.world import open_world
from tests.recovery.proxy import Proxy
from tests.recovery.scene import MBGATE, OIDC, ROOT, Scene, free_ports


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A deployed world; destroyed and stopped at the end."""
    port = free_ports(8)
    folder = tmp_path_factory.mktemp("recovery") / "world"
    environment = {**os.environ, "MBGATE_STATE": str(folder), "MBGATE_PORT": str(port), "COLUMNS": "160"}
    first = subprocess.run(
        [MBGATE, "local", "up", "--runtime", "processes"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    world = open_world(ROOT, environment)
    proxy = Proxy(f"http://127.0.0.1:{port + 1}", port + 7)
    try:
        assert first.returncode == 0, first.stdout + first.stderr
        engine = local.open_engine(world, obtain_cli(lambda _: None).path, lambda _: None)
        made = Scene(
            world=world,
            engine=engine,
            proxy=proxy,
            proxy_url=f"http://127.0.0.1:{port + 7}/client/v4",
            environment=environment,
        )
        with connector_alongside(world, lambda _: None):
            made.configure(OIDC)
            made.up()
            yield made
    finally:
        down = subprocess.run([MBGATE, "local", "down"], cwd=ROOT, env=environment, capture_output=True, text=True)
        proxy.close()
        local.stop(world, lambda _: None)
    assert down.returncode == 0, down.stdout + down.stderr
