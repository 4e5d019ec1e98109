"""Networks, volumes and images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import docker
from docker.errors import ImageNotFound
from docker.models.images import Image
from typing_extensions import override

from localcloud.plugins.docker.resource import Inputs, Resource, State, labels_of
from localcloud.plugins.serving import PluginError

_LABEL = ("label", "value")


class Network(Resource):
    """`docker_network`."""

    kind = "docker:index/network:Network"
    optional = ("attachable", "driver", "internal", "ipamConfigs", "ipv6", "labels", "name", "options")
    nested: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "labels": _LABEL,
        "ipamConfigs": ("auxAddress", "gateway", "ipRange", "subnet"),
    }
    outputs = ("driver", "internal", "scope")

    @override
    def create(self, client: docker.DockerClient, inputs: Inputs) -> tuple[str, State]:
        pools = [
            docker.types.IPAMPool(
                subnet=pool.get("subnet"),
                iprange=pool.get("ipRange"),
                gateway=pool.get("gateway"),
                aux_addresses=pool.get("auxAddress"),
            )
            for pool in inputs.get("ipamConfigs") or []
        ]
        if client.networks.list(names=[f"^{inputs['name']}$"]):
            raise PluginError(f"a network named `{inputs['name']}` already exists")
        network = client.networks.create(
            inputs["name"],
            driver=inputs.get("driver", "bridge"),
            options=inputs.get("options"),
            ipam=docker.types.IPAMConfig(pool_configs=pools) if pools else None,
            internal=inputs.get("internal", False),
            enable_ipv6=inputs.get("ipv6", False),
            attachable=inputs.get("attachable"),
            labels=labels_of(inputs),
        )
        made = str(network.id)
        return made, self._outputs(client, made)

    @override
    def read(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> tuple[State, State]:
        outputs = self._outputs(client, object_id)
        wanted = inputs.get("internal", False)
        return outputs, ({} if outputs["internal"] == wanted else {"internal": outputs["internal"]})

    @override
    def delete(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> None:
        client.networks.get(object_id).remove()

    def _outputs(self, client: docker.DockerClient, object_id: str) -> State:
        found = client.networks.get(object_id).attrs
        return {"driver": found["Driver"], "internal": found["Internal"], "scope": found["Scope"]}


class Volume(Resource):
    """`docker_volume`. One of that name that exists is taken with its content.

    That is the engine's own behaviour, which the official provider leaves as it is: a volume that was kept when its
    stack was destroyed (`retain_on_delete`) is found again by the next stack.
    """

    kind = "docker:index/volume:Volume"
    optional = ("driver", "driverOpts", "labels", "name")
    nested: ClassVar[Mapping[str, tuple[str, ...]]] = {"labels": _LABEL}
    outputs = ("driver", "mountpoint")

    @override
    def create(self, client: docker.DockerClient, inputs: Inputs) -> tuple[str, State]:
        client.volumes.create(
            inputs["name"],
            driver=inputs.get("driver", "local"),
            driver_opts=inputs.get("driverOpts"),
            labels=labels_of(inputs),
        )
        return inputs["name"], self.read(client, inputs["name"], inputs)[0]

    @override
    def read(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> tuple[State, State]:
        found = client.volumes.get(object_id).attrs
        labels = found["Labels"] or {}
        is_as_asked = labels == labels_of(inputs)
        changed = {} if is_as_asked else {"labels": [{"label": k, "value": v} for k, v in sorted(labels.items())]}
        return {"driver": found["Driver"], "mountpoint": found["Mountpoint"]}, changed

    @override
    def delete(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> None:
        client.volumes.get(object_id).remove()


class RemoteImage(Resource):
    """`docker_image`: one that the engine has is used as it is; another is pulled. It is always found by its name."""

    kind = "docker:index/remoteImage:RemoteImage"
    required = ("name",)
    optional = ("forceRemove", "keepLocally", "platform", "pullTriggers", "triggers")
    outputs = ("imageId", "repoDigest")
    in_place = frozenset({"forceRemove", "keepLocally"})
    is_named = False

    @override
    def create(self, client: docker.DockerClient, inputs: Inputs) -> tuple[str, State]:
        try:
            image = client.images.get(inputs["name"])
        except ImageNotFound:
            image = client.images.pull(inputs["name"], platform=inputs.get("platform"))
            image = image[0] if isinstance(image, list) else image
        return image.id + inputs["name"], self._outputs(image)

    @override
    def read(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> tuple[State, State]:
        return self._outputs(client.images.get(inputs["name"])), {}

    @override
    def delete(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> None:
        if not inputs.get("keepLocally", False):
            client.images.remove(inputs["name"], force=inputs.get("forceRemove", False))

    def _outputs(self, image: Image) -> State:
        digests = image.attrs.get("RepoDigests") or [""]
        return {"imageId": image.id, "repoDigest": digests[0]}
