"""A forge and a repository for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflows import forge as forges
from tests.workflows import repository as repositories


@pytest.fixture
def forge() -> Iterator[forges.Forge]:
    with forges.running() as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> repositories.Repository:
    return repositories.make(tmp_path)
