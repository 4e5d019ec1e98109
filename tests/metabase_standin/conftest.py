"""A stand-in that is set up, and people in it. Each test has its own copy of one folder that is made once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from localcloud.metabase.app import make_app

TOKEN = "0a1b2c3d-0000-4000-8000-00000000abcd"
PASSWORD = "correct-horse-7"
ADMIN = "admin@acme.test"


class Clock:
    """The instance's clock, moved by tests."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class World:
    """One instance on a folder; `client` is a browser or a bot of its own."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder, self.clock = folder, Clock()
        self._options = {"setup_token": TOKEN, "password_complexity": "normal", **options}
        self.open()

    def open(self) -> None:
        """Starts it, again after `close`."""
        self.app = make_app(self.folder, now=self.clock, **self._options)
        self._running = TestClient(self.app)
        self._running.__enter__()

    def close(self) -> None:
        """Stops it; its files are closed."""
        self._running.__exit__(None, None, None)

    def client(self, **headers: str) -> TestClient:
        """Sends these headers with every request; keeps its own cookies."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return TestClient(self.app, headers=named)

    def sign_in(self, email: str, password: str = PASSWORD) -> TestClient:
        """A client with the session of that person in `X-Metabase-Session`."""
        answer = self.client().post("/api/session", json={"username": email, "password": password})
        assert answer.status_code == 200, answer.text
        return self.client(x_metabase_session=answer.json()["id"])

    def set_up(self) -> TestClient:
        """The first boot's end: an administrator's client."""
        user = {"email": ADMIN, "password": PASSWORD, "first_name": "Ada", "last_name": "Admin"}
        body = {"token": TOKEN, "user": user, "prefs": {"site_name": "Acme BI"}}
        answer = self.client().post("/api/setup", json=body)
        assert answer.status_code == 200, answer.text
        return self.client(x_metabase_session=answer.json()["id"])

    def log(self, name: str = "requests") -> list[dict[str, Any]]:
        """The lines of one of its logs."""
        return [json.loads(line) for line in (self.folder / f"{name}.ndjson").read_text().splitlines()]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """An instance that nobody has set up."""
    world = World(tmp_path / "fresh")
    yield world
    world.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance that was set up and stopped."""
    folder = tmp_path_factory.mktemp("template") / "metabase"
    world = World(folder)
    world.set_up()
    world.close()
    return folder


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Iterator[World]:
    """An instance that is set up, with short-lived queries."""
    folder = tmp_path / "metabase"
    shutil.copytree(template, folder)
    for log in folder.glob("*.ndjson"):
        log.unlink()
    made = World(folder, query_seconds=1.0)
    yield made
    made.close()


@pytest.fixture
def admin(world: World) -> TestClient:
    """The administrator."""
    return world.sign_in(ADMIN)


@pytest.fixture
def group(admin: TestClient) -> Callable[..., int]:
    """Makes a group with exactly these permissions; All Users then has none."""

    def make(name: str, collections: dict[str, str] | None = None, queries: str = "no") -> int:
        number = admin.post("/api/permissions/group", json={"name": name}).json()["id"]
        graph = admin.get("/api/collection/graph").json()
        shut = dict.fromkeys(graph["groups"]["1"], "none")
        wanted = {"1": shut, str(number): {**shut, **(collections or {})}}
        put = admin.put("/api/collection/graph", json={"revision": graph["revision"], "groups": wanted})
        assert put.status_code == 200, put.text
        revision = admin.get("/api/permissions/graph").json()["revision"]
        levels = {"1": {"1": {"create-queries": "no"}}, str(number): {"1": {"create-queries": queries}}}
        put = admin.put("/api/permissions/graph", json={"revision": revision, "groups": levels})
        assert put.status_code == 200, put.text
        return int(number)

    return make


@pytest.fixture
def person(world: World, admin: TestClient) -> Callable[..., TestClient]:
    """Makes somebody in these groups, who can sign in with the common password, and signs them in."""

    def make(name: str, *groups: int) -> TestClient:
        email = f"{name}@acme.test"
        memberships = [{"id": number} for number in (1, *groups)]
        body = {"email": email, "first_name": name.capitalize(), "user_group_memberships": memberships}
        made = admin.post("/api/user", json=body)
        assert made.status_code == 200, made.text
        admin.put(f"/api/user/{made.json()['id']}/password", json={"password": PASSWORD})
        return world.sign_in(email)

    return make
