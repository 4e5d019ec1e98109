"""What every Docker object of a stack has in common: names, labels, and containers that can do little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.naming import docker_name
from infra.settings import ContainerSettings, Settings

SECONDS_TO_STOP = 20
LOGS = {"max-size": "10m", "max-file": "5"}


class Engine:
    """The stack's objects on one Docker engine. Each has a name of its own and is labelled `mbgate=STACK`."""

    def __init__(self, settings: Settings, parent: pulumi.Resource) -> None:
        self._stack, self._scope = settings.stack, settings.docker.scope
        self._parent = parent
        # Content-addressed already: the local cloud's images carry their digest in the tag.
        self._warns = settings.cloudflare.base_url is None
        self._provider = docker.Provider(
            "docker", host=settings.docker.host, opts=pulumi.ResourceOptions(parent=parent)
        )

    @property
    def labels(self) -> list[dict[str, str]]:
        """By which whoever looks at the engine, and recovery, knows whose an object is."""
        scope = [{"label": "mbgate.scope", "value": self._scope}] if self._scope else []
        return [{"label": "mbgate", "value": self._stack}, *scope]

    def name(self, part: str) -> str:
        """The name of the stack's object for that part."""
        return docker_name(self._stack, self._scope, part)

    def options(self, **more: Any) -> pulumi.ResourceOptions:
        """The options of an object on this engine."""
        return pulumi.ResourceOptions(parent=self._parent, provider=self._provider, **more)

    def network(self, part: str, *, internal: bool) -> docker.Network:
        """A bridge network; an internal one has no way out, and none in from other networks."""
        return docker.Network(part, name=self.name(part), internal=internal, labels=self.labels, opts=self.options())

    def volume(self, part: str, *, protect: bool = False) -> docker.Volume:
        """A named volume; with `protect` the engine refuses to destroy it."""
        return docker.Volume(part, name=self.name(part), labels=self.labels, opts=self.options(protect=protect))

    def image(self, part: str, wanted: ContainerSettings) -> pulumi.Output[str]:
        """The image's id, of which the container is made. A tag is looked up once, when it is first named."""
        if not wanted.digest and self._warns:
            pulumi.log.warn(
                f"the image of `mbgate:{part}` is not pinned: set `mbgate:{part}.digest`, which "
                f"`docker buildx imagetools inspect {wanted.image}` prints"
            )
        image = docker.RemoteImage(f"{part}-image", name=wanted.reference, keep_locally=True, opts=self.options())
        return pulumi.Output.from_input(image.image_id).apply(str)

    def container(
        self,
        part: str,
        *,
        image: pulumi.Input[str],
        user: str,
        volumes: Sequence[Mapping[str, Any]],
        depends_on: Sequence[pulumi.Resource] = (),
        **more: Any,
    ) -> docker.Container:
        """A container with a read-only root, no capability, no way to more privileges, and no published port."""
        return docker.Container(
            part,
            name=self.name(part),
            image=image,
            user=user,
            volumes=[dict(volume) for volume in volumes],
            labels=self.labels,
            read_only=True,
            capabilities={"drops": ["ALL"]},
            security_opts=["no-new-privileges:true"],
            restart="unless-stopped",
            stop_timeout=SECONDS_TO_STOP,
            destroy_grace_seconds=SECONDS_TO_STOP,
            log_driver="json-file",
            log_opts=LOGS,
            opts=self.options(
                depends_on=list(depends_on),
                # Names are fixed, so the former one must go first.
                delete_before_replace=True,
                # The provider would note a change of these, and not apply it.
                replace_on_changes=["healthcheck", "tmpfs", "init"],
            ),
            **more,
        )
