"""Runs small programs for checks: bounded in time, never asking anything."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a program ended; `code` is None where it could not run or took too long."""

    code: int | None
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """What it said last, for messages."""
        lines = (self.err or self.out).strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"


def ask(command: list[str], environ: Mapping[str, str], *, seconds: float = 3, cwd: Path | None = None) -> Answer:
    """Runs the program without a terminal and ends it when its time is over."""
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(code=None, out="", err=f"no answer within {seconds:g} s")
    except OSError as error:
        return Answer(code=None, out="", err=error.strerror or type(error).__name__)
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)
