"""Workers KV: namespaces and values (developers.cloudflare.com/api/resources/kv)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from typing_extensions import override

from localcloud.plugins.cloudflare.client import Api, Part
from localcloud.plugins.cloudflare.names import Names
from localcloud.plugins.cloudflare.resource import Inputs, Resource, Wire


@dataclass(frozen=True, kw_only=True)
class KvValue(Resource):
    """A key's value: a multipart upload, read back as raw bytes."""

    @override
    async def create(self, api: Api, inputs: Inputs) -> tuple[str, Wire]:
        await self._write(api, inputs)
        return str(inputs["keyName"]), {}

    @override
    async def update(self, api: Api, object_id: str, old: Inputs, new: Inputs) -> Wire:
        await self._write(api, new)
        return {}

    @override
    async def read(self, api: Api, object_id: str, inputs: Inputs) -> Wire | None:
        place = self.path(self.collection, inputs)
        key = self.path("/{id}", inputs, object_id)
        value = await api.read(f"{place}/values{key}")
        if value is None:
            return None
        answer: Wire = {"key_name": object_id, "value": value.text}
        metadata = await api.read(f"{place}/metadata{key}")
        found = metadata.json().get("result") if metadata is not None else None
        return answer | ({"metadata": found} if found is not None else {})

    async def _write(self, api: Api, inputs: Inputs) -> None:
        parts: list[Part] = [("value", (None, str(inputs["value"]).encode(), None))]
        if "metadata" in inputs:
            parts.append(("metadata", (None, str(inputs["metadata"]).encode(), None)))
        lifetime = {
            wire: inputs[name]
            for name, wire in (("expiration", "expiration"), ("expirationTtl", "expiration_ttl"))
            if name in inputs
        }
        query = f"?{urlencode(lifetime)}" if lifetime else ""
        await api.send("PUT", self.path(self.collection + self.item, inputs, inputs["keyName"]) + query, parts=parts)

    @override
    def faults(self, inputs: Inputs) -> list[tuple[str, str]]:
        found = super().faults(inputs)
        try:
            json.loads(inputs.get("metadata", "null"))
        except ValueError:
            found.append(("metadata", "must be JSON text"))
        return found


NAMESPACE = Resource(
    kind="workersKvNamespace:WorkersKvNamespace",
    collection="/accounts/{accountId}/storage/kv/namespaces",
    item="/{id}",
    required=("accountId", "title"),
    outputs=("supportsUrlEncoding",),
    replaces=frozenset({"accountId"}),
    import_id=("accountId",),
)

VALUE = KvValue(
    kind="workersKv:WorkersKv",
    collection="/accounts/{accountId}/storage/kv/namespaces/{namespaceId}",
    item="/values/{id}",
    required=("accountId", "namespaceId", "keyName", "value"),
    optional=("expiration", "expirationTtl", "metadata"),
    replaces=frozenset({"accountId", "namespaceId", "keyName"}),
    # The API answers neither life time; both act when the value is written.
    filled=frozenset({"expiration", "expirationTtl"}),
    id_from="keyName",
    import_id=("accountId", "namespaceId"),
    names=Names(documents=("metadata",)),
)

RESOURCES = (NAMESPACE, VALUE)
