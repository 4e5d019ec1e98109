"""`python -m localcloud.api`: serves the local Cloudflare API on loopback."""

from __future__ import annotations

import argparse
import re
import socket
import sys
from pathlib import Path

import uvicorn

from .app import make_app
from .store import Store
from .world import World

TOKEN = re.compile(r"[0-9A-Za-z\-_]{40,80}")


def main() -> None:
    """Reads the arguments, takes the port, serves until SIGTERM."""
    parser = argparse.ArgumentParser(prog="localcloud.api", description="Cloudflare's REST API for the local world")
    for name in ("--state", "--token-file", "--account", "--zone-id", "--zone-name", "--team-url"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    folder = Path(args.state)
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    token = Path(args.token_file).read_text().strip()
    if not TOKEN.fullmatch(token):
        sys.exit(f"localcloud.api: `{args.token_file}` holds no API token (40 to 80 of A-Z a-z 0-9 - _)")
    world = World(
        store=Store(folder / "cloud.sqlite"),
        account_id=args.account,
        zone_id=args.zone_id,
        zone_name=args.zone_name,
        team_url=args.team_url,
        token=token,
    )
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", args.port))
    except OSError as error:
        sys.exit(f"localcloud.api: port {args.port} can't be used: {error.strerror}")
    app = make_app(world, folder / "logs" / "cloudflare-api.ndjson")
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
