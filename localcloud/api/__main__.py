"""`python -m localcloud.api`: serves the local Cloudflare API on loopback."""

from __future__ import annotations

import argparse
import re
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette

from .app import make_app
from .store import Store, StoreError
from .world import World

TOKEN = re.compile(r"[0-9A-Za-z\-_]{40,80}")
IDENTIFIER = re.compile(r"[0-9a-f]{32}")


class Server(uvicorn.Server):
    """Stops when told to: open long polls end at once, and the process ends with code 0."""

    def __init__(self, app: Starlette, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        """On SIGTERM and SIGINT. The base class would raise the signal again, before the state is closed."""
        self._app.state.closing = True
        self.force_exit = self.should_exit
        self.should_exit = True


def main(argv: list[str] | None = None) -> None:
    """Reads the arguments, takes the port, serves until SIGTERM; exits 1 with one message if it can't start."""
    args = _parser().parse_args(argv)
    for name in ("account", "zone_id"):
        if not IDENTIFIER.fullmatch(getattr(args, name)):
            _refuse(f"--{name.replace('_', '-')} must be 32 hexadecimal digits, not `{getattr(args, name)}`")
    folder, token = Path(args.state), _token(Path(args.token_file))
    listener = _listen(args.port)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "logs").mkdir(exist_ok=True, mode=0o700)
        store = Store(folder / "cloud.sqlite")
    except (OSError, StoreError) as error:
        _refuse(f"can't open the state in `{folder}`: {error}")
    world = World(
        store=store,
        account_id=args.account,
        zone_id=args.zone_id,
        zone_name=args.zone_name.lower(),
        team_url=args.team_url,
        token=token,
    )
    app = make_app(world, folder / "logs" / "cloudflare-api.ndjson")
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    Server(app, config).run(sockets=[listener])
    store.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="localcloud.api", description="Cloudflare's REST API for the local world")
    for name in ("--state", "--token-file", "--account", "--zone-id", "--zone-name", "--team-url"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, required=True)
    return parser


def _token(path: Path) -> str:
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        _refuse(f"can't read the token file `{path}`: {getattr(error, 'strerror', None) or 'not text'}")
    if not TOKEN.fullmatch(token):
        _refuse(f"`{path}` holds no API token (40 to 80 of A-Z a-z 0-9 - _)")
    return token


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "not a port number"
        _refuse(f"port {port} of 127.0.0.1 can't be used: {reason.lower()}; end what listens there or choose another")
    return listener


def _refuse(message: str) -> NoReturn:
    print(f"localcloud.api: {message}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
