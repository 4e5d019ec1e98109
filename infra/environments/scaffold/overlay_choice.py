"""Which overlay of the policies a new stack's file names: asked only where the policies have any."""

from __future__ import annotations

from pathlib import Path

from infra.access.overlay import BASE, environments
from infra.errors import SettingsError

from .stack_file import StackFile

FLAG = "--environment"


def overlays(root: Path, file: StackFile | None) -> list[str]:
    """The overlays of the policies that the file names."""
    named = file.values.get("policies") if file else None
    return environments(root / (named if isinstance(named, str) else "policies"))


def suggestion(names: list[str], stack: str, file: StackFile | None) -> str | None:
    """What the file says already, else the overlay of the stack's name, else `base`; None where there are none."""
    said = file.values.get("environment") if file else None
    if isinstance(said, str):
        return said
    if not names:
        return None
    return stack if stack in names else BASE


def checked(names: list[str], answer: str) -> str:
    """The answer, which must be an overlay's name or `base`. Raises SettingsError."""
    if answer not in (*names, BASE):
        known = ", ".join((*names, BASE))
        raise SettingsError(
            f"{FLAG}: `{answer}` is no environment of the policies", code="answer-invalid", help=f"there are {known}"
        )
    return answer
