"""Containers and their life, in the official provider's order of steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import docker
from docker.errors import APIError
from typing_extensions import override

from localcloud.plugins.docker import rules, uploads
from localcloud.plugins.docker.arguments import changeable_arguments, create_arguments, endpoint
from localcloud.plugins.docker.resource import Inputs, Resource, State
from localcloud.plugins.serving import PluginError
from localcloud.plugins.values import UNKNOWN

_DEFAULT_WAIT_SECONDS = 60
_ATTACH_SECONDS = 20 * 60
_POLL_SECONDS = 0.5
_EVERYWHERE = (None, "", "0.0.0.0", "::")  # noqa: S104 - these are refused
_CHANGEABLE = ("maxRetryCount", "memory", "memorySwap", "restart")


class Container(Resource):
    """`docker_container`.

    Unlike the official provider, a container that doesn't come up is removed again and fails the deployment; there, it
    stays in the state, and the next deployment takes it as it is.
    """

    kind = "docker:index/container:Container"
    required = ("image",)
    optional = (
        "attach", "capabilities", "command", "destroyGraceSeconds", "dns", "entrypoints", "envs", "groupAdds",
        "healthcheck", "hostname", "hosts", "init", "labels", "logDriver", "logOpts", "logs", "maxRetryCount",
        "memory", "memorySwap", "mustRun", "name", "networkMode", "networksAdvanced", "ports", "readOnly",
        "removeVolumes", "restart", "securityOpts", "shmSize", "start", "stopSignal", "stopTimeout", "sysctls",
        "tmpfs", "uploads", "user", "volumes", "wait", "waitTimeout", "workingDir",
    )  # fmt: skip
    nested: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "capabilities": ("adds", "drops"),
        "healthcheck": ("interval", "retries", "startPeriod", "tests", "timeout"),
        "hosts": ("host", "ip"),
        "labels": ("label", "value"),
        "networksAdvanced": ("aliases", "ipv4Address", "ipv6Address", "name"),
        "ports": ("external", "internal", "ip", "protocol"),
        "uploads": uploads.FIELDS,
        "volumes": ("containerPath", "hostPath", "readOnly", "volumeName"),
    }
    # As there, a change of `healthcheck`, `init` or `tmpfs` alone alters the state and not the container.
    in_place = frozenset({
        *_CHANGEABLE, "attach", "destroyGraceSeconds", "healthcheck", "init", "logs", "mustRun", "removeVolumes",
        "start", "tmpfs", "wait", "waitTimeout",
    })  # fmt: skip
    outputs = ("bridge", "containerLogs", "exitCode", "networkDatas")

    @override
    def faults(self, inputs: Inputs) -> list[tuple[str, str]]:
        found = super().faults(inputs) + rules.faults(inputs)
        if inputs.get("wait") is True and "healthcheck" not in inputs:
            found.append(("wait", "needs a `healthcheck` to wait for"))
        for index, port in _known_items(inputs, "ports"):
            if port.get("ip") in _EVERYWHERE:
                found.append((f"ports[{index}].ip", "is required, and must be one address: never all of the machine's"))
        for index, upload in _known_items(inputs, "uploads"):
            found += uploads.faults(f"uploads[{index}]", upload)
        for index, volume in _known_items(inputs, "volumes"):
            if ("volumeName" in volume) == ("hostPath" in volume) or "containerPath" not in volume:
                reason = "give `containerPath` and exactly one of `volumeName` and `hostPath`"
                found.append((f"volumes[{index}]", reason))
        return found

    @override
    def normalize(self, inputs: State) -> State:
        if not isinstance(inputs.get("uploads"), list):
            return inputs
        return inputs | {"uploads": [u if u == UNKNOWN else uploads.with_digest(u) for u in inputs["uploads"]]}

    @override
    def is_exclusive(self, inputs: Inputs) -> bool:
        """Always, as the official provider has it."""
        return True

    @override
    def create(self, client: docker.DockerClient, inputs: Inputs) -> tuple[str, State]:
        made = client.api.create_container(**create_arguments(client, inputs))
        try:
            _connect(client, made["Id"], inputs)
            if inputs.get("uploads"):
                client.api.put_archive(made["Id"], "/", uploads.archive(inputs["uploads"]))
            if inputs.get("start", True):
                client.api.start(made["Id"])
                _await_start(client, made["Id"], inputs)
            logs = _attach(client, made["Id"], inputs)
        except (APIError, PluginError):
            # The next deployment must find the name free: a half-made container is not in the state.
            client.api.remove_container(made["Id"], force=True, v=True)
            raise
        return made["Id"], _outputs(client.api.inspect_container(made["Id"])) | {"containerLogs": logs}

    @override
    def read(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> tuple[State, State]:
        found = client.api.inspect_container(object_id)
        is_down = inputs.get("mustRun", True) and not found["State"]["Running"]
        return _outputs(found), ({"mustRun": False} if is_down else {})

    @override
    def update(self, client: docker.DockerClient, object_id: str, old: Inputs, new: Inputs) -> State:
        if new.get("mustRun", True) and not old.get("mustRun", True) and new.get("start", True):
            client.api.start(object_id)
        if any(old.get(name) != new.get(name) for name in _CHANGEABLE):
            client.api.update_container(object_id, **changeable_arguments(new))
        return _outputs(client.api.inspect_container(object_id))

    @override
    def delete(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> None:
        grace = inputs.get("destroyGraceSeconds")
        if grace and not inputs.get("attach"):
            client.api.stop(object_id, timeout=grace)
        client.api.remove_container(object_id, force=True, v=inputs.get("removeVolumes", True))


def _known_items(inputs: Inputs, name: str) -> list[tuple[int, Any]]:
    items = inputs.get(name)
    return [(i, item) for i, item in enumerate(items) if item != UNKNOWN] if isinstance(items, list) else []


def _connect(client: docker.DockerClient, container_id: str, inputs: Inputs) -> None:
    """Takes the container off the default network and onto those asked for, each with its aliases."""
    networks = inputs.get("networksAdvanced") or []
    if networks:
        client.api.disconnect_container_from_network(container_id, "bridge")
    for network in networks:
        client.api.connect_container_to_network(container_id, network["name"], **endpoint(network))


def _await_start(client: docker.DockerClient, container_id: str, inputs: Inputs) -> None:
    deadline = time.monotonic() + inputs.get("waitTimeout", _DEFAULT_WAIT_SECONDS)
    while True:
        state = client.api.inspect_container(container_id)["State"]
        if not state["Running"] and inputs.get("mustRun", True):
            raise PluginError(f"it ended at once with exit status {state['ExitCode']}: {_tail(client, container_id)}")
        if not inputs.get("wait") or state.get("Health", {}).get("Status") == "healthy":
            return
        if time.monotonic() > deadline:
            raise PluginError(f"it did not become healthy in time: {_tail(client, container_id)}")
        time.sleep(_POLL_SECONDS)


def _attach(client: docker.DockerClient, container_id: str, inputs: Inputs) -> str:
    """Waits for the end where asked to, whatever the exit status; answers what was printed, with `logs`."""
    if not inputs.get("attach"):
        return ""
    client.api.wait(container_id, timeout=_ATTACH_SECONDS)
    printed: bytes = client.api.logs(container_id) if inputs.get("logs") else b""
    return printed.decode(errors="replace")


def _tail(client: docker.DockerClient, container_id: str) -> str:
    lines: bytes = client.api.logs(container_id, tail=10)
    return lines.decode(errors="replace").strip() or "it printed nothing"


def _outputs(found: State) -> State:
    networks = found["NetworkSettings"]["Networks"]
    return {
        "bridge": found["NetworkSettings"].get("Bridge", ""),
        "exitCode": found["State"]["ExitCode"],
        "networkDatas": [
            {
                "networkName": name,
                "ipAddress": network.get("IPAddress", ""),
                "ipPrefixLength": network.get("IPPrefixLen", 0),
                "gateway": network.get("Gateway", ""),
                "macAddress": network.get("MacAddress", ""),
            }
            for name, network in sorted(networks.items())
        ],
    }
