"""Runs a Pulumi program as the official executor does, and reports its failure in one readable error."""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pulumi
from pulumi.errors import RunError


class Program:
    """One program: a directory with `__main__.py`, or a file in it."""

    def __init__(self, *, directory: Path, entry_point: str, working_directory: Path) -> None:
        self._path = directory / entry_point if entry_point != "." else directory
        self._working_directory = working_directory
        self.failure_shown = False
        """Whether the program failed and the engine has been told why."""

    @contextmanager
    def environment(self, arguments: list[str]) -> Iterator[None]:
        """The program's working directory and `sys.argv`, for the time that it runs."""
        directory, argv = Path.cwd(), sys.argv
        os.chdir(self._working_directory)
        sys.argv = [str(self._path), *arguments]
        try:
            yield
        finally:
            sys.argv = argv
            os.chdir(directory)

    def run(self) -> None:
        """Runs the program. A failure is logged as one error, then raised for the SDK to stop the stack."""
        if self._path.is_dir() and not (self._path / "__main__.py").is_file():
            self._fail(f"there is no `__main__.py` in {self._path}: name the program's folder as `main` in Pulumi.yaml")
        try:
            runpy.run_path(str(self._path), run_name="__main__")
        except RunError:
            raise
        except SystemExit as exit_:
            if exit_.code not in (None, 0):
                self._fail(f"the program ended itself with exit code {exit_.code}")
        except Exception as error:
            self._fail(describe(error, self._path))

    def _fail(self, message: str) -> None:
        self.failure_shown = True
        raise RunError(message)


def describe(error: BaseException, program: Path) -> str:
    """A user's mistake as its message alone; any other exception with the traceback from the program on.

    A user's mistake is an exception whose class says `is_user_error = True`.
    """
    if getattr(type(error), "is_user_error", False):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    entry = {str(program), str(program / "__main__.py")}
    first = next((index for index, frame in enumerate(frames) if frame.filename in entry), 0)
    shown = "".join(traceback.format_list(frames[first:]))
    reason = "".join(traceback.format_exception_only(error))
    return f"the program failed:\nTraceback (most recent call last):\n{shown}{reason}".rstrip()


def log_and_flush(message: str) -> None:
    """Sends an error to the engine now."""
    pulumi.log.error(message)
