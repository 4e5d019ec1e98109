"""Errors for people: what was wrong, where, and what to do. All faults of one input travel together.

Each family has a stable default code (kebab-case) which `--json` output, tests and the documentation refer to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong in an input, and where: file, line and column (from 1), and `$.path` inside it."""

    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None
    help: str | None = None

    def __str__(self) -> str:
        """`file:line:column: message @ $.path; help`, leaving out what is unknown."""
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = f"{where}: {self.message}" if where else self.message
        if self.path:
            text += f" @ {self.path}"
        return f"{text}; {self.help}" if self.help else text


class MbgateError(Exception):
    """An expected failure: printed as it is, never as a traceback."""

    is_user_error = True
    default_code = "mbgate-failed"

    def __init__(
        self, message: str, *, code: str | None = None, help: str | None = None, faults: Sequence[Fault] = ()
    ) -> None:
        self.message = message
        self.code = code or self.default_code
        self.help = help
        self.faults = tuple(faults)
        super().__init__(str(self))

    def __str__(self) -> str:
        """The message with its code, then every fault on a line of its own, then what to do."""
        lines = [f"{self.message} [{self.code}]", *(f"  {fault}" for fault in self.faults)]
        if self.help:
            lines.append(f"  what to do: {self.help}")
        return "\n".join(lines)


class SettingsError(MbgateError):
    """A stack's settings are missing or wrong."""

    default_code = "settings-invalid"


class PolicyError(MbgateError):
    """The policies can't be used."""

    default_code = "policies-invalid"


class RenderError(MbgateError):
    """A Worker's bundle can't be made."""

    default_code = "render-failed"


class DeployError(MbgateError):
    """The engine or its tools failed."""

    default_code = "deploy-failed"


class GuardrailError(MbgateError):
    """The guardrails can't judge what they were given."""

    default_code = "guardrails-failed"


class LocalCloudError(MbgateError):
    """A part of the local world can't start or answer."""

    default_code = "local-cloud-failed"
