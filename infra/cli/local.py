"""`mbgate local`: the whole system on this machine."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.environments import local
from infra.environments.choices import Choices, last_choices
from infra.environments.toolchain import Report
from infra.environments.world import World, open_world
from infra.project import find_root

local_app = typer.Typer(help="The whole system on this machine, against the local cloud.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)


def _reporter(started: float) -> Report:
    """Each step is a line of its own with the seconds since the start, so that a log reads as well as a terminal."""

    def report(text: str) -> None:
        if text.strip():
            console.print(f"[dim]{time.monotonic() - started:6.1f} s[/dim]  ", end="")
            console.print(text, markup=False)

    return report


class Identity(StrEnum):
    """`mbgate:identity.mode`"""

    OIDC = "oidc"
    ACCESS = "access"


class PrivatePath(StrEnum):
    """`mbgate:origin.privatePath`"""

    VPC = "vpc"
    HOSTNAME = "hostname"


class Runtime(StrEnum):
    """What Metabase and the Tunnel's connector run in."""

    AUTO = "auto"
    DOCKER = "docker"
    PROCESSES = "processes"


def _choices(
    world: World, identity: Identity | None, private_path: PrivatePath | None, runtime: Runtime | None
) -> Choices:
    last = last_choices(world)
    return replace(
        last,
        identity=identity.value if identity else last.identity,
        private_path=private_path.value if private_path else last.private_path,
        runtime=runtime.value if runtime else last.runtime,
    )


@local_app.command()
def up(
    identity: Annotated[
        Identity | None, typer.Option(help="who signs people in: the Worker, or Access in front of it")
    ] = None,
    private_path: Annotated[
        PrivatePath | None, typer.Option(help="how the Worker reaches Metabase: VPC service or Tunnel hostname")
    ] = None,
    runtime: Annotated[
        Runtime | None, typer.Option(help="what Metabase runs in; auto: Docker where an engine answers")
    ] = None,
) -> None:
    """Start the local cloud, deploy with Pulumi, print how to sign in. Safe to repeat.

    What is not chosen stays as it was. Example: mbgate local up --identity access
    """
    world, started = open_world(find_root()), time.monotonic()
    with console.status("mbgate local up"):
        result = local.up(world, _reporter(started), _choices(world, identity, private_path, runtime))
    console.print()
    console.print(
        f"[bold green]The gateway runs.[/bold green] {result['changes']} ({time.monotonic() - started:.0f} s)"
    )
    _print_guide(world)


@local_app.command()
def down() -> None:
    """Destroy what was deployed, stop every part, forget the local world.

    Example: mbgate local down
    """
    world, started = open_world(find_root()), time.monotonic()
    if not world.folder.exists():
        console.print("nothing runs here")
        return
    with console.status("mbgate local down"):
        local.down(world, _reporter(started))
    console.print(f"[bold]Gone.[/bold] Nothing is left ({time.monotonic() - started:.0f} s)")


@local_app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False) -> None:
    """Show what runs, where, and the accounts.

    Example: mbgate local status --json
    """
    world = open_world(find_root())
    found = local.status(world)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table("part", "state", "process")
    for name, part in found["parts"].items():
        table.add_row(name, part["state"], str(part["pid"] or ""))
    console.print(table)
    if found["accounts"]:
        _print_guide(world)
    else:
        console.print("no local world yet: run `make demo`")


def _print_guide(world: World) -> None:
    console.print(f"\n  [bold]{world.gateway_url}[/bold]\n")
    table = Table("e-mail", "password", "role")
    for account in world.accounts():
        table.add_row(account["email"], account["password"], account["role"] or "(none)")
    console.print(table)
    look = f"  4. See that Metabase has no port: docker ps --filter label=mbgate.scope={world.scope}\n"
    private = "" if last_choices(world).docker_host is None else look
    console.print(
        "Try:\n"
        "  1. Sign in as the analyst: the Sales overview opens; /dashboard/3 leads to a page that says why not.\n"
        "  2. Sign in as the exec in a private window: the same link opens.\n"
        f"  3. Read who did what: tail -f {world.logs}/audit.ndjson\n"
        f"{private}"
        "Stop: make demo-down",
        markup=False,
    )
