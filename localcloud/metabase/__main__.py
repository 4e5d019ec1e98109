"""`python -m localcloud.metabase`: serves the stand-in on loopback."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

import uvicorn

from .app import make_app


def main() -> None:
    """Reads the arguments, takes the port, serves until SIGTERM."""
    parser = argparse.ArgumentParser(prog="localcloud.metabase", description="a stand-in for Metabase")
    parser.add_argument("--state", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--setup-token-file")
    parser.add_argument("--initialize-seconds", type=float, default=0)
    args = parser.parse_args()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", args.port))
    except OSError as error:
        sys.exit(f"localcloud.metabase: port {args.port} can't be used: {error.strerror}")
    token = Path(args.setup_token_file).read_text().strip() if args.setup_token_file else None
    app = make_app(Path(args.state), setup_token=token, boot_seconds=args.initialize_seconds)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
