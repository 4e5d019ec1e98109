"""Runs a Pulumi program as the official executor does, and reports its failure as one readable error."""

from __future__ import annotations

import asyncio
import contextvars
import os
import runpy
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pulumi
from pulumi.errors import RunError
from pulumi.runtime import reset_options, run_in_stack, set_all_config


class Program:
    """One program: a directory with `__main__.py`, or a file."""

    def __init__(self, *, directory: Path, entry_point: str, working_directory: Path) -> None:
        self._path = directory if entry_point == "." else directory / entry_point
        self._working_directory = working_directory

    def run(self, request: Any) -> bool:
        """Runs the program for a `RunRequest`: whether it succeeded. A failure has been logged when this returns."""
        return contextvars.copy_context().run(self._run, request)

    def _run(self, request: Any) -> bool:
        # The engine gives its own address as the first argument.
        engine, *arguments = request.args or [""]
        reset_options(
            project=request.project,
            stack=request.stack,
            organization=request.organization or "organization",
            monitor_address=request.monitor_address,
            engine_address=engine,
            parallel=request.parallel,
            preview=request.dryRun,
        )
        set_all_config(dict(request.config), list(request.configSecretKeys))
        try:
            with self._surroundings(arguments), _event_loop(request.parallel) as loop:
                loop.run_until_complete(run_in_stack(self._execute))
        except RunError as error:
            message = str(error)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                # The engine's monitor is shutting down because of a failure that the engine itself reports.
                return False
            message = f"the engine refused a request of the program: {error.details()}"
        except Exception as error:
            message = describe(error, self._path)
        else:
            return True
        pulumi.log.error(message)
        return False

    @contextmanager
    def _surroundings(self, arguments: list[str]) -> Iterator[None]:
        """The program's working directory and `sys.argv`, for the time that it runs."""
        directory, argv = Path.cwd(), sys.argv
        os.chdir(self._working_directory)
        sys.argv = [str(self._path), *arguments]
        try:
            yield
        finally:
            sys.argv = argv
            os.chdir(directory)
            sys.stdout.flush()
            sys.stderr.flush()

    def _execute(self) -> None:
        if self._path.is_dir() and not (self._path / "__main__.py").is_file():
            raise RunError(
                f"there is no `__main__.py` in `{self._path}`; name the program's folder as `main` in Pulumi.yaml"
            )
        try:
            # For a directory, runpy puts it first on `sys.path`.
            runpy.run_path(str(self._path), run_name="__main__")
        except SystemExit as end:
            if end.code not in (None, 0):
                raise RunError(f"the program ended itself with exit status `{end.code}`") from None


@contextmanager
def _event_loop(parallel: int) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop of its own; tasks that a failure leaves behind are cancelled without a word."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(executor)
    # The program's own failure is the one to show, not that of each task that hung on it.
    loop.set_exception_handler(lambda *_: None)
    try:
        yield loop
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                loop.run_until_complete(task)
        executor.shutdown(wait=True)
        loop.close()
        asyncio.set_event_loop(None)


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
