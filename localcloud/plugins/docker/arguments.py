"""A container's inputs as the Engine API's arguments."""

from __future__ import annotations

from typing import Any

import docker

from localcloud.plugins.docker.resource import Inputs, labels_of
from localcloud.plugins.docker.rules import nanoseconds

_MEBIBYTE = 1024 * 1024


def create_arguments(client: docker.DockerClient, inputs: Inputs) -> dict[str, Any]:
    """The arguments of `APIClient.create_container`. Networks are connected afterwards, see `Container.create`."""
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
        "stop_timeout": inputs.get("stopTimeout"),
        "ports": [(port["internal"], port.get("protocol", "tcp")) for port in inputs.get("ports") or []],
        "host_config": api.create_host_config(**host_arguments(inputs)),
    }


def host_arguments(inputs: Inputs) -> dict[str, Any]:
    """The arguments of `APIClient.create_host_config` that were asked for."""
    capabilities = inputs.get("capabilities") or {}
    arguments = {
        "binds": [_bind(volume) for volume in inputs.get("volumes") or []],
        "cap_add": capabilities.get("adds"),
        "cap_drop": capabilities.get("drops"),
        "dns": inputs.get("dns"),
        "extra_hosts": [f"{host['host']}:{host['ip']}" for host in inputs.get("hosts") or []],
        "group_add": inputs.get("groupAdds"),
        "init": inputs.get("init", False),
        "log_config": _log(inputs),
        "network_mode": inputs.get("networkMode", "bridge"),
        "port_bindings": {
            f"{port['internal']}/{port.get('protocol', 'tcp')}": (port["ip"], port.get("external"))
            for port in inputs.get("ports") or []
        },
        "read_only": inputs.get("readOnly"),
        "security_opt": inputs.get("securityOpts"),
        "shm_size": inputs["shmSize"] * _MEBIBYTE if "shmSize" in inputs else None,
        "sysctls": inputs.get("sysctls"),
        "tmpfs": inputs.get("tmpfs"),
        **changeable_arguments(inputs),
    }
    return {name: value for name, value in arguments.items() if value not in (None, [], {})}


def changeable_arguments(inputs: Inputs) -> dict[str, Any]:
    """What the engine can change of a container that exists: the arguments of `APIClient.update_container`."""
    arguments: dict[str, Any] = {
        "restart_policy": {"Name": inputs.get("restart", "no"), "MaximumRetryCount": inputs.get("maxRetryCount", 0)}
    }
    if inputs.get("memory"):
        arguments["mem_limit"] = inputs["memory"] * _MEBIBYTE
    if inputs.get("memorySwap"):
        arguments["memswap_limit"] = _swap(inputs["memorySwap"])
    return arguments


def _log(inputs: Inputs) -> Any:
    if "logDriver" not in inputs and "logOpts" not in inputs:
        return None
    return docker.types.LogConfig(type=inputs.get("logDriver", ""), config=inputs.get("logOpts") or {})


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
