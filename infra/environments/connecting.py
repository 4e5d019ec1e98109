"""The connector beside an external Metabase: started as soon as a deployment has made its tunnel.

`pulumi up` sets Metabase up through the tunnel, so the connector can't wait for the end of the deployment. An operator
of a real stack does the same by hand (README, "Metabase runs elsewhere already").
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from infra.naming import resource_name

from . import processes
from .toolchain import Report
from .world import ACCOUNT_ID, STACK, World, write_private

POLL_SECONDS = 0.3


@contextmanager
def connector_alongside(world: World, report: Report) -> Iterator[None]:
    """Within the block, the connector is started when the tunnel's token can be had, and anew when it is another."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            if ensure_connector(world):
                report("connector: started")

    watcher = threading.Thread(target=watch, name="connector", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def ensure_connector(world: World) -> bool:
    """Runs the connector with the tunnel's present token, where there is a tunnel; True where it was started now."""
    token, file = _tunnel_token(world), world.folder / "tunnel-token"
    if token is None:
        return False
    if not file.exists() or file.read_text() != token:
        write_private(file, token)
        processes.stop(world, "connector")
    return processes.start(world, processes.connector(world))


def _tunnel_token(world: World) -> str | None:
    headers = {"Authorization": f"Bearer {world.token_file.read_text().strip()}"}
    tunnels = f"{world.cloudflare_api}/accounts/{ACCOUNT_ID}/cfd_tunnel"
    try:
        with httpx.Client(headers=headers, trust_env=False, timeout=5) as client:
            wanted = {"name": resource_name(STACK, "tunnel"), "is_deleted": "false"}
            found = client.get(tunnels, params=wanted).json()["result"]
            return str(client.get(f"{tunnels}/{found[0]['id']}/token").json()["result"]) if found else None
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
