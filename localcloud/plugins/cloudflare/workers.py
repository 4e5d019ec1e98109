"""Worker, its immutable versions, and deployments of them (developers.cloudflare.com/api/resources/workers)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from localcloud.plugins.cloudflare.client import Api
from localcloud.plugins.cloudflare.content import read_content, sha256, to_base64
from localcloud.plugins.cloudflare.drift import Tolerance
from localcloud.plugins.cloudflare.resource import Inputs, Resource, Wire
from localcloud.plugins.cloudflare.scripts import BINDING_NAMES, HIDDEN_BINDING_FIELDS
from localcloud.plugins.serving import PluginError
from localcloud.plugins.values import UNKNOWN

_TRACES: Wire = {"enabled": False, "head_sampling_rate": 1, "persist": True}
_LOGS: Wire = {"enabled": False, "head_sampling_rate": 1, "invocation_logs": True, "persist": True, "destinations": []}


@dataclass(frozen=True, kw_only=True)
class Worker(Resource):
    """`Worker`: the official provider writes out every default, nested ones too."""

    @override
    def body(self, inputs: Inputs) -> Wire:
        body: Wire = {"logpush": False, "tags": [], "tail_consumers": []} | super().body(inputs)
        watched = body.get("observability") or {}
        traces = watched.get("traces")
        body["observability"] = {"enabled": False, "head_sampling_rate": 1} | watched
        body["observability"]["traces"] = _TRACES if traces is None else _TRACES | {"destinations": []} | traces
        if "logs" in watched:
            body["observability"]["logs"] = _LOGS | watched["logs"]
        reach = body.get("subdomain") or {}
        enabled = reach.get("enabled", False)
        body["subdomain"] = {"enabled": enabled, "previews_enabled": reach.get("previews_enabled", enabled)}
        return body


@dataclass(frozen=True, kw_only=True)
class Version(Resource):
    """`WorkerVersion`: never changed, only replaced; a file's digest is what makes its change visible."""

    @override
    def faults(self, inputs: Inputs) -> list[tuple[str, str]]:
        found = super().faults(inputs)
        modules = inputs.get("modules")
        for index, module in enumerate(modules if isinstance(modules, list) else []):
            if module != UNKNOWN and ("contentFile" in module) == ("contentBase64" in module):
                found.append((f"modules[{index}]", "give exactly one of `contentFile` and `contentBase64`"))
        return found

    @override
    def normalize(self, inputs: Wire) -> Wire:
        modules = inputs.get("modules")
        if not isinstance(modules, list):
            return inputs
        return inputs | {"modules": [_with_digest(module) for module in modules]}

    @override
    def body(self, inputs: Inputs) -> Wire:
        encoded: Wire = {"usage_model": "standard"} | super().body({k: v for k, v in inputs.items() if k != "deploy"})
        if "bindings" in encoded:
            encoded["bindings"] = sorted(encoded["bindings"], key=lambda binding: str(binding.get("name")))
        if "modules" in inputs:
            encoded["modules"] = [_uploaded(module) for module in inputs["modules"]]
        return encoded

    @override
    async def create(self, api: Api, inputs: Inputs) -> tuple[str, Wire]:
        query = f"?deploy={str(inputs['deploy']).lower()}" if "deploy" in inputs else ""
        answer = await api.send("POST", self.path(self.collection, inputs) + query, self.body(inputs)) or {}
        return self.identify(inputs, answer), answer

    @override
    async def read(self, api: Api, object_id: str, inputs: Inputs) -> Wire | None:
        path = self.path(self.collection + self.item, inputs, object_id)
        response = await api.read(path + "?include=modules")
        return None if response is None else response.json().get("result") or {}

    @override
    def refresh(self, inputs: Inputs, answer: Inputs) -> Wire:
        rest = {name: value for name, value in inputs.items() if name != "modules"}
        changed = super().refresh(rest, answer)
        changed.pop("modules", None)
        actual = {module["name"]: module.get("content_base64") for module in answer.get("modules") or []}
        known = [_refreshed(module, actual.get(module["name"])) for module in inputs.get("modules") or []]
        if known != (inputs.get("modules") or []) or len(actual) != len(known):
            changed["modules"] = self.names.decode(answer).get("modules")
        return changed


