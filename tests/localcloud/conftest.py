"""A local Cloudflare API of its own for each test."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.localcloud.api_harness import Api, Server, free_port, start, wait_until_healthy


@pytest.fixture(scope="session")
def fresh_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with nothing but its signing keys, which take a fifth of a second to make."""
    folder = tmp_path_factory.mktemp("fresh")
    Api(folder=folder).store.close()
    return folder / "cloud.sqlite"


@pytest.fixture
def api(fresh_state: Path, tmp_path: Path) -> Iterator[Api]:
    shutil.copy(fresh_state, tmp_path)
    made = Api(folder=tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Server]]:
    running: list[subprocess.Popen[str]] = []

    def serve_from(folder: Path) -> Server:
        port = free_port()
        process = start(folder, port)
        running.append(process)
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(process, url)
        return Server(process=process, url=url, folder=folder, port=port)

    yield serve_from
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=10)
