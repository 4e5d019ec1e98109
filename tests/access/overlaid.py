"""Roles with an overlay, from text to the decision table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infra.access.load import load_policies
from infra.access.table import compile_table

Data = dict[str, Any]


def table(folder: Path, roles: str, overlay: str | None = None) -> Data:
    """The decision table of some roles, with an overlay where there is one."""
    (folder / "roles.yaml").write_text(roles, "utf-8")
    (folder / "environments" / "test.yaml").write_text(overlay or "", "utf-8")
    return compile_table(load_policies(folder, None if overlay is None else "test"))
