"""The root of the `mbgate` command line."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from infra.errors import MbgateError

from .doctor import doctor
from .graph import graph
from .init import init
from .local import local_app
from .policy import policy_app
from .recover import recover
from .reference import reference
from .setup import setup

app = typer.Typer(
    name="mbgate",
    help="A private Metabase behind an identity-aware Cloudflare Worker.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.add_typer(local_app, name="local")
app.add_typer(policy_app, name="policy")
app.command(name="init")(init)
app.command(name="doctor")(doctor)
app.command(name="setup")(setup)
app.command(name="recover")(recover)
app.command(name="graph")(graph)
app.command(name="reference", hidden=True)(reference)


def main() -> None:
    """Entry point: an expected error is printed for a person and exits with 1; an interrupt exits with 130."""
    try:
        app()
    except MbgateError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"mbgate: {error}", markup=False, style="red")
        sys.exit(1)
    except KeyboardInterrupt:
        Console(stderr=True).print("mbgate: interrupted; run the same command again to go on")
        sys.exit(130)


if __name__ == "__main__":
    main()
