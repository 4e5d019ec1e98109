"""One edge with a tunnel, shared by the tests that only read; `fresh_world` for those that break things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge import documents
from tests.edge.cloud import Cloud
from tests.edge.documents import TUNNEL
from tests.edge.origin import Origin
from tests.edge.world import World


def whole(world: World) -> dict[str, Any]:
    """The probe under `localhost`, two slow texts, and the origin behind a tunnel."""
    document = documents.empty()
    document["workers"] = [documents.helper(), documents.probe(), documents.text_worker("other", "other")]
    document["domains"] = [documents.domain("localhost", "probe"), documents.domain("other.localhost", "other")]
    document["routes"] = [
        {"pattern": "*.routed.localhost/api/*", "script": "other"},
        {"pattern": "*.routed.localhost/api/off*", "script": None},
    ]
    document["tunnels"] = [{"id": TUNNEL, "name": "tunnel", "token": world.token, "config": None}]
    document["connectivity_services"] = [
        {
            "service_id": "svc1",
            "name": "origin",
            "type": "http",
            "http_port": 3000,
            "host": {"hostname": "origin.internal", "resolver_network": {"tunnel_id": TUNNEL}},
        }
    ]
    return document


@pytest.fixture
def fresh_world(tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Makes worlds of a test's own; nothing runs in them yet."""
    made: list[World] = []

    def make() -> World:
        folder = tmp_path / f"w{len(made)}"
        folder.mkdir()
        world = World(folder=folder, cloud=Cloud(), origin=Origin())
        world.cloud.publish(whole(world))
        made.append(world)
        return world

    yield make
    for world in made:
        world.stop()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running edge with a connected tunnel. Tests publish only additions of their own."""
    folder = tmp_path_factory.mktemp("edge")
    made = World(folder=folder, cloud=Cloud(), origin=Origin())
    try:
        made.cloud.publish(whole(made))
        made.start_edge()
        made.start_connector()
        yield made
    finally:
        made.stop()
