"""Workers scripts: one multipart upload that is live at once.

Source: developers.cloudflare.com/workers/configuration/multipart-upload-metadata.
"""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from typing_extensions import override

from localcloud.plugins.cloudflare.client import Api, Part
from localcloud.plugins.cloudflare.content import read_content, sha256
from localcloud.plugins.cloudflare.drift import Tolerance
from localcloud.plugins.cloudflare.names import Names
from localcloud.plugins.cloudflare.resource import Inputs, Resource, Wire

BINDING_NAMES = Names(
    {
        "workersMessage": "workers/message",
        "workersTag": "workers/tag",
        "workersTriggeredBy": "workers/triggered_by",
        "installedVersion": "installedVersion",
        "packageJsonVersion": "packageJsonVersion",
    },
    keyed=("exports", "files"),
    documents=("json", "algorithm", "keyJwk"),
)

# The API never answers a secret's text, nor key material.
HIDDEN_BINDING_FIELDS = frozenset({"text", "key_base64", "key_jwk"})

# Parts of the upload and query parameters, not metadata.
_OUTSIDE_METADATA = frozenset(
    {"accountId", "scriptName", "content", "contentFile", "contentSha256", "contentType", "files", "bindingsInherit"}
)


@dataclass(frozen=True, kw_only=True)
class Script(Resource):
    """`WorkersScript`: modules and metadata in one request; read back in three."""

    @override
    def faults(self, inputs: Inputs) -> list[tuple[str, str]]:
        found = super().faults(inputs)
        if "content" in inputs and "contentFile" in inputs:
            found.append(("contentFile", "give only one of `content` and `contentFile`"))
        if "contentFile" in inputs and "contentSha256" not in inputs:
            found.append(("contentSha256", "is required with `contentFile`: it is how a change of the file is seen"))
        return found

    @override
    def body(self, inputs: Inputs) -> Wire:
        """The part named `metadata`."""
        encoded = self.names.encode({k: v for k, v in inputs.items() if k not in _OUTSIDE_METADATA})
        if "mainModule" not in inputs and _has_content(inputs):
            encoded["body_part"] = "script"
        return {"compatibility_date": "", "logpush": False, "usage_model": "standard"} | encoded

    def parts(self, inputs: Inputs) -> list[Part]:
        """The upload: the main module, further files by name, the metadata."""
        parts: list[Part] = []
        if _has_content(inputs):
            module = inputs.get("mainModule")
            kind = inputs.get("contentType") or "application/javascript" + ("+module" if module else "")
            parts.append(_part(module or "script", _main_content(inputs), kind))
        for name, file in sorted((inputs.get("files") or {}).items()):
            parts.append(_part(name, _file_content(file), file["contentType"]))
        metadata = json.dumps(self.body(inputs), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return [*parts, ("metadata", (None, metadata.encode(), "application/json"))]

    @override
    async def create(self, api: Api, inputs: Inputs) -> tuple[str, Wire]:
        return str(inputs["scriptName"]), await self._upload(api, inputs)

    @override
    async def update(self, api: Api, object_id: str, old: Inputs, new: Inputs) -> Wire:
        return await self._upload(api, new)

    async def _upload(self, api: Api, inputs: Inputs) -> Wire:
        inherit = inputs.get("bindingsInherit")
        path = self.path(self.collection + self.item, inputs, inputs["scriptName"])
        query = f"?bindings_inherit={inherit}" if inherit else ""
        answer: Wire = await api.send("PUT", path + query, parts=self.parts(inputs))
        # What the API echoes of the metadata is not what was sent; a refresh reads the settings instead.
        return {key: value for key, value in (answer or {}).items() if self.names.from_wire(key) in self.outputs}

    @override
    async def read(self, api: Api, object_id: str, inputs: Inputs) -> Wire | None:
        account = self.path("/accounts/{accountId}/workers", inputs)
        place = self.path(self.collection + self.item, inputs, object_id)
        service = await api.read(self.path(account + "/services/{id}", inputs, object_id))
        settings = await api.read(place + "/settings") if service is not None else None
        if service is None or settings is None:
            return None
        script = service.json()["result"]["default_environment"]["script"]
        answer: Wire = {k: v for k, v in script.items() if self.names.from_wire(k) in self.outputs}
        answer |= {"script_name": object_id} | (settings.json().get("result") or {})
        content = await api.read(place + "/content/v2")
        answer["_modules"] = {} if content is None else dict(read_modules(content))
        return answer

    @override
    def refresh(self, inputs: Inputs, answer: Inputs) -> Wire:
        changed = super().refresh(inputs, answer)
        modules: dict[str, bytes] = answer["_modules"]
        main = modules.get(inputs.get("mainModule") or "script") or next(iter(modules.values()), b"")
        if "content" in inputs and inputs["content"] != main.decode(errors="replace"):
            changed["content"] = main.decode(errors="replace")
        if "contentSha256" in inputs and inputs["contentSha256"] != sha256(main):
            changed["contentSha256"] = sha256(main)
        files = inputs.get("files") or {}
        actual = {name: _refreshed_file(file, modules.get(name)) for name, file in files.items()}
        if actual != dict(files):
            changed["files"] = {name: file for name, file in actual.items() if file is not None}
        return changed

    @override
    def imported(self, inputs: Inputs, answer: Inputs) -> Wire:
        given = super().imported(inputs, answer)
        for name, content in list(answer["_modules"].items())[:1]:
            given |= {"mainModule": name, "content": content.decode(errors="replace")}
        return given


def read_modules(response: httpx.Response) -> Iterator[tuple[str, bytes]]:
    """The (name, content) of each module of a `content/v2` answer, multipart or a single body."""
    kind = response.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        yield response.headers.get("cf-entrypoint", "script"), response.content
        return
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + response.content)
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition") or part.get_filename() or "script"
        payload: Any = part.get_payload(decode=True)
        yield str(name), payload


