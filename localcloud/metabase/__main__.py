"""`python -m localcloud.metabase`: serves the stand-in, on loopback unless told otherwise."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn

from .app import app_of
from .instance import Options
from .passwords import COMPLEXITY
from .store import StoreError


class Server(uvicorn.Server):
    """Ends with code 0 when told to; the base class would raise the signal once more after the shutdown."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        """On SIGTERM and SIGINT; the second one doesn't wait."""
        self.force_exit = self.should_exit
        self.should_exit = True


def main(argv: list[str] | None = None) -> None:
    """Reads the arguments, takes the port, serves until SIGTERM; exits 1 with one line if it can't start."""
    args = _parser().parse_args(argv)
    listener = _listen(args.host, args.port)
    try:
        app = app_of(Path(args.state), _options(args))
    except (OSError, StoreError) as error:
        _refuse(f"can't open the state in `{args.state}`: {error}")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
    # A signal before the server is up ends the process as quietly as one after.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(config).run(sockets=[listener])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="localcloud.metabase", description="a stand-in for open-source Metabase")
    parser.add_argument("--state", required=True, help="folder of its databases and logs")
    parser.add_argument("--host", default="127.0.0.1", help="IPv4 address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8483)
    parser.add_argument("--setup-token-file", help="file with the token that POST /api/setup will ask for")
    parser.add_argument("--initialize-seconds", type=float, default=0.0, help="how long health says `initializing`")
    return parser


def _options(args: argparse.Namespace) -> Options:
    token = os.environ.get("MB_SETUP_TOKEN")
    if args.setup_token_file:
        try:
            token = Path(args.setup_token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            _refuse(f"can't read the setup token file `{args.setup_token_file}`: {error}")
    minutes = os.environ.get("MAX_SESSION_AGE", "20160")
    if not minutes.isdigit() or int(minutes) == 0:
        _refuse(f"MAX_SESSION_AGE must be minutes, a whole number above zero, not `{minutes}`")
    complexity = os.environ.get("MB_PASSWORD_COMPLEXITY", "normal")
    if complexity not in COMPLEXITY:
        _refuse(f"MB_PASSWORD_COMPLEXITY must be one of {', '.join(COMPLEXITY)}, not `{complexity}`")
    return Options(
        password_complexity=complexity,
        setup_token=token or None,
        max_session_minutes=int(minutes),
        address_header=os.environ.get("MB_SOURCE_ADDRESS_HEADER", "x-forwarded-for").lower(),
        boot_seconds=args.initialize_seconds,
    )


def _listen(host: str, port: int) -> socket.socket:
    # Named TCP, or asyncio would not set TCP_NODELAY on its connections and small answers would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "not a port number"
        _refuse(f"port {port} of {host} can't be used: {reason.lower()}; end what listens there or choose another")
    return listener


def _refuse(message: str) -> NoReturn:
    print(f"localcloud.metabase: {message}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
