"""Which overlay of the policies holds in a stack: where there are any, its settings say which, or that none does.

Otherwise a line that was forgotten, or a misspelt key, would deploy the policies without what an overlay takes away.
"""

from __future__ import annotations

from pathlib import Path

from infra.access.overlay import BASE, environments
from infra.errors import Fault, SettingsError

from .sections import Settings

KEY = "mbgate:environment"


def overlay_of(settings: Settings, folder: Path) -> str | None:
    """The overlay's name, None for the policies as they are; `folder` is the policies'.

    Raises SettingsError where the folder has overlays and the stack doesn't say which of them holds.
    """
    names = environments(folder)
    if settings.environment is None and names:
        raise SettingsError(
            f"the settings of stack `{settings.stack}` don't say which environment it is",
            faults=[
                Fault(
                    code="environment-missing",
                    message=f"`{KEY}` is missing, and the policies differ by environment",
                    file=f"Pulumi.{settings.stack}.yaml",
                    path=f"$.config.{KEY}",
                    help=f"write `{KEY}: NAME`: {', '.join(names)}, or `{BASE}` for the policies without an overlay",
                )
            ],
        )
    return None if settings.environment == BASE else settings.environment
