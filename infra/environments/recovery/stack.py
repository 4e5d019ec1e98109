"""What recovery asks of the engine: export, history, configuration, import; and the copies that it keeps."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.environments.engine import Engine
from infra.environments.world import write_private
from infra.errors import DeployError

from .backend import Backend
from .model import State, Update, read_history, read_state

NAMESPACE = "mbgate:"


def read(engine: Engine) -> tuple[State, tuple[Update, ...]]:
    """State and history, read side by side. Raises DeployError for a stack that the backend does not know."""
    with ThreadPoolExecutor(2) as pool:
        exported = pool.submit(engine.run, "stack", "export")
        history = pool.submit(engine.run, "stack", "history", "--json")
        try:
            return read_state(exported.result()), read_history(history.result())
        except DeployError as error:
            if "no stack named" in error.message:
                raise _unknown(engine) from None
            raise


def _unknown(engine: Engine) -> DeployError:
    names = sorted(entry["name"] for entry in engine.list_stacks())
    return DeployError(
        f"the backend knows no stack `{engine.stack}`",
        code="stack-unknown",
        help=f"it has: {', '.join(names)}" if names else "it has none: check PULUMI_BACKEND_URL, or `pulumi login`",
    )


def check_idle(engine: Engine, backend: Backend) -> None:
    """Raises DeployError where a service backend says that an update of the stack runs."""
    if not backend.is_service:
        return
    for entry in engine.list_stacks():
        if entry["name"].split("/")[-1] == engine.stack and entry.get("updateInProgress"):
            raise DeployError(
                f"the backend says that an update of stack `{engine.stack}` runs",
                code="stack-locked",
                help=f"wait; only when you are sure that none runs: pulumi cancel --stack {engine.stack}",
            )


def settings(engine: Engine) -> dict[str, dict[str, Any]]:
    """The structured settings by section; plain and secret values are left out."""
    values = json.loads(engine.run("config", "--json"))
    return {
        key.removeprefix(NAMESPACE): entry["objectValue"]
        for key, entry in values.items()
        if key.startswith(NAMESPACE) and isinstance(entry.get("objectValue"), dict)
    }


def keep_copy(engine: Engine, state: State) -> Path:
    """Writes a copy of the state, mode 0600, and answers where."""
    copy = _archive_folder(engine) / f"{engine.stack}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.json"
    write_private(copy, json.dumps(state.document))
    return copy


def write_back(engine: Engine, state: State) -> None:
    """Imports the state without its pending operations."""
    engine.run("stack", "import", stdin=state.without_pending())


def archive(engine: Engine, file: Path) -> None:
    """Moves a torn state out of the backend, to the copies of former ones."""
    shutil.move(file, _archive_folder(engine) / f"{file.name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")


def _archive_folder(engine: Engine) -> Path:
    """Beside a configuration outside the checkout, as the local world's; else in the user's state folder."""
    folder = engine.config_file.parent / "recovered"
    if engine.config_file.parent.resolve() == engine.root.resolve():
        base = engine.environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        folder = Path(base) / "mbgate" / "recovered"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def user_engine(root: Path, stack: str, cli: Path, environ: dict[str, str] | None = None) -> Engine:
    """An engine over the user's own backend and environment, with `Pulumi.STACK.yaml` of the project's root."""
    return Engine(
        cli=cli,
        root=root,
        stack=stack,
        config_file=root / f"Pulumi.{stack}.yaml",
        environment=dict(os.environ) if environ is None else environ,
    )
