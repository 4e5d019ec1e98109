"""Which of the engine's plugins this machine has, and stand-ins for the rest. Official ones always win."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from infra.errors import LocalCloudError

from .world import World


def stand_in_path(world: World, report: Callable[[str], None]) -> list[Path]:
    """Folders to add at the end of PATH for the engine; empty where every official plugin is there.

    The local cloud is asked as a process, since its code is never imported here.
    """
    command = [sys.executable, "-m", "localcloud.plugins.report", "--folder", str(world.folder / "plugins")]
    done = subprocess.run(command, cwd=world.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalCloudError(f"the plugins can't be looked up: {done.stderr.strip()[-300:]}", code="plugins-unknown")
    found = json.loads(done.stdout)
    for name, place in sorted(found["plugins"].items()):
        report(f"{name}: {'official, ' + place if place else 'stand-in of the local cloud'}")
    return [Path(folder) for folder in found["path"]]
