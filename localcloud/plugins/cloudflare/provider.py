"""The provider: Pulumi's requests to resources' requests to the API."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pulumi.provider.experimental import provider as rpc
from pulumi.provider.experimental.property_value import PropertyValue

from localcloud.plugins.changes import compare
from localcloud.plugins.cloudflare.catalog import find
from localcloud.plugins.cloudflare.client import Api, require_loopback
from localcloud.plugins.cloudflare.functions import FUNCTIONS
from localcloud.plugins.cloudflare.resource import Resource
from localcloud.plugins.serving import PluginError, old_inputs
from localcloud.plugins.values import UNKNOWN, from_plain, to_plain, to_plain_map

VERSION = "6.23.1"

Properties = dict[str, PropertyValue]

_SETTINGS = ("apiToken", "baseUrl", "maxRetries")


class CloudflareProvider(rpc.Provider):
    """`pulumi-resource-cloudflare`. Configuration: `apiToken` and `baseUrl`, or CLOUDFLARE_API_TOKEN and _BASE_URL."""

    def __init__(self) -> None:
        self._settings: dict[str, Any] = {}
        self._api: Api | None = None

    async def check_config(self, request: rpc.CheckRequest) -> rpc.CheckResponse:
        failures = []
        base_url = request.new_inputs.get("baseUrl")
        try:
            if base_url is not None and to_plain(base_url) not in (None, UNKNOWN):
                require_loopback(to_plain(base_url))
        except PluginError as error:
            failures.append(rpc.CheckFailure("baseUrl", str(error)))
        ignored = {"version", "userAgentOperatorSuffix", "pluginDownloadURL"}
        for name in request.new_inputs:
            if name not in _SETTINGS and name not in ignored and not name.startswith("__"):
                failures.append(rpc.CheckFailure(name, "is not supported by the offline cloudflare plugin"))
        return rpc.CheckResponse(inputs=request.new_inputs, failures=failures)

    async def configure(self, request: rpc.ConfigureRequest) -> rpc.ConfigureResponse:
        self._settings = to_plain_map(request.args)
        base_url = self._base_url()
        if base_url != UNKNOWN:
            require_loopback(base_url)
        return rpc.ConfigureResponse(accept_secrets=True, supports_preview=True)

    def _base_url(self) -> str:
        given = self._settings.get("baseUrl") or os.environ.get("CLOUDFLARE_BASE_URL")
        # Without an address the official provider would go to the real Cloudflare: that is refused like any other.
        return str(given or "https://api.cloudflare.com/client/v4")

    @property
    def api(self) -> Api:
        """The API client. Raises PluginError as long as address or token are unknown."""
        if self._api is None:
            token = self._settings.get("apiToken") or os.environ.get("CLOUDFLARE_API_TOKEN")
            if not token:
                raise PluginError("no API token: set `cloudflare:apiToken` or CLOUDFLARE_API_TOKEN")
            if UNKNOWN in (token, self._base_url()):
                raise PluginError("the API address or token is known only after other resources are created")
            self._api = Api(base_url=self._base_url(), token=str(token))
        return self._api

    async def check(self, request: rpc.CheckRequest) -> rpc.CheckResponse:
        resource = find(_type(request.urn))
        try:
            inputs = to_plain_map(request.new_inputs)
        except TypeError as error:
            raise PluginError(f"{_label(request)}: {error}") from None
        failures = [rpc.CheckFailure(name, reason) for name, reason in resource.faults(inputs)]
        if failures:
            return rpc.CheckResponse(inputs=request.new_inputs, failures=failures)
        with _about(request, "check"):
            normal = resource.normalize(inputs)
        return rpc.CheckResponse(inputs=_overlaid(request.new_inputs, inputs, normal))

    async def diff(self, request: rpc.DiffRequest) -> rpc.DiffResponse:
        resource = find(_type(request.urn))
        old, new = to_plain_map(old_inputs()), to_plain_map(request.new_inputs)
        return compare(old, new, replaces=resource.replaces)

    async def create(self, request: rpc.CreateRequest) -> rpc.CreateResponse:
        resource = find(_type(request.urn))
        inputs = to_plain_map(request.properties)
        if request.preview:
            return rpc.CreateResponse(properties=_previewed(resource, request.properties, {}))
        with _about(request, "create"):
            object_id, answer = await resource.create(self.api, inputs)
        return rpc.CreateResponse(object_id, _outputs(resource, request.properties, answer, {}))

    async def update(self, request: rpc.UpdateRequest) -> rpc.UpdateResponse:
        resource = find(_type(request.urn))
        if request.preview:
            return rpc.UpdateResponse(_previewed(resource, request.news, request.olds))
        with _about(request, "update"):
            old, new = to_plain_map(old_inputs()), to_plain_map(request.news)
            answer = await resource.update(self.api, request.resource_id, old, new)
        return rpc.UpdateResponse(_outputs(resource, request.news, answer, request.olds))

    async def delete(self, request: rpc.DeleteRequest) -> None:
        resource = find(_type(request.urn))
        with _about(request, "delete"):
            await resource.delete(self.api, request.resource_id, to_plain_map(request.properties))

    async def read(self, request: rpc.ReadRequest) -> rpc.ReadResponse:
        resource = find(_type(request.urn))
        known = request.inputs or {k: v for k, v in request.properties.items() if k in resource.inputs}
        object_id, inputs = request.resource_id, to_plain_map(known)
        with _about(request, "read"):
            if not inputs:
                object_id, inputs = resource.addressing(request.resource_id)
                known = {name: from_plain(value) for name, value in inputs.items()}
            answer = await resource.read(self.api, object_id, inputs)
            if answer is None:
                return rpc.ReadResponse()
            changed = resource.imported(inputs, answer) if not request.inputs else resource.refresh(inputs, answer)
        refreshed = _overlaid(known, inputs, {**inputs, **changed})
        return rpc.ReadResponse(object_id, _outputs(resource, refreshed, answer, request.properties), refreshed)

    async def invoke(self, request: rpc.InvokeRequest) -> rpc.InvokeResponse:
        if request.tok not in FUNCTIONS:
            raise PluginError(f"the offline cloudflare plugin has no function `{request.tok}`")
        arguments = to_plain_map(request.args)
        result = await FUNCTIONS[request.tok](self.api, arguments)
        return rpc.InvokeResponse({name: from_plain(value) for name, value in result.items()})


def _outputs(resource: Resource, inputs: Properties, answer: Mapping[str, Any], state: Properties) -> Properties:
    """The new state: what was asked for as it was asked for (secret marks too), and what the API added."""
    outputs = {name: state[name] for name in resource.outputs if name in state}
    for name, value in resource.computed(answer).items():
        outputs[name] = from_plain(value, secret=name in resource.secrets)
    outputs |= {name: value for name, value in inputs.items() if value.value is not None}
    return {name: value.with_secret(value.is_secret or name in resource.secrets) for name, value in outputs.items()}


def _previewed(resource: Resource, inputs: Properties, state: Properties) -> Properties:
    """The state as far as it is known before the request is sent."""
    outputs = {}
    for name in (*resource.outputs, *resource.filled):
        stays = name in state and name not in resource.unstable
        outputs[name] = state[name] if stays else from_plain(UNKNOWN, secret=name in resource.secrets)
    return outputs | inputs


def _overlaid(given: Properties, plain: Mapping[str, Any], wanted: Mapping[str, Any]) -> Properties:
    """`given` with the values of `wanted`; what is unchanged keeps its marks, what is None goes."""
    overlaid = {}
    for name, value in wanted.items():
        if value is None:
            continue
        if name in given and plain.get(name) == value:
            overlaid[name] = given[name]
        else:
            overlaid[name] = from_plain(value, secret=name in given and given[name].contains_secret())
    return overlaid


@contextmanager
def _about(request: Any, verb: str) -> Iterator[None]:
    """Names the resource in a failure."""
    try:
        yield
    except PluginError as error:
        raise PluginError(f"can't {verb} {_label(request)}: {error}") from None


def _type(urn: str) -> str:
    """The type of the resource itself; the SDK's `request.type` has those of its parents before it."""
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


def _label(request: Any) -> str:
    return f"{_type(request.urn).rsplit(':', maxsplit=1)[-1]} `{request.urn.rsplit('::', maxsplit=1)[-1]}`"
