"""How requests and times reach a Worker: routes, custom domains, cron triggers, workers.dev."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from localcloud.plugins.cloudflare.client import Api
from localcloud.plugins.cloudflare.resource import Inputs, Resource, Wire


@dataclass(frozen=True, kw_only=True)
class CronTrigger(Resource):
    """`WorkersCronTrigger`: the body is the bare list, and nothing deletes it: an empty list stops it."""

    @override
    def body(self, inputs: Inputs) -> Any:
        return [self.names.encode(schedule) for schedule in inputs["schedules"]]

    @override
    def update_body(self, old: Inputs, new: Inputs) -> Any:
        return self.body(new)

    @override
    async def create(self, api: Api, inputs: Inputs) -> tuple[str, Wire]:
        path = self.path(self.collection + self.item, inputs, inputs["scriptName"])
        await api.send("PUT", path, self.body(inputs))
        return str(inputs["scriptName"]), {}

    @override
    def refresh(self, inputs: Inputs, answer: Inputs) -> Wire:
        actual = [{"cron": schedule["cron"]} for schedule in answer.get("schedules") or []]
        sent = [{"cron": schedule["cron"]} for schedule in inputs.get("schedules") or []]
        same = sorted(map(str, actual)) == sorted(map(str, sent))
        return {} if same else {"schedules": actual}

    @override
    def imported(self, inputs: Inputs, answer: Inputs) -> Wire:
        return dict(inputs) | self.refresh({}, answer)


@dataclass(frozen=True, kw_only=True)
class ScriptSubdomain(Resource):
    """`WorkersScriptSubdomain`: one object for each script, at a fixed place."""

    @override
    def identify(self, inputs: Inputs, answer: Inputs) -> str:
        return str(inputs["scriptName"])


ROUTE = Resource(
    kind="workersRoute:WorkersRoute",
    collection="/zones/{zoneId}/workers/routes",
    item="/{id}",
    required=("pattern", "zoneId"),
    optional=("script",),
    replaces=frozenset({"zoneId"}),
    import_id=("zoneId",),
)

CUSTOM_DOMAIN = Resource(
    kind="workersCustomDomain:WorkersCustomDomain",
    collection="/accounts/{accountId}/workers/domains",
    item="/{id}",
    required=("accountId", "hostname", "service"),
    optional=("environment", "zoneId", "zoneName"),
    outputs=("certId",),
    replaces=frozenset({"accountId", "hostname", "service", "environment", "zoneId", "zoneName"}),
    filled=frozenset({"environment", "zoneId", "zoneName"}),
    create_verb="PUT",
    update_verb=None,
    import_id=("accountId",),
)

CRON_TRIGGER = CronTrigger(
    kind="workersCronTrigger:WorkersCronTrigger",
    collection="/accounts/{accountId}/workers/scripts",
    item="/{id}/schedules",
    required=("accountId", "scriptName", "schedules"),
    replaces=frozenset({"accountId", "scriptName"}),
    deletes=False,
    id_from="scriptName",
    import_id=("accountId",),
)

SUBDOMAIN = ScriptSubdomain(
    kind="workersScriptSubdomain:WorkersScriptSubdomain",
    collection="/accounts/{accountId}/workers/scripts/{scriptName}",
    item="/subdomain",
    required=("accountId", "enabled", "scriptName"),
    optional=("previewsEnabled",),
    replaces=frozenset({"accountId", "scriptName"}),
    filled=frozenset({"previewsEnabled"}),
    create_at_item=True,
    update_verb="POST",
    id_from="scriptName",
    import_id=("accountId",),
)

RESOURCES = (ROUTE, CUSTOM_DOMAIN, CRON_TRIGGER, SUBDOMAIN)
