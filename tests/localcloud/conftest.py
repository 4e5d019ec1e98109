"""A local Cloudflare API of its own for each test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.localcloud.api_harness import Api, Server, free_port, start, wait_until_healthy


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
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
