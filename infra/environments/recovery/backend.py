"""Where a stack's state is kept, and the repair of files that a killed engine left torn in a backend of files."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.environments.engine import Engine
from infra.environments.toolchain import Report
from infra.errors import DeployError


@dataclass(frozen=True, kw_only=True)
class Backend:
    """`folder` is the `.pulumi` folder of a backend of files, None for others; `is_service`: Pulumi Cloud's kind."""

    project: str
    folder: Path | None
    is_service: bool


def locate(engine: Engine) -> Backend:
    """The engine's backend, chosen as the CLI does: PULUMI_BACKEND_URL, the project's `backend.url`, the last login."""
    project = yaml.safe_load((engine.root / "Pulumi.yaml").read_text())
    env = engine.environment
    url = env.get("PULUMI_BACKEND_URL") or (project.get("backend") or {}).get("url") or _login(env)
    folder = None
    if url.startswith("file://"):
        path = Path(url.removeprefix("file://").partition("?")[0]).expanduser()
        folder = (path if path.is_absolute() else engine.root / path) / ".pulumi"
    return Backend(project=project["name"], folder=folder, is_service=url.startswith(("http://", "https://")))


def _login(env: dict[str, str]) -> str:
    home = Path(env.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_text()).get("current") or "https://api.pulumi.com")
    except (OSError, ValueError):
        return "https://api.pulumi.com"


def repair_files(engine: Engine, report: Report = lambda _: None) -> tuple[str, ...]:
    """Removes torn attribute files and restores a torn checkpoint; answers what was done, in words.

    Cheap, and without the engine: it is meant to come before its first command, which a torn file would end. Raises
    DeployError where a checkpoint is torn and no copy of it can be read; then nothing is changed.
    """
    backend = locate(engine)
    if backend.folder is None or not backend.folder.exists():
        return ()
    done = [*_restore(backend.folder, backend.project, engine.stack), *_drop_attributes(backend.folder)]
    for line in done:
        report(line)
    return tuple(done)


def torn_states(backend: Backend, stack: str) -> list[Path]:
    """Torn checkpoints that were replaced and not yet archived: a recovery has to look at what was lost with them."""
    return sorted(backend.folder.glob(f"stacks/**/{stack}.json*.torn")) if backend.folder else []


def _drop_attributes(folder: Path) -> list[str]:
    """The backend writes a content type into `NAME.attrs` beside each file, and not in one step.

    Nothing is lost with a torn one: a file without attributes is read like any other.
    """
    torn = [file for file in folder.glob("**/*.attrs") if _json(file) is None]
    for file in torn:
        file.unlink(missing_ok=True)
    return [f"removed {len(torn)} torn attribute file{'s' * (len(torn) > 1)} of the state's backend"] if torn else []


def _restore(folder: Path, project: str, stack: str) -> list[str]:
    file = next(
        (
            path
            for place in (folder / "stacks" / project, folder / "stacks")
            for path in (place / f"{stack}.json", place / f"{stack}.json.gz")
            if path.exists()
        ),
        None,
    )
    if file is None or _is_checkpoint(file):
        return []
    copy = next((path for path in _copies(folder, project, stack, file) if _is_checkpoint(path)), None)
    if copy is None:
        raise DeployError(
            f"the state of stack `{stack}` is torn, and no copy of it can be read: `{file}`",
            code="state-torn",
            help="bring the file back from a backup of your own; nothing was changed",
        )
    _put_back(copy, file)
    return [f"the state of `{stack}` was torn: restored from `{copy}`; the torn file is kept as `{file.name}.torn`"]


def _copies(folder: Path, project: str, stack: str, file: Path) -> list[Path]:
    """The engine's own copies, newest first: one write back, then at the end of each update."""
    found = [
        file.with_name(file.name + ".bak"),
        *(folder / "backups" / project / stack).glob("*.json*"),
        *(folder / "history" / project / stack).glob("*.checkpoint.json*"),
    ]
    there = [path for path in found if path.exists() and path.suffix != ".attrs"]
    return sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)


def _put_back(copy: Path, file: Path) -> None:
    shutil.copy2(file, file.with_name(file.name + ".torn"))
    content = _bytes(copy) or b""
    partial = file.with_name(file.name + ".partial")
    partial.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    partial.chmod(0o600)
    partial.replace(file)
    os.utime(file)


def _is_checkpoint(file: Path) -> bool:
    document = _json(file)
    return isinstance(document, dict) and isinstance(document.get("checkpoint"), dict)


def _json(file: Path) -> Any:
    try:
        return json.loads(_bytes(file) or b"")
    except ValueError:
        return None


def _bytes(file: Path) -> bytes | None:
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, gzip.BadGzipFile):
        return None
