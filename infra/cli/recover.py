"""`mbgate recover`: what comes before `pulumi up` after anything was killed."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from infra.environments.recovery import Recovery
from infra.environments.recovery import recover as run_recovery
from infra.environments.world import STACK
from infra.project import find_root

from .engines import engine_of


def recover(
    stack: Annotated[str, typer.Option(help="`local`, or a stack of your own backend")] = STACK,
    yes: Annotated[bool, typer.Option("--yes", help="delete also what nothing proves to be this stack's")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="look at the cloud though the last update succeeded")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for programs")] = False,
) -> None:
    """Mend a stack after a kill: dead locks, torn state, pending operations, lost objects. Safe to repeat.

    Then `pulumi up` converges. Exits with 1 where something unclaimed needs your decision.
    Example: mbgate recover --stack prod && pulumi up --stack prod
    """
    console = Console(highlight=False, soft_wrap=True, stderr=as_json)

    def report(text: str) -> None:
        console.print(f"  {text}", markup=False)

    result = run_recovery(engine_of(find_root(), stack), report=report, assume_yes=yes, deep=deep)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2))
    else:
        console.print(_summary(result), markup=False)
    if result.unclaimed:
        raise typer.Exit(1)


def _summary(result: Recovery) -> str:
    lines = [f"not looked up, the token may not list it: {kind}" for kind in result.not_looked_up]
    lines += [f"left alone: {found}" for found in result.kept]
    if result.unclaimed:
        lines.append(f"{len(result.unclaimed)} unclaimed; nothing of it was touched")
    elif result.is_changed:
        lines.append(f"Recovered. Next: pulumi up --stack {result.stack}")
    else:
        lines.append(f"stack `{result.stack}` is healthy: nothing to recover")
    return "\n".join(lines)
