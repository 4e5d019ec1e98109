"""The files that containers are given: secrets, start scripts, public keys.

Docker refuses uploads into a container whose root is read-only, and secrets in the environment are shown by
`docker inspect`. So one container, which ends at once, gets every upload into volumes; the others mount these
read-only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.metabase.secrets import public_jwks

from .containers import Engine
from .keys import Keys

FILES = "/run/mbgate"
HERE = "/files"
ENTRYPOINT = """\
#!/bin/sh
# Exports each file of env/ as the variable of its name, since Metabase reads few of its secrets from files.
set -eu
for file in /run/mbgate/env/*; do
  value=$(cat "$file")
  export "${file##*/}=$value"
done
exec /app/run_metabase.sh
"""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A container that reads files, the user and group as which it runs (those of its official image), and the mode of
    its files."""

    part: str
    owner: str
    mode: str = "0400"


METABASE = Reader(part="metabase", owner="2000:2000")
SIDECAR = Reader(part="sidecar", owner="1000:1000", mode="0444")
CONNECTOR = Reader(part="connector", owner="65532:65532")


class ContainerFiles:
    """Volumes with each reader's files. `container` has written them once it is there."""

    container: docker.Container

    def __init__(
        self,
        engine: Engine,
        *,
        image: pulumi.Output[str],
        data: tuple[docker.Volume, str],
        keys: Keys,
        tunnel_token: pulumi.Output[str],
        sidecar: str | None,
    ) -> None:
        """`data` is Metabase's own volume and its path: a new volume belongs to root, who Metabase isn't."""
        self._contents: dict[Reader, Mapping[str, pulumi.Input[str]]] = {
            METABASE: {
                "entrypoint.sh": ENTRYPOINT,
                "env/MB_ENCRYPTION_SECRET_KEY": keys.encryption.current,
                "env/MB_EMBEDDING_SECRET_KEY": keys.embedding.current,
            },
            CONNECTOR: {"token": tunnel_token},
        }
        if sidecar is not None:
            jwks = pulumi.Output.all(keys.assertion.current, keys.assertion.previous).apply(lambda k: public_jwks(*k))
            # Neither is secret, and the sidecar reads keys while a rotation writes them, before they are its own.
            self._contents[SIDECAR] = {"main.mjs": sidecar, "jwks.json": pulumi.Output.unsecret(jwks)}
        self._volumes = {reader: engine.volume(f"{reader.part}-files") for reader in self._contents}
        self.container = self._write(engine, image, data)
        self.container.exit_code.apply(self._tell_failure)

    def mount(self, reader: Reader) -> dict[str, Any]:
        """The reader's volume entry."""
        return {"volume_name": self._volumes[reader].name, "container_path": FILES, "read_only": True}

    def version(self, reader: Reader, only: Sequence[str] = ()) -> pulumi.Output[str]:
        """An environment entry that changes with the reader's files (`only` these): a change starts it anew."""
        contents = self._contents[reader]
        chosen = {name: contents[name] for name in sorted(only or contents)}
        return pulumi.Output.all(**chosen).apply(lambda known: f"MBGATE_FILES={_digest(known)}")

    def _tell_failure(self, exit_code: int | None) -> None:
        """The provider takes any end for success."""
        if exit_code:
            text = f"it ended with exit status {exit_code}, so the others lack their files; `docker logs` says why"
            pulumi.log.error(text, self.container)

    def _write(self, engine: Engine, image: pulumi.Output[str], data: tuple[docker.Volume, str]) -> docker.Container:
        volume, path = data
        owners = [f"chown -R {reader.owner} {HERE}/{reader.part}" for reader in self._contents]
        owners.append(f"chown {METABASE.owner} {path}")
        return docker.Container(
            "files",
            name=engine.name("files"),
            image=image,
            user="0:0",
            entrypoints=["/bin/sh", "-c"],
            command=[" && ".join(owners)],
            uploads=[
                {"file": f"{HERE}/{reader.part}/{name}", "content": content, "permissions": reader.mode}
                for reader, contents in self._contents.items()
                for name, content in contents.items()
            ],
            volumes=[
                *(
                    {"volume_name": self._volumes[reader].name, "container_path": f"{HERE}/{reader.part}"}
                    for reader in self._contents
                ),
                {"volume_name": volume.name, "container_path": path},
            ],
            labels=engine.labels,
            network_mode="none",
            capabilities={"drops": ["ALL"], "adds": ["CAP_CHOWN"]},
            security_opts=["no-new-privileges:true"],
            # It runs to its end before anybody who reads the files starts.
            attach=True,
            must_run=False,
            restart="no",
            opts=engine.options(delete_before_replace=True),
        )


def _digest(contents: Mapping[str, str]) -> str:
    running = hashlib.sha256()
    for name, content in sorted(contents.items()):
        running.update(f"{name}\0{len(content)}\0{content}".encode())
    return running.hexdigest()
