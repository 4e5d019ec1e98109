"""What the review's tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.access.load import load_policies
from infra.access.table import compile_table

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sample() -> dict[str, Any]:
    """The project's own decision table."""
    return compile_table(load_policies(ROOT / "policies"))
