"""Which of Pulumi's official plugins this machine has; ours stand in only for those that are missing.

The engine takes a plugin from PATH before one that is installed in its home, so ours may not be on PATH beside an
official one.
"""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

_BIN = Path(__file__).resolve().parent / "bin"

LANGUAGE_HOST = "pulumi-language-python"
NAMES = (LANGUAGE_HOST, "pulumi-resource-cloudflare", "pulumi-resource-docker")


def find_official(home: Path, path: str) -> dict[str, Path | None]:
    """The official executable of each plugin, or None.

    `home` is PULUMI_HOME, `path` a PATH. Anything on it that is not ours counts; in `home/plugins` only the version
    that the engine will ask for, that of the installed SDK.
    """
    return {name: _on_path(name, path) or _installed(name, home) for name in NAMES}


def _on_path(name: str, path: str) -> Path | None:
    for folder in path.split(os.pathsep):
        candidate = Path(folder or ".") / name
        if _is_executable(candidate) and candidate.resolve().parent != _BIN:
            return candidate
    return None


def _installed(name: str, home: Path) -> Path | None:
    if name == LANGUAGE_HOST:
        # It comes with the CLI, which the official installer puts here.
        candidate = home / "bin" / name
        return candidate if _is_executable(candidate) else None
    package = name.removeprefix("pulumi-resource-")
    wanted = _sdk_version(f"pulumi-{package}") or "*"
    folders = sorted(home.glob(f"plugins/resource-{package}-v{wanted}"))
    return next((folder / name for folder in folders if _is_executable(folder / name)), None)


def _sdk_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def plugin_path(home: Path, path: str, folder: Path) -> list[Path]:
    """The folders to append to PATH: `folder`, holding links to ours for what is missing, or none.

    `folder` is made, and afterwards holds exactly these links.
    """
    missing = [name for name, official in find_official(home, path).items() if official is None]
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        link = folder / name
        link.unlink(missing_ok=True)
        if name in missing:
            link.symlink_to(_BIN / name)
    return [folder] if missing else []