def _has_content(inputs: Inputs) -> bool:
    return bool(inputs.get("content")) or "contentFile" in inputs


def _main_content(inputs: Inputs) -> bytes:
    if "contentFile" in inputs:
        return read_content(inputs["contentFile"])
    return str(inputs["content"]).encode()


def _file_content(file: Inputs) -> bytes:
    return read_content(file["contentFile"]) if "contentFile" in file else base64.b64decode(file["contentBase64"])


def _refreshed_file(file: Inputs, content: bytes | None) -> Inputs | None:
    if content is None:
        return None
    if "contentBase64" in file and base64.b64decode(file["contentBase64"]) != content:
        return {**file, "contentBase64": base64.b64encode(content).decode()}
    if "contentSha256" in file and file["contentSha256"] != sha256(content):
        return {**file, "contentSha256": sha256(content)}
    return file


def _part(name: str, content: bytes, kind: str) -> Part:
    return name, (name, content, kind)


SCRIPT = Script(
    kind="workersScript:WorkersScript",
    collection="/accounts/{accountId}/workers/scripts",
    item="/{id}",
    required=("accountId", "scriptName"),
    optional=(
        "annotations", "bindings", "bindingsInherit", "bodyPart", "cacheOptions", "compatibilityDate",
        "compatibilityFlags", "content", "contentFile", "contentSha256", "contentType", "exports", "files",
        "keepAssets", "keepBindings", "limits", "logpush", "mainModule", "migrations", "observability",
        "packageDependencies", "placement", "tailConsumers", "usageModel",
    ),
    outputs=(
        "createdOn", "etag", "handlers", "hasAssets", "hasModules", "lastDeployedFrom", "migrationTag",
        "modifiedOn", "namedHandlers", "startupTimeMs",
    ),
    replaces=frozenset({"accountId", "scriptName"}),
    # Settings hold neither uploads nor one-off instructions; and what they add on their own is no drift.
    filled=frozenset(
        {
            "annotations", "bodyPart", "compatibilityDate", "compatibilityFlags", "content", "contentFile",
            "contentSha256", "contentType", "files", "keepAssets", "keepBindings", "limits", "mainModule",
            "migrations", "packageDependencies", "placement", "tailConsumers", "scriptName",
        }
    ),
    id_from="scriptName",
    import_id=("accountId",),
    names=BINDING_NAMES,
    tolerance=Tolerance(
        hidden=HIDDEN_BINDING_FIELDS
        | {"main_module", "body_part", "annotations", "compatibility_date"}
        | {"keep_assets", "keep_bindings", "migrations"},
        unordered=("bindings", "compatibility_flags", "tail_consumers"),
    ),
    unstable=frozenset({"etag", "modifiedOn", "handlers", "namedHandlers", "startupTimeMs"}),
)  # fmt: skip

RESOURCES = (SCRIPT,)
