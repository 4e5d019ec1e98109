"""What a check is and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from infra.errors import Fault, MbgateError

from .subject import Subject

Status = Literal["ok", "warning", "error", "skipped"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found: what is the matter, where, and what to do. `code` is stable; `name` is the check's."""

    status: Status
    message: str
    help: str | None = None
    code: str | None = None
    name: str = ""


Found = Finding | list[Finding]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question. It is asked when those that it `needs` were answered well and those that it comes `after` were
    answered at all, where the settings that it `uses` (`section.key`) are sound; and given up after `seconds`."""

    name: str
    run: Callable[[Subject], Found]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    uses: tuple[str, ...] | None = None
    seconds: float = 5.0

    @property
    def family(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]


def ok(message: str) -> Finding:
    """Nothing is wrong."""
    return Finding(status="ok", message=message)


def warning(code: str, message: str, help: str) -> Finding:
    """It works, but somebody should know."""
    return Finding(status="warning", message=message, help=help, code=code)


def error(code: str, message: str, help: str) -> Finding:
    """`pulumi up` would fail, or people would be stuck."""
    return Finding(status="error", message=message, help=help, code=code)


def skipped(message: str, code: str = "not-needed") -> Finding:
    """Not looked at, and why."""
    return Finding(status="skipped", message=message, code=code)


def from_fault(fault: Fault, default_help: str) -> Finding:
    """A fault of an input as an error, with its place."""
    where = ":".join(str(part) for part in (fault.file, fault.line, fault.column) if part is not None)
    text = f"{where}: {fault.message}" if where else fault.message
    return error(fault.code, text, fault.help or default_help)


def from_error(failure: MbgateError, default_help: str) -> Found:
    """An expected failure: its faults one by one, or itself."""
    if failure.faults:
        return [from_fault(fault, failure.help or default_help) for fault in failure.faults]
    return error(failure.code, failure.message, failure.help or default_help)
