"""`python -m localcloud.images --host unix:///path/docker.sock`: makes what is missing, prints the tags."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from localcloud.images.engine import ensure
from localcloud.images.failure import ImageError
from localcloud.images.recipes import recipes

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_HOST = "unix:///var/run/docker.sock"


def main(argv: list[str] | None = None) -> int:
    """The exit status: 0, or 1 with one line on stderr."""
    parser = argparse.ArgumentParser(prog="localcloud.images", description="images of the local cloud")
    parser.add_argument("--host", default=DEFAULT_HOST, help=f"the Docker engine ({DEFAULT_HOST})")
    args = parser.parse_args(argv)
    try:
        tags = ensure(args.host, recipes(ROOT))
    except ImageError as error:
        print(f"localcloud.images: {error}", file=sys.stderr)
        return 1
    print(json.dumps(tags))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
