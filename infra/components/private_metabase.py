"""The private Metabase on a Docker engine: no published port, no way in but the Tunnel, nobody without an assertion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.metabase.connection import ASSERTION_AUDIENCE
from infra.render.bundle import sidecar_code
from infra.settings import Settings

from .container_files import CONNECTOR, FILES, METABASE, SIDECAR, ContainerFiles
from .containers import Engine
from .keys import Keys

METABASE_PORT = 3000
METABASE_ALIAS = "metabase"
DATA = "/metabase-data"
EDGE = "/run/edge"
METRICS = "127.0.0.1:2000"
# Programs and native libraries are unpacked into it, so it can't be mounted without `exec`.
SCRATCH = "rw,exec,nosuid,nodev,mode=1777"


class PrivateMetabase(pulumi.ComponentResource):
    """Networks, volumes and containers: Metabase, the connector, and by setting the sidecar between them.

    ```
    egress ── connector ── private (internal) ── sidecar ── metabase (internal) ── Metabase
    ```

    Without the sidecar Metabase itself is on the network `private`. Outputs: `instance`, which tells this Metabase
    from another, `revision`, which is new with each container of it, and the volume `data`.
    """

    instance: pulumi.Output[str]
    revision: pulumi.Output[str]
    data: docker.Volume

    def __init__(
        self,
        settings: Settings,
        *,
        root: Path,
        keys: Keys,
        tunnel_token: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mbgate:components:PrivateMetabase", "private-metabase", None, opts)
        self._settings, self._engine = settings, Engine(settings, self)
        metabase_image = self._engine.image("metabase", settings.metabase)
        self.data = self._engine.volume("metabase-data", protect=settings.metabase.protect_data)
        self._files = ContainerFiles(
            self._engine,
            image=metabase_image,
            data=(self.data, DATA),
            keys=keys,
            tunnel_token=tunnel_token,
            sidecar=sidecar_code(root) if settings.sidecar.enabled else None,
        )
        private = self._engine.network("private", internal=True)
        if settings.sidecar.enabled:
            inner = self._engine.network("metabase", internal=True)
            self._metabase_container = self._metabase(metabase_image, inner, METABASE_ALIAS, METABASE_PORT)
            self._sidecar(inner, private)
        else:
            host, port = settings.origin.host, settings.origin.port
            self._metabase_container = self._metabase(metabase_image, private, host, port)
        self._connector(private)
        self.revision = self._metabase_container.id
        self.instance = self.data.id.apply(lambda volume: f"docker volume {volume}")
        self.register_outputs({})

    def _metabase(self, image: pulumi.Output[str], network: docker.Network, alias: str, port: int) -> docker.Container:
        settings = self._settings.metabase
        others = [{"name": name} for name in settings.networks]
        return self._engine.container(
            "metabase",
            image=image,
            user=METABASE.owner,
            entrypoints=["/bin/sh", f"{FILES}/entrypoint.sh"],
            # What only the environment can set; everything else is set by API (infra/metabase/hardening.py).
            envs=[
                *(f"MB_JETTY_PORT={port}", "MB_JETTY_HOST=0.0.0.0", f"MB_DB_FILE={DATA}/metabase.db"),
                # Both folders are in memory and count against the limit, and the user has no home in the image.
                *("MB_PLUGINS_DIR=/plugins", "HOME=/tmp", "JAVA_OPTS=-XX:MaxRAMPercentage=50 -Duser.home=/tmp"),
                "MB_SEND_EMAIL_ON_FIRST_LOGIN_FROM_NEW_DEVICE=false",
                self._files.version(METABASE),
            ],
            volumes=[self._files.mount(METABASE), {"volume_name": self.data.name, "container_path": DATA}],
            tmpfs={"/tmp": SCRATCH, "/plugins": SCRATCH},  # noqa: S108 - in the container
            networks_advanced=[{"name": network.name, "aliases": [alias]}, *others],
            memory=settings.memory_mb,
            memory_swap=settings.memory_mb,
            healthcheck=_healthcheck(
                ["CMD", "curl", "--fail", "--silent", "--max-time", "5", f"http://localhost:{port}/api/health"],
                start_period="5m0s",
            ),
            depends_on=[self._files.container],
        )

    def _sidecar(self, inner: docker.Network, private: docker.Network) -> None:
        settings = self._settings
        port = settings.origin.port
        look = f"fetch('http://127.0.0.1:{port}/_sidecar/health').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"
        self._engine.container(
            "sidecar",
            image=self._engine.image("sidecar", settings.sidecar),
            user=SIDECAR.owner,
            command=["node", f"{FILES}/main.mjs"],
            envs=[
                f"MBGATE_UPSTREAM=http://{METABASE_ALIAS}:{METABASE_PORT}",
                f"MBGATE_KEYS_FILE={FILES}/jwks.json",
                f"MBGATE_ISSUER={settings.gateway.url}",
                f"MBGATE_AUDIENCE={ASSERTION_AUDIENCE}",
                f"MBGATE_PORT={port}",
                # The keys are read anew when they change; only new code needs a new process.
                self._files.version(SIDECAR, only=("main.mjs",)),
            ],
            volumes=[self._files.mount(SIDECAR)],
            networks_advanced=[
                {"name": inner.name},
                {"name": private.name, "aliases": [settings.origin.host]},
            ],
            memory=256,
            memory_swap=256,
            healthcheck=_healthcheck(["CMD", "node", "-e", look]),
            depends_on=[self._files.container, self._metabase_container],
        )

    def _connector(self, private: docker.Network) -> None:
        settings = self._settings.connector
        egress = self._engine.network("egress", internal=False)
        envs: list[Any] = [
            f"TUNNEL_TOKEN_FILE={FILES}/token",
            # The image's own setting has its metrics, and with them the account's ids, on every network.
            f"TUNNEL_METRICS={METRICS}",
            self._files.version(CONNECTOR),
        ]
        volumes = [self._files.mount(CONNECTOR)]
        if settings.edge_socket is not None:
            socket = Path(settings.edge_socket)
            envs.append(f"TUNNEL_EDGE=unix:{EDGE}/{socket.name}")
            volumes.append({"host_path": str(socket.parent), "container_path": EDGE, "read_only": True})
        self._engine.container(
            "connector",
            image=self._engine.image("connector", settings),
            user=CONNECTOR.owner,
            command=["tunnel", "run"],
            envs=envs,
            volumes=volumes,
            networks_advanced=[{"name": private.name}, {"name": egress.name}],
            memory=256,
            memory_swap=256,
            healthcheck=_healthcheck(["CMD", "cloudflared", "tunnel", "--metrics", METRICS, "ready"]),
            depends_on=[self._files.container],
        )


def _healthcheck(tests: list[str], start_period: str = "10s") -> dict[str, Any]:
    return {"tests": tests, "interval": "10s", "timeout": "6s", "retries": 3, "start_period": start_period}
