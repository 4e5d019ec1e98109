"""`mbgate policy schema`: writes the JSON Schemas with which editors complete and check the policies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.access.schema import schemas
from infra.errors import PolicyError
from infra.project import find_root

from .policy import policy_app


@policy_app.command(hidden=True)
def schema(
    folder: Annotated[Path | None, typer.Argument(help="where to write; the project's policies by default")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="change nothing; exit with 1 where a schema is out of date")
    ] = False,
) -> None:
    """Write the JSON Schemas of the policies, for editors.

    Example: mbgate policy schema --check
    """
    where = folder or find_root() / "policies"
    stale = {name: text for name, text in schemas().items() if _read(where / name) != text}
    if check and stale:
        raise PolicyError(
            f"out of date: {', '.join(stale)}",
            code="schema-stale",
            help="run `mbgate policy schema` and commit what it writes",
        )
    for name, text in stale.items():
        _write(where / name, text)
    typer.echo(f"written: {', '.join(stale)}" if stale else "up to date")


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return None


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise PolicyError(f"`{file}` can't be written: {reason}", code="schema-unwritable") from None