def _with_digest(module: Any) -> Any:
    if not isinstance(module, dict) or UNKNOWN in module.values() or "contentFile" not in module:
        return module
    return module | {"contentSha256": sha256(read_content(module["contentFile"]))}


def _uploaded(module: Inputs) -> Wire:
    if "contentFile" not in module:
        content = module.get("contentBase64")
    else:
        data = read_content(module["contentFile"])
        if sha256(data) != module.get("contentSha256"):
            raise PluginError(f"the content file `{module['contentFile']}` changed while it was being deployed")
        content = to_base64(data)
    return {"name": module["name"], "content_type": module["contentType"], "content_base64": content}


def _refreshed(module: Inputs, content: str | None) -> Inputs | None:
    if content is None:
        return None
    if "contentFile" in module:
        return module if sha256(base64.b64decode(content)) == module.get("contentSha256") else None
    return module if module.get("contentBase64") == content else None


WORKER = Worker(
    kind="worker:Worker",
    collection="/accounts/{accountId}/workers/workers",
    item="/{id}",
    required=("accountId", "name"),
    optional=("logpush", "observability", "subdomain", "tags", "tailConsumers"),
    outputs=("createdOn", "deployedOn", "references", "updatedOn"),
    replaces=frozenset({"accountId"}),
    import_id=("accountId",),
    tolerance=Tolerance(unordered=("tags", "tail_consumers")),
    unstable=frozenset({"updatedOn"}),
)

VERSION = Version(
    kind="workerVersion:WorkerVersion",
    collection="/accounts/{accountId}/workers/workers/{workerId}/versions",
    item="/{id}",
    required=("accountId", "workerId"),
    optional=(
        "annotations", "bindings", "cacheOptions", "compatibilityDate", "compatibilityFlags", "deploy", "exports",
        "limits", "mainModule", "migrations", "modules", "packageDependencies", "placement", "usageModel",
    ),
    outputs=(
        "authorEmail", "authorId", "createdOn", "exportsReconciliation", "mainScriptBase64", "migrationTag", "number",
        "source", "startupTimeMs", "urls",
    ),
    replaces=frozenset(
        {
            "accountId", "annotations", "bindings", "cacheOptions", "compatibilityDate", "compatibilityFlags",
            "deploy", "exports", "limits", "mainModule", "migrations", "modules", "packageDependencies",
            "placement", "usageModel", "workerId",
        }
    ),
    filled=frozenset({"annotations", "cacheOptions", "compatibilityFlags", "deploy", "limits", "placement"}),
    update_verb=None,
    deletes=False,
    import_id=("accountId", "workerId"),
    names=BINDING_NAMES,
    tolerance=Tolerance(
        hidden=HIDDEN_BINDING_FIELDS | {"migrations"}, unordered=("bindings", "modules", "compatibility_flags")
    ),
)  # fmt: skip

DEPLOYMENT = Resource(
    kind="workersDeployment:WorkersDeployment",
    collection="/accounts/{accountId}/workers/scripts/{scriptName}/deployments",
    item="/{id}",
    required=("accountId", "scriptName", "strategy", "versions"),
    optional=("annotations",),
    outputs=("authorEmail", "createdOn", "source"),
    replaces=frozenset({"accountId", "annotations", "scriptName", "strategy", "versions"}),
    filled=frozenset({"annotations"}),
    update_verb=None,
    deletes=False,
    import_id=("accountId", "scriptName"),
    names=BINDING_NAMES,
    tolerance=Tolerance(unordered=("versions",)),
)

RESOURCES = (WORKER, VERSION, DEPLOYMENT)
