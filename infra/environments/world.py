"""Where the local world keeps itself: folder, ports, identities. Nothing of it lies in the checkout."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.errors import LocalCloudError

DEFAULT_PORT = 8480
STACK = "local"
ACCOUNT_ID = "0123456789abcdef0123456789abcdef"
ZONE_ID = "fedcba9876543210fedcba9876543210"
CLIENT_ID = "mbgate"
PEOPLE: tuple[tuple[str, str, list[str], str, str | None], ...] = (
    ("analyst", "Ana Lyst", ["bi-analysts"], "sales", "analyst"),
    ("engineer", "Enzo Gineer", ["bi-engineers"], "platform", "engineer"),
    ("exec", "Eve Xec", ["bi-execs"], "leadership", "exec"),
    ("visitor", "Vic Sitor", [], "facilities", None),
)


@dataclass(frozen=True, kw_only=True)
class World:
    """One checkout's local world."""

    root: Path
    folder: Path
    port: int

    @property
    def gateway_url(self) -> str:
        """What people open: `localhost`, which every client resolves."""
        return f"http://localhost:{self.port}"

    @property
    def cloudflare_api(self) -> str:
        """The base URL of the local Cloudflare API."""
        return f"http://127.0.0.1:{self.port + 1}/client/v4"

    @property
    def issuer(self) -> str:
        """The OIDC provider: 127.0.0.1 is another host than `localhost`, so that cookies stay apart."""
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def origin(self) -> str:
        """The Metabase process, reachable on this machine only."""
        return f"http://127.0.0.1:{self.port + 3}"

    @property
    def tunnel_edge(self) -> str:
        """Where the connector dials in."""
        return f"127.0.0.1:{self.port + 4}"

    @property
    def team_url(self) -> str:
        """The Access team domain."""
        return f"http://127.0.0.1:{self.port + 5}"

    @property
    def logs(self) -> Path:
        """Every part's log, and the audit trail."""
        return self.folder / "logs"

    @property
    def edge_socket(self) -> Path:
        """Where the edge listens for a connector in a container, into which this folder is mounted."""
        return self.folder / "tunnel" / "edge.sock"

    @property
    def scope(self) -> str:
        """What tells this world's containers from those of another checkout's on the same engine."""
        return "w" + hashlib.sha256(str(self.folder).encode()).hexdigest()[:6]

    @property
    def token_file(self) -> Path:
        """The local API token."""
        return self.folder / "api-token"

    def accounts(self) -> list[dict[str, Any]]:
        """The people who can sign in, with their passwords; empty before the first start."""
        path = self.folder / "accounts.json"
        return list(json.loads(path.read_text())) if path.exists() else []


def open_world(root: Path, environ: dict[str, str] | None = None) -> World:
    """The world of the checkout at `root`; `MBGATE_STATE` and `MBGATE_PORT` choose another folder and other ports.

    A world that exists keeps the ports that it was made with.
    """
    env = dict(os.environ) if environ is None else environ
    base = Path(env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "mbgate"
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
    folder = Path(env["MBGATE_STATE"]) if env.get("MBGATE_STATE") else base / name
    marker = folder / "world.json"
    if marker.exists():
        return World(root=root, folder=folder, port=int(json.loads(marker.read_text())["port"]))
    return World(root=root, folder=folder, port=_chosen_port(env))


def _chosen_port(env: dict[str, str]) -> int:
    text = env.get("MBGATE_PORT", str(DEFAULT_PORT))
    if not text.isdigit() or not 1024 <= int(text) <= 65500:
        raise LocalCloudError(
            f"MBGATE_PORT is `{text}`, which is no port between 1024 and 65500",
            code="port-invalid",
            help="the local world uses six ports from this one on",
        )
    return int(text)


def prepare(world: World) -> None:
    """Makes the folder and the identities where they are missing; what exists is kept."""
    world.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("logs", "run", "pulumi", "metabase"):
        (world.folder / name).mkdir(exist_ok=True, mode=0o700)
    # A container's user must pass through it; the world's own folder keeps everybody else out.
    (world.folder / "tunnel").mkdir(exist_ok=True)
    (world.folder / "tunnel").chmod(0o755)
    write_private(world.folder / "world.json", json.dumps({"port": world.port, "root": str(world.root)}))
    write_once(world.token_file, lambda: secrets.token_urlsafe(36))
    write_once(world.folder / "passphrase", lambda: secrets.token_urlsafe(30))
    write_once(world.folder / "client-secret", lambda: secrets.token_urlsafe(30))
    write_once(world.folder / "bot-secret", lambda: secrets.token_urlsafe(30))
    write_once(world.folder / "accounts.json", lambda: json.dumps(_new_accounts(), indent=2))
    write_private(world.folder / "clients.json", json.dumps(_clients(world), indent=2))


def _new_accounts() -> list[dict[str, Any]]:
    return [
        {
            "email": f"{name}@acme.test",
            "password": secrets.token_urlsafe(9),
            "role": role,
            "name": full_name,
            "groups": groups,
            "department": department,
        }
        for name, full_name, groups, department, role in PEOPLE
    ]


def _clients(world: World) -> list[dict[str, Any]]:
    return [
        {
            "client_id": CLIENT_ID,
            "client_secret": (world.folder / "client-secret").read_text(),
            "redirect_uris": [
                f"{world.gateway_url}/_gateway/callback",
                f"{world.team_url}/cdn-cgi/access/callback",
            ],
            "post_logout_redirect_uris": [f"{world.gateway_url}/_gateway/signed-out"],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
        },
        {
            "client_id": "ci-bot",
            "client_secret": (world.folder / "bot-secret").read_text(),
            "redirect_uris": [],
            "grant_types": ["client_credentials"],
            "response_types": [],
            "claims": {"groups": ["bi-analysts"], "department": "sales"},
            "resources": [world.gateway_url],
        },
    ]


def write_once(path: Path, make: Any) -> None:
    """Writes what `make()` answers, readable by the owner only, unless the file is there."""
    if not path.exists():
        write_private(path, make())


def write_private(path: Path, text: str) -> None:
    """Writes a file of mode 0600 in one step: readers see the old text or the new, never half of it."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)


def port_is_taken(port: int) -> bool:
    """True where something listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
