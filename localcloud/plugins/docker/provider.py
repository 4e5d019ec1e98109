"""The provider: Pulumi's requests to the Docker engine of this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import DockerException, NotFound
from pulumi.provider.experimental import provider as rpc
from pulumi.provider.experimental.property_value import PropertyValue

from localcloud.plugins.changes import compare
from localcloud.plugins.docker.container import Container
from localcloud.plugins.docker.resource import Resource
from localcloud.plugins.docker.simple import Network, RemoteImage, Volume
from localcloud.plugins.serving import PluginError, old_inputs
from localcloud.plugins.values import UNKNOWN, from_plain, to_plain_map

VERSION = "5.2.0"

Properties = dict[str, PropertyValue]
T = TypeVar("T")

RESOURCES: Mapping[str, Resource] = {
    resource.kind: resource() for resource in (Container, Network, RemoteImage, Volume)
}

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_IGNORED_SETTINGS = frozenset({"version", "pluginDownloadURL", "host"})


def require_local(host: str) -> str:
    """`host`. Raises PluginError unless it is a Unix socket or a loopback address."""
    parts = urlsplit(host)
    try:
        is_local = parts.scheme == "unix" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_local = parts.hostname == "localhost"
    if not is_local:
        raise PluginError(
            f"this docker plugin is the offline stand-in and refuses the engine `{host}`: it talks only to a Unix "
            "socket or a loopback address; install the official plugin for others"
        )
    return host


class DockerProvider(rpc.Provider):
    """`pulumi-resource-docker`. Configuration: `host`, or DOCKER_HOST, or the engine's usual socket."""

    def __init__(self) -> None:
        self._host = _DEFAULT_HOST
        self._client: docker.DockerClient | None = None

    async def check_config(self, request: rpc.CheckRequest) -> rpc.CheckResponse:
        names = [n for n in request.new_inputs if n not in _IGNORED_SETTINGS and not n.startswith("__")]
        reason = "is not supported by the offline docker plugin"
        return rpc.CheckResponse(request.new_inputs, [rpc.CheckFailure(name, reason) for name in names])

    async def configure(self, request: rpc.ConfigureRequest) -> rpc.ConfigureResponse:
        host = to_plain_map(request.args).get("host") or os.environ.get("DOCKER_HOST") or _DEFAULT_HOST
        self._host = host if host == UNKNOWN else require_local(host)
        return rpc.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: rpc.CheckRequest) -> rpc.CheckResponse:
        resource = _find(request.urn)
        try:
            inputs = to_plain_map(request.new_inputs)
        except TypeError as error:
            raise PluginError(f"{_label(request.urn)}: {error}") from None
        failures = [rpc.CheckFailure(name, reason) for name, reason in resource.faults(inputs)]
        if failures:
            return rpc.CheckResponse(request.new_inputs, failures)
        normal = resource.normalize(inputs)
        if resource.is_named and "name" not in inputs:
            normal = normal | _automatic_name(request)
        changed = {name: from_plain(value) for name, value in normal.items() if inputs.get(name) != value}
        for name, value in changed.items():
            if name in request.new_inputs:
                changed[name] = value.with_secret(request.new_inputs[name].contains_secret())
        return rpc.CheckResponse(request.new_inputs | changed)

    async def diff(self, request: rpc.DiffRequest) -> rpc.DiffResponse:
        resource = _find(request.urn)
        old, new = to_plain_map(old_inputs()), to_plain_map(request.new_inputs)
        first = resource.is_exclusive(new)
        old, new = ({k: v for k, v in side.items() if not k.startswith("__")} for side in (old, new))
        replaces = (old.keys() | new.keys()) - resource.in_place
        return compare(old, new, replaces=replaces, delete_before_replace=first)

    async def create(self, request: rpc.CreateRequest) -> rpc.CreateResponse:
        resource = _find(request.urn)
        if request.preview:
            unknown = dict.fromkeys(resource.outputs, from_plain(UNKNOWN))
            return rpc.CreateResponse(properties=unknown | request.properties)
        inputs = to_plain_map(request.properties)
        object_id, outputs = await self._with_engine("create", request.urn, lambda c: resource.create(c, inputs))
        return rpc.CreateResponse(object_id, _state(request.properties, outputs))

    async def read(self, request: rpc.ReadRequest) -> rpc.ReadResponse:
        resource = _find(request.urn)
        if not request.inputs:
            raise PluginError(f"can't import {_label(request.urn)}: the offline docker plugin imports nothing")
        inputs = to_plain_map(request.inputs)
        try:
            outputs, changed = await self._with_engine(
                "read", request.urn, lambda c: resource.read(c, request.resource_id, inputs)
            )
        except NotFound:
            return rpc.ReadResponse()
        refreshed = request.inputs | {name: from_plain(value) for name, value in changed.items()}
        # What only the creation knew, as the logs, is kept.
        kept = {name: value for name, value in request.properties.items() if name in resource.outputs}
        return rpc.ReadResponse(request.resource_id, kept | _state(refreshed, outputs), refreshed)

    async def update(self, request: rpc.UpdateRequest) -> rpc.UpdateResponse:
        resource = _find(request.urn)
        kept = {name: value for name, value in request.olds.items() if name in resource.outputs}
        if request.preview:
            return rpc.UpdateResponse(kept | request.news)
        old, new = to_plain_map(old_inputs()), to_plain_map(request.news)
        outputs = await self._with_engine(
            "update", request.urn, lambda c: resource.update(c, request.resource_id, old, new)
        )
        return rpc.UpdateResponse(kept | _state(request.news, outputs))

    async def delete(self, request: rpc.DeleteRequest) -> None:
        resource = _find(request.urn)
        inputs = to_plain_map(request.properties)
        try:
            await self._with_engine("delete", request.urn, lambda c: resource.delete(c, request.resource_id, inputs))
        except NotFound:
            # As with the official provider, what is gone is deleted.
            return

    async def _with_engine(self, verb: str, urn: str, act: Callable[[docker.DockerClient], T]) -> T:
        """Runs `act` in a thread. Raises PluginError naming the resource, or NotFound for what is gone."""
        try:
            if self._client is None:
                self._client = await asyncio.to_thread(docker.DockerClient, base_url=self._host, version="auto")
            return await asyncio.to_thread(act, self._client)
        except NotFound as error:
            if verb == "create":
                raise PluginError(f"can't create {_label(urn)}: {error.explanation}") from None
            raise
        except PluginError as error:
            raise PluginError(f"can't {verb} {_label(urn)}: {error}") from None
        except (DockerException, requests.RequestException) as error:
            reason = getattr(error, "explanation", None) or str(error)
            raise PluginError(f"can't {verb} {_label(urn)}: Docker at {self._host} says: {reason}") from None


def _state(inputs: Properties, outputs: Mapping[str, Any]) -> Properties:
    made = {name: from_plain(value) for name, value in outputs.items()}
    return made | {name: value for name, value in inputs.items() if not name.startswith("__")}


def _automatic_name(request: rpc.CheckRequest) -> dict[str, Any]:
    """The name of the last deployment, or a new one; the mark says that nobody chose it."""
    old = to_plain_map(request.old_inputs)
    logical = request.urn.split("::")[-1]
    fresh = f"{logical}-{sha256(request.random_seed or os.urandom(16)).hexdigest()[:7]}"
    return {"name": old["name"] if "name" in old.get("__defaults", []) else fresh, "__defaults": ["name"]}


def _find(urn: str) -> Resource:
    token = _type(urn)
    if token not in RESOURCES:
        raise PluginError(f"the offline docker plugin has no resource type `{token}`; install the official plugin")
    return RESOURCES[token]


def _type(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


def _label(urn: str) -> str:
    return f"{_type(urn).rsplit(':', maxsplit=1)[-1]} `{urn.rsplit('::', maxsplit=1)[-1]}`"
