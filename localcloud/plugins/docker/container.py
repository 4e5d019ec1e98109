"""Containers: inputs to the Engine API's arguments, and their life."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import docker
from docker.errors import APIError
from typing_extensions import override

from localcloud.plugins.docker import uploads
from localcloud.plugins.docker.resource import Inputs, Resource, State, labels_of
from localcloud.plugins.serving import PluginError
from localcloud.plugins.values import UNKNOWN

_MEBIBYTE = 1024 * 1024
_DEFAULT_WAIT_SECONDS = 60
_POLL_SECONDS = 0.5
_EVERYWHERE = (None, "", "0.0.0.0", "::")  # noqa: S104 - these are refused

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6}


class Container(Resource):
    """`docker_container`."""

    kind = "docker:index/container:Container"
    required = ("image",)
    optional = (
        "capabilities", "command", "destroyGraceSeconds", "dns", "entrypoints", "envs", "groupAdds", "healthcheck",
        "hostname", "hosts", "init", "labels", "maxRetryCount", "memory", "memorySwap", "mustRun", "name",
        "networkMode", "networksAdvanced", "ports", "readOnly", "restart", "securityOpts", "shmSize", "stopSignal",
        "sysctls", "tmpfs", "uploads", "user", "volumes", "wait", "waitTimeout", "workingDir",
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
    outputs = ("bridge", "exitCode", "networkDatas")

    @override
    def faults(self, inputs: Inputs) -> list[tuple[str, str]]:
        found = super().faults(inputs)
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
        check = inputs.get("healthcheck")
        for field in ("interval", "startPeriod", "timeout"):
            value = check.get(field, "0s") if isinstance(check, dict) else "0s"
            if value != UNKNOWN and not re.fullmatch(f"(?:{_DURATION.pattern})+", value):
                found.append((f"healthcheck.{field}", "must be a duration, as `5s` or `1m30s`"))
        return found

    @override
    def normalize(self, inputs: State) -> State:
        if not isinstance(inputs.get("uploads"), list):
            return inputs
        return inputs | {"uploads": [u if u == UNKNOWN else uploads.with_digest(u) for u in inputs["uploads"]]}

    @override
    def is_exclusive(self, inputs: Inputs) -> bool:
        return super().is_exclusive(inputs) or bool(inputs.get("ports"))

    @override
    def create(self, client: docker.DockerClient, inputs: Inputs) -> tuple[str, State]:
        made = client.api.create_container(**create_arguments(client, inputs))
        try:
            for network in (inputs.get("networksAdvanced") or [])[1:]:
                client.api.connect_container_to_network(made["Id"], network["name"], **endpoint(network))
            if inputs.get("uploads"):
                client.api.put_archive(made["Id"], "/", uploads.archive(inputs["uploads"]))
            client.api.start(made["Id"])
            _await_start(client, made["Id"], inputs)
        except (APIError, PluginError):
            # The next deployment must find the name free: a half-made container is not in the state.
            client.api.remove_container(made["Id"], force=True, v=True)
            raise
        return made["Id"], _outputs(client.api.inspect_container(made["Id"]))

    @override
    def read(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> tuple[State, State]:
        found = client.api.inspect_container(object_id)
        is_down = inputs.get("mustRun", True) and not found["State"]["Running"]
        return _outputs(found), ({"mustRun": False} if is_down else {})

    @override
    def delete(self, client: docker.DockerClient, object_id: str, inputs: Inputs) -> None:
        grace = inputs.get("destroyGraceSeconds")
        if grace is not None:
            client.api.stop(object_id, timeout=grace)
        client.api.remove_container(object_id, force=True, v=True)


def _known_items(inputs: Inputs, name: str) -> list[tuple[int, Any]]:
    items = inputs.get(name)
    return [(i, item) for i, item in enumerate(items) if item != UNKNOWN] if isinstance(items, list) else []


def create_arguments(client: docker.DockerClient, inputs: Inputs) -> dict[str, Any]:
    """The arguments of `APIClient.create_container`; the first network only, as older engines take just one."""
    networks = inputs.get("networksAdvanced") or []
    first = networks[0] if networks else None
    api: Any = client.api
    return {
        "image": inputs["image"],
        "name": inputs["name"],
        "command": inputs.get("command"),
        "entrypoint": inputs.get("entrypoints"),
        "environment": inputs.get("envs"),
        "hostname": inputs.get("hostname"),
        "user": inputs.get("user"),
        "working_dir": inputs.get("workingDir"),
        "labels": labels_of(inputs),
        "healthcheck": healthcheck(inputs["healthcheck"]) if "healthcheck" in inputs else None,
        "stop_signal": inputs.get("stopSignal"),
        "ports": [(port["internal"], port.get("protocol", "tcp")) for port in inputs.get("ports") or []],
        "host_config": api.create_host_config(**host_arguments(inputs)),
        "networking_config": api.create_networking_config(
            {first["name"]: api.create_endpoint_config(**endpoint(first))}
        )
        if first
        else None,
    }


def host_arguments(inputs: Inputs) -> dict[str, Any]:
    """The arguments of `APIClient.create_host_config` that were asked for."""
    networks = inputs.get("networksAdvanced") or []
    capabilities = inputs.get("capabilities") or {}
    restart = {"Name": inputs.get("restart", "no"), "MaximumRetryCount": inputs.get("maxRetryCount", 0)}
    arguments = {
        "binds": [_bind(volume) for volume in inputs.get("volumes") or []],
        "cap_add": capabilities.get("adds"),
        "cap_drop": capabilities.get("drops"),
        "dns": inputs.get("dns"),
        "extra_hosts": [f"{host['host']}:{host['ip']}" for host in inputs.get("hosts") or []],
        "group_add": inputs.get("groupAdds"),
        "init": inputs.get("init"),
        "mem_limit": inputs["memory"] * _MEBIBYTE if "memory" in inputs else None,
        "memswap_limit": _swap(inputs["memorySwap"]) if "memorySwap" in inputs else None,
        "network_mode": inputs.get("networkMode") or (networks[0]["name"] if networks else None),
        "port_bindings": {
            f"{port['internal']}/{port.get('protocol', 'tcp')}": (port["ip"], port.get("external"))
            for port in inputs.get("ports") or []
        },
        "read_only": inputs.get("readOnly"),
        "restart_policy": restart,
        "security_opt": inputs.get("securityOpts"),
        "shm_size": inputs["shmSize"] * _MEBIBYTE if "shmSize" in inputs else None,
        "sysctls": inputs.get("sysctls"),
        "tmpfs": inputs.get("tmpfs"),
    }
    return {name: value for name, value in arguments.items() if value not in (None, [], {})}


def _swap(megabytes: int) -> int:
    return megabytes if megabytes < 0 else megabytes * _MEBIBYTE


def _bind(volume: Inputs) -> str:
    source = volume.get("volumeName") or volume["hostPath"]
    return f"{source}:{volume['containerPath']}:{'ro' if volume.get('readOnly') else 'rw'}"


def endpoint(network: Inputs) -> dict[str, Any]:
    """How the container is attached to one network."""
    return {
        "aliases": network.get("aliases"),
        "ipv4_address": network.get("ipv4Address"),
        "ipv6_address": network.get("ipv6Address"),
    }


def healthcheck(given: Inputs) -> dict[str, Any]:
    """The engine's health check; durations in nanoseconds."""
    check: dict[str, Any] = {"test": given.get("tests"), "retries": given.get("retries")}
    for name, field in (("interval", "interval"), ("timeout", "timeout"), ("start_period", "startPeriod")):
        if field in given:
            check[name] = nanoseconds(given[field])
    return {name: value for name, value in check.items() if value is not None}


def nanoseconds(duration: str) -> int:
    """`1m30s` in nanoseconds."""
    return sum(round(float(amount) * _NANOSECONDS[unit]) for amount, unit in _DURATION.findall(duration))


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
