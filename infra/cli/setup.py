"""`mbgate setup`: makes sure that the Pulumi CLI is there."""

from __future__ import annotations

from rich.console import Console

from infra.environments.toolchain import cache_folder, obtain_cli


def setup() -> None:
    """Find, install or compile the Pulumi CLI; it is kept outside the checkout.

    Example: mbgate setup
    """
    console = Console(highlight=False, soft_wrap=True)
    with console.status("looking for the Pulumi CLI") as status:

        def report(text: str) -> None:
            status.update(text)
            if not console.is_terminal:
                console.print(f"  {text}", markup=False)

        cli = obtain_cli(report)
    console.print(f"Pulumi CLI {cli.version} from {cli.source}: {cli.path}", markup=False)
    if cli.source == "cache":
        console.print(f"  (cache folder: {cache_folder()})", markup=False)
