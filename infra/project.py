"""Where the project is."""

from __future__ import annotations

from pathlib import Path

from infra.errors import SettingsError


def find_root(start: Path | None = None) -> Path:
    """The folder with `Pulumi.yaml`: `start` (the current folder by default) or the nearest one above it."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").exists():
            return folder
    raise SettingsError(
        f"no Pulumi.yaml in `{here}` or above it",
        code="project-missing",
        help="run this inside a checkout of mbgate",
    )
