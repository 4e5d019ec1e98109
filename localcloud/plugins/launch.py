"""What the launchers in `bin/` run: `python -P launch.py language-python|resource-cloudflare|resource-docker ARGS`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

_MODULES = {
    "language-python": "localcloud.plugins.language_host",
    "resource-cloudflare": "localcloud.plugins.cloudflare.__main__",
    "resource-docker": "localcloud.plugins.docker.__main__",
}


def main() -> None:
    """Imports the plugin from this checkout, whether it is installed or not, and serves it."""
    name, *arguments = sys.argv[1:]
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    plugin = importlib.import_module(_MODULES[name])
    # A Pulumi program finds on `sys.path` what it would find there under the official host, and no more.
    sys.path.pop()
    plugin.main(arguments)


if __name__ == "__main__":
    main()
