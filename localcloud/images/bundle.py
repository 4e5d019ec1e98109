"""One file of a Node program and the modules that it imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from localcloud.images.failure import ImageError

_OPTIONS = ("--bundle", "--platform=node", "--format=cjs", "--target=node22", "--charset=utf8", "--log-level=warning")


def bundled(root: Path, entry: str) -> str:
    """The program as one CommonJS file. Raises ImageError where esbuild is missing or refuses."""
    esbuild = root / "node_modules" / ".bin" / "esbuild"
    # esbuild's launcher is a Node.js script, and the virtual environment has a Node.js of its own.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    command = [str(esbuild), entry, *_OPTIONS]
    try:
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
        )
    except OSError:
        raise ImageError(f"`{esbuild}` can't be run, so nothing can be bundled; run `make setup`") from None
    if done.returncode != 0:
        reason = next(iter(done.stderr.strip().splitlines()), "it said nothing")
        raise ImageError(f"`{entry}` can't be bundled: {reason}")
    return done.stdout
