"""`python -m localcloud.plugins.report --folder F`: which plugins are official, and what to append to PATH, as JSON."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from .discover import find_official, plugin_path


def main() -> None:
    """Links stand-ins for what is missing into the folder and prints what was found."""
    parser = argparse.ArgumentParser(prog="localcloud.plugins.report")
    parser.add_argument("--folder", required=True)
    folder = Path(parser.parse_args().folder)
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    path = os.environ.get("PATH", "")
    found = {name: str(place) if place else None for name, place in find_official(home, path).items()}
    print(json.dumps({"plugins": found, "path": [str(p) for p in plugin_path(home, path, folder)]}))


if __name__ == "__main__":
    main()
