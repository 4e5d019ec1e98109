"""One edge with a tunnel, shared by the tests that only read; `fresh_world` for those that break things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge.cloud import Cloud
from tests.edge.origin import Origin
from tests.edge.relying import ACCOUNT, CALLBACK, RESOURCE, SIGNED_OUT
from tests.edge.relying import SECRET as CLIENT_SECRET
from tests.edge.shielded import PEOPLE, SECRET, shielded
from tests.edge.world import World, whole


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


@pytest.fixture(scope="session")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An edge with Access, and the OIDC provider that it signs people in with."""
    world = World(folder=tmp_path_factory.mktemp("access"), cloud=Cloud(), origin=Origin())
    client = {
        "client_id": "access",
        "client_secret": SECRET,
        "redirect_uris": [f"{world.team}/cdn-cgi/access/callback"],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
    }
    try:
        world.start_oidc(PEOPLE, [client])
        world.cloud.publish(shielded(world))
        world.start_edge()
        yield world
    finally:
        world.stop()


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The provider alone."""
    world = World(folder=tmp_path_factory.mktemp("oidc"), cloud=Cloud(), origin=Origin())
    person = {
        "client_id": "mbgate",
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [SIGNED_OUT],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
    }
    machine = {
        "client_id": "ci-bot",
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "response_types": [],
        "claims": {"groups": ["bi-analysts"], "department": "sales"},
        "resources": [RESOURCE],
    }
    try:
        world.start_oidc([ACCOUNT], [person, machine])
        yield world
    finally:
        world.stop()
