"""Modules, bindings and Durable Object migrations of a version."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.localcloud.api_harness import MODULE, Api


def module(**fields: Any) -> dict[str, Any]:
    return {**MODULE, **fields}


@pytest.mark.parametrize(
    "modules",
    [
        [],
        [module(name="other.mjs")],
        [module(content_base64="%%%")],
        [module(content_base64=base64.b64encode(b"\xff\xfe").decode())],
        [module(content_type="image/png")],
        [module(content_type="text/plain")],
        [module(), module()],
        [module(), module(name="../x")],
        [module(), module(name='a"b')],
        [module(), module(name="c.json", content_type="application/json")],
        [module(extra=1)],
        [{"name": "i.mjs"}],
        [1],
    ],
)
def test_modules_that_could_not_run_are_refused(api: Api, modules: list[Any]) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    body = {"main_module": "i.mjs", "modules": modules}
    assert api.refused("POST", f"A/workers/workers/{worker['id']}/versions", body)[0] == 400
    assert api.ok("GET", f"A/workers/workers/{worker['id']}/versions") == []


WRONG_BINDINGS = [
    ({"type": "plain_text", "text": "x"}, 10021),
    ({"name": "B", "type": "d1", "database_id": "x"}, 10021),
    ({"name": "B"}, 10021),
    ({"name": "B", "type": ["x"]}, 10021),
    ({"name": "a b", "type": "plain_text", "text": "x"}, 10021),
    ({"name": "B", "type": "plain_text"}, 10021),
    ({"name": "B", "type": "plain_text", "text": 1}, 10021),
    ({"name": "B", "type": "plain_text", "text": "x", "made_up": 1}, 10021),
    ({"name": "B", "type": "secret_text", "text": None}, 10021),
    ({"name": "B", "type": "json"}, 10021),
    ({"name": "B", "type": "kv_namespace"}, 10021),
    ({"name": "B", "type": "kv_namespace", "namespace_id": "none"}, 10041),
    ({"name": "B", "type": "service", "service": "none"}, 10144),
    ({"name": "B", "type": "vpc_service", "service_id": "none"}, 10021),
    ({"name": "B", "type": "analytics_engine"}, 10021),
    ({"name": "B", "type": "version_metadata", "x": 1}, 10021),
    ({"name": "B", "type": "ratelimit", "namespace_id": "1", "simple": {"limit": 1, "period": 30}}, 10021),
    ({"name": "B", "type": "ratelimit", "namespace_id": "x", "simple": {"limit": 1, "period": 10}}, 10021),
    ({"name": "B", "type": "durable_object_namespace", "class_name": "C"}, 10061),
    ({"name": "B", "type": "inherit"}, 10057),
]


@pytest.mark.parametrize(
    ("binding", "code"), WRONG_BINDINGS, ids=lambda v: json.dumps(v) if isinstance(v, dict) else ""
)
def test_a_binding_that_could_not_work_is_refused(api: Api, binding: dict[str, Any], code: int) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    body = {"main_module": "i.mjs", "modules": [MODULE], "bindings": [binding]}
    assert api.refused("POST", f"A/workers/workers/{worker['id']}/versions", body)[:2] == (400, code)


def test_each_binding_is_kept_as_sent_and_reaches_the_edge(api: Api) -> None:
    namespace = api.ok("POST", "A/storage/kv/namespaces", {"title": "n"})
    tunnel = api.tunnel()
    host = {"hostname": "m.internal", "resolver_network": {"tunnel_id": tunnel["id"]}}
    service = api.ok("POST", "A/connectivity/directory/services", {"name": "s", "type": "http", "host": host})
    api.worker("broker")
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    bindings: list[dict[str, Any]] = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": namespace["id"]},
        {"name": "SECRET", "type": "secret_text", "text": "hush"},
        {"name": "EMPTY", "type": "secret_text", "text": ""},
        {"name": "PLAIN", "type": "plain_text", "text": "x"},
        {"name": "GROUPS", "type": "json", "json": {"analyst": [5], "none": None}},
        {"name": "TEXT", "type": "json", "json": '{"a":1}'},
        {"name": "BROKER", "type": "service", "service": "broker", "entrypoint": "Rpc"},
        {"name": "SELF", "type": "service", "service": "w"},
        {"name": "AUDIT", "type": "analytics_engine", "dataset": "audit"},
        {"name": "ORIGIN", "type": "vpc_service", "service_id": service["service_id"]},
        {"name": "VERSION", "type": "version_metadata"},
        {"name": "LIMIT", "type": "ratelimit", "namespace_id": "7", "simple": {"limit": 9, "period": 60}},
        {"name": "OBJECT", "type": "durable_object_namespace", "class_name": "C"},
    ]
    migrations = {"new_tag": "v1", "new_sqlite_classes": ["C"]}
    version = api.version(worker["id"], bindings, migrations=migrations)
    shares = [{"percentage": 100, "version_id": version["id"]}]
    api.ok("POST", "A/workers/scripts/w/deployments", {"strategy": "percentage", "versions": shares})
    live = next(w for w in api.state()["workers"] if w["name"] == "w")
    assert live["versions"][0]["bindings"] == bindings
    assert live["durable_objects"] == {"C": "sqlite"}
    shown = [{k: v for k, v in b.items() if not (b["type"] == "secret_text" and k == "text")} for b in bindings]
    assert version["bindings"] == shown
    assert api.ok("GET", "A/workers/scripts/w/settings")["bindings"] == shown


def test_a_binding_name_is_used_once(api: Api) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    twice = [{"name": "B", "type": "plain_text", "text": "x"}] * 2
    body = {"main_module": "i.mjs", "modules": [MODULE], "bindings": twice}
    assert "already in use" in api.refused("POST", f"A/workers/workers/{worker['id']}/versions", body)[2]


def test_inherit_takes_the_value_of_an_earlier_version(api: Api) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    first = api.version(worker["id"], [{"name": "S", "type": "secret_text", "text": "one"}])
    api.version(worker["id"], [{"name": "S", "type": "secret_text", "text": "two"}])
    inherit = [
        {"name": "S", "type": "inherit"},
        {"name": "OLD", "type": "inherit", "old_name": "S", "version_id": first["id"]},
    ]
    body = {"main_module": "i.mjs", "modules": [MODULE], "bindings": inherit}
    api.ok("POST", f"A/workers/workers/{worker['id']}/versions?deploy=true", body)
    texts = {b["name"]: b["text"] for b in api.state()["workers"][0]["versions"][0]["bindings"]}
    assert texts == {"S": "two", "OLD": "one"}


def test_migrations_are_applied_once_and_in_order(api: Api) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    api.version(worker["id"], [], migrations={"new_tag": "v1", "new_sqlite_classes": ["C"]})
    path, body = f"A/workers/workers/{worker['id']}/versions", {"main_module": "i.mjs", "modules": [MODULE]}
    again = {"old_tag": "v1", "new_tag": "v2", "new_sqlite_classes": ["C"]}
    assert api.refused("POST", path, {**body, "migrations": again})[1] == 10074
    assert api.refused("POST", path, {**body, "migrations": {"new_tag": "v2"}})[1] == 10079
    gone = {"old_tag": "v1", "new_tag": "v2", "deleted_classes": ["D"]}
    assert api.refused("POST", path, {**body, "migrations": gone})[1] == 10061
    renamed = {"old_tag": "v1", "new_tag": "v2", "renamed_classes": [{"from": "C", "to": "D"}]}
    api.ok("POST", path, {**body, "migrations": renamed})
    assert api.state()["workers"][0]["durable_objects"] == {"D": "sqlite"}
