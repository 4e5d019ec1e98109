"""What the policies' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

POLICIES = Path(__file__).parents[2] / "policies"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project's route catalogue, whose roles and overlay are written anew for each example."""
    made = tmp_path_factory.mktemp("overlays")
    (made / "routes.yaml").write_bytes((POLICIES / "routes.yaml").read_bytes())
    (made / "environments").mkdir()
    return made
