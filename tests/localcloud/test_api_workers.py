"""Workers, versions, deployments, scripts, bindings, schedules, custom domains, routes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.localcloud.api_harness import MODULE, ZONE, Api

JS = "application/javascript+module"


def upload(api: Api, name: str, metadata: dict[str, Any], code: bytes = b"export default {}", kind: str = JS) -> Any:
    parts = [("i.mjs", ("i.mjs", code, kind)), ("metadata", (None, json.dumps(metadata), "application/json"))]
    return api.call("PUT", f"A/workers/scripts/{name}", files=parts)


def test_a_worker_has_cloudflares_defaults(api: Api) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    assert worker["observability"] == {
        "enabled": False,
        "head_sampling_rate": 1,
        "logs": {
            **{"enabled": False, "head_sampling_rate": 1, "invocation_logs": True},
            **{"persist": True, "destinations": []},
        },
        "traces": {"enabled": False, "head_sampling_rate": 1, "persist": True, "destinations": []},
    }
    assert worker["subdomain"] == {"enabled": False, "previews_enabled": False}
    assert (worker["logpush"], worker["tags"], worker["tail_consumers"]) == (False, [], [])
    assert api.ok("GET", f"A/workers/workers/{worker['id']}") == worker
    assert api.ok("GET", "A/workers/workers/w") == worker


def test_put_sets_defaults_and_patch_leaves_the_rest(api: Api) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w", "tags": ["a"], "observability": {"enabled": True}})
    path = f"A/workers/workers/{worker['id']}"
    patched = api.ok("PATCH", path, {"observability": {"logs": {"enabled": True}}})
    assert patched["tags"] == ["a"]
    assert patched["observability"]["enabled"] is True
    assert patched["observability"]["logs"]["enabled"] is True
    replaced = api.ok("PUT", path, {"name": "w"})
    assert replaced["tags"] == []
    assert replaced["observability"]["enabled"] is False
    assert replaced["created_on"] == worker["created_on"]


def test_a_worker_name_is_taken_once(api: Api) -> None:
    api.ok("POST", "A/workers/workers", {"name": "w"})
    assert api.refused("POST", "A/workers/workers", {"name": "w"})[:2] == (409, 10040)
    other = api.ok("POST", "A/workers/workers", {"name": "v"})
    assert api.refused("PUT", f"A/workers/workers/{other['id']}", {"name": "w"})[:2] == (409, 10040)


@pytest.mark.parametrize("name", ["", "W", "a b", "-x", "a" * 64, 1, None])
def test_a_worker_name_has_a_form(api: Api, name: object) -> None:
    assert api.refused("POST", "A/workers/workers", {"name": name})[0] == 400


def test_a_rename_takes_domains_routes_and_schedules_along(api: Api) -> None:
    worker = api.worker("w")
    api.ok("PUT", "A/workers/domains", {"hostname": "bi.example.com", "service": "w", "zone_id": ZONE})
    api.ok("POST", "Z/workers/routes", {"pattern": "example.com/*", "script": "w"})
    api.ok("PUT", "A/workers/scripts/w/schedules", [{"cron": "* * * * *"}])
    api.ok("PUT", f"A/workers/workers/{worker['id']}", {"name": "v"})
    state = api.state()
    assert (state["domains"][0]["service"], state["routes"][0]["script"]) == ("v", "v")
    assert (state["workers"][0]["name"], state["workers"][0]["crons"]) == ("v", ["* * * * *"])


def test_versions_count_and_keep_secrets(api: Api) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    secret = {"name": "S", "type": "secret_text", "text": "hush"}
    first = api.version(worker["id"], [secret], annotations={"workers/tag": "v1"})
    second = api.version(worker["id"], [])
    assert (first["number"], second["number"]) == (1, 2)
    path = f"A/workers/workers/{worker['id']}/versions"
    read = api.ok("GET", f"{path}/{first['id']}?include=modules")
    assert read["bindings"] == [{"name": "S", "type": "secret_text"}]
    assert read["modules"] == [MODULE]
    assert read["annotations"]["workers/tag"] == "v1"
    assert "modules" not in api.ok("GET", f"{path}/{first['id']}")
    assert [v["number"] for v in api.ok("GET", path)] == [2, 1]
    assert "hush" not in api.call("GET", path).text
    assert api.refused("GET", f"{path}/{first['id']}?include=all")[0] == 400


def test_a_version_belongs_to_its_worker(api: Api) -> None:
    one = api.ok("POST", "A/workers/workers", {"name": "w"})
    other = api.ok("POST", "A/workers/workers", {"name": "v"})
    version = api.version(one["id"], [])
    assert api.refused("GET", f"A/workers/workers/{other['id']}/versions/{version['id']}")[0] == 404
    shares = {"strategy": "percentage", "versions": [{"percentage": 100, "version_id": version["id"]}]}
    assert api.refused("POST", "A/workers/scripts/v/deployments", shares)[:2] == (400, 100146)


def test_the_last_deployment_is_live(api: Api) -> None:
    worker = api.worker("w")
    second = api.version(worker["id"], [])
    first = api.ok("GET", f"A/workers/workers/{worker['id']}/versions")[-1]
    shares = [{"percentage": 90, "version_id": first["id"]}, {"percentage": 10, "version_id": second["id"]}]
    made = api.ok("POST", "A/workers/scripts/w/deployments", {"strategy": "percentage", "versions": shares})
    assert made["versions"] == shares
    deployments = api.ok("GET", "A/workers/scripts/w/deployments")["deployments"]
    assert deployments[0]["id"] == made["id"]
    assert len(deployments) == 2
    assert api.ok("GET", f"A/workers/scripts/w/deployments/{made['id']}") == made
    live = api.state()["workers"][0]["versions"]
    assert [(v["id"], v["percentage"]) for v in live] == [(first["id"], 90), (second["id"], 10)]
    assert api.refused("DELETE", f"A/workers/workers/w/versions/{second['id']}")[0] == 400


@pytest.mark.parametrize("percentages", [[], [99], [50, 51], [0, 100], [40, 30, 30], [100, 100]])
def test_percentages_sum_to_a_hundred(api: Api, percentages: list[int]) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    versions = [api.version(worker["id"], []) for _ in percentages]
    shares = [{"percentage": p, "version_id": v["id"]} for p, v in zip(percentages, versions, strict=True)]
    body = {"strategy": "percentage", "versions": shares}
    assert api.refused("POST", "A/workers/scripts/w/deployments", body)[0] == 400


def test_deploy_sends_all_traffic_at_once(api: Api) -> None:
    worker = api.ok("POST", "A/workers/workers", {"name": "w"})
    body = {"main_module": "i.mjs", "modules": [MODULE]}
    version = api.ok("POST", f"A/workers/workers/{worker['id']}/versions?deploy=true", body)
    assert [v["id"] for v in api.state()["workers"][0]["versions"]] == [version["id"]]


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


def test_a_worker_in_use_is_not_deleted_unless_forced(api: Api) -> None:
    broker = api.worker("broker")
    user = api.worker("gateway", [{"name": "B", "type": "service", "service": "broker"}])
    status, code, message = api.refused("DELETE", f"A/workers/workers/{broker['id']}")
    assert (status, code) == (400, 10142)
    assert "gateway" in message
    assert api.refused("DELETE", "A/workers/scripts/broker")[1] == 10142
    version = api.version(user["id"], [])
    shares = [{"percentage": 100, "version_id": version["id"]}]
    api.ok("POST", "A/workers/scripts/gateway/deployments", {"strategy": "percentage", "versions": shares})
    api.ok("DELETE", f"A/workers/workers/{broker['id']}")
    api.worker("broker")
    api.worker("other", [{"name": "B", "type": "service", "service": "broker"}])
    api.ok("DELETE", "A/workers/scripts/broker?force=true")
    assert api.refused("DELETE", "A/workers/scripts/other?force=maybe")[0] == 400


def test_delete_takes_all_that_belongs_to_the_worker(api: Api) -> None:
    worker = api.worker("w")
    api.ok("PUT", "A/workers/domains", {"hostname": "bi.example.com", "service": "w"})
    api.ok("POST", "Z/workers/routes", {"pattern": "*.example.com/x*", "script": "w"})
    api.ok("PUT", "A/workers/scripts/w/schedules", [{"cron": "* * * * *"}])
    api.ok("DELETE", f"A/workers/workers/{worker['id']}")
    for path in ("A/workers/workers", "A/workers/scripts", "A/workers/domains", "Z/workers/routes"):
        assert api.ok("GET", path) == []
    assert api.refused("DELETE", f"A/workers/workers/{worker['id']}")[:2] == (404, 10007)
    api.worker("w")
    assert api.ok("GET", "A/workers/scripts/w/schedules") == {"schedules": []}


def test_a_script_is_live_at_once_and_read_back(api: Api) -> None:
    secret = {"name": "S", "type": "secret_text", "text": "hush"}
    metadata = {"main_module": "i.mjs", "bindings": [secret], "compatibility_date": "2026-11-01"}
    answer = upload(api, "s", metadata).json()["result"]
    assert (answer["id"], answer["handlers"], answer["has_modules"]) == ("s", ["fetch"], True)
    assert "hush" not in api.call("GET", "A/workers/scripts/s/settings").text
    assert [script["id"] for script in api.ok("GET", "A/workers/scripts")] == ["s"]
    assert [worker["name"] for worker in api.ok("GET", "A/workers/workers")] == ["s"]
    upload(api, "s", {"main_module": "i.mjs", "keep_bindings": ["secret_text"]})
    live = api.state()["workers"][0]["versions"]
    assert [(v["number"], v["percentage"], v["bindings"]) for v in live] == [(2, 100, [secret])]
    assert api.ok("GET", "A/workers/scripts/s/settings")["bindings"] == [{"name": "S", "type": "secret_text"}]


@pytest.mark.parametrize(
    "metadata", [{}, {"main_module": "x.mjs"}, {"main_module": "i.mjs", "made_up": 1}, {"main_module": 1}, [], "x"]
)
def test_wrong_metadata_is_refused(api: Api, metadata: Any) -> None:
    response = upload(api, "s", metadata)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, 10021)
    assert api.ok("GET", "A/workers/workers") == []


def test_a_wrong_upload_is_refused(api: Api) -> None:
    good = {"main_module": "i.mjs"}
    assert upload(api, "s", good, kind="image/png").status_code == 400
    assert upload(api, "s", good, code=b"\xff").status_code == 400
    assert upload(api, "Not Good", good).status_code == 400
    parts = [("i.mjs", ("i.mjs", b"x", JS))]
    assert "metadata" in api.refused("PUT", "A/workers/scripts/s", files=parts)[2]
    broken = [*parts, ("metadata", (None, "{", "application/json"))]
    assert "not JSON" in api.refused("PUT", "A/workers/scripts/s", files=broken)[2]
    assert api.refused("PUT", "A/workers/scripts/s", {"main_module": "i.mjs"})[0] == 400
    garbage = {"content": b"--x\r\n\r\n", "headers": {"content-type": "multipart/form-data"}}
    assert api.refused("PUT", "A/workers/scripts/s", **garbage)[0] == 400


def test_a_worker_without_deployment_is_no_script(api: Api) -> None:
    api.ok("POST", "A/workers/workers", {"name": "w"})
    assert api.refused("GET", "A/workers/services/w")[:2] == (404, 10007)
    assert api.ok("GET", "A/workers/scripts") == []
    assert api.state()["workers"][0]["versions"] == []


@pytest.mark.parametrize("crons", [["* * * *"], ["x y z a !"], ["* * * * *"] * 2, [""]])
def test_a_wrong_cron_is_refused(api: Api, crons: list[str]) -> None:
    api.worker("w")
    body = [{"cron": cron} for cron in crons]
    assert api.refused("PUT", "A/workers/scripts/w/schedules", body)[:2] == (400, 10100)
    assert api.refused("PUT", "A/workers/scripts/none/schedules", [])[:2] == (404, 10007)


def test_an_empty_list_stops_the_schedules(api: Api) -> None:
    api.worker("w")
    made = api.ok("PUT", "A/workers/scripts/w/schedules", [{"cron": "*/15 * * * *"}])
    assert [s["cron"] for s in made["schedules"]] == ["*/15 * * * *"]
    assert api.ok("GET", "A/workers/scripts/w/schedules") == made
    assert api.ok("PUT", "A/workers/scripts/w/schedules", []) == {"schedules": []}
    assert api.state()["workers"][0]["crons"] == []


def test_workers_dev_can_be_switched(api: Api) -> None:
    api.worker("w")
    path = "A/workers/scripts/w/subdomain"
    assert api.ok("POST", path, {"enabled": True}) == {"enabled": True, "previews_enabled": True}
    assert api.ok("GET", "A/workers/workers/w")["subdomain"]["enabled"] is True
    assert api.refused("POST", path, {"previews_enabled": True})[0] == 400
    assert api.ok("DELETE", path) == {"enabled": False, "previews_enabled": False}
    assert api.ok("GET", path)["enabled"] is False


def test_a_custom_domain_is_one_workers(api: Api) -> None:
    api.worker("w")
    api.worker("v")
    body = {"hostname": "bi.example.com", "service": "w", "zone_id": ZONE}
    domain = api.ok("PUT", "A/workers/domains", body)
    assert domain.keys() == {"id", "hostname", "service", "environment", "zone_id", "zone_name", "cert_id"}
    assert api.ok("PUT", "A/workers/domains", body) == domain
    assert api.refused("PUT", "A/workers/domains", {**body, "service": "v"})[:2] == (409, 100116)
    assert api.ok("GET", "A/workers/domains?service=w") == [domain]
    assert api.ok("GET", "A/workers/domains?service=v") == []
    api.ok("DELETE", f"A/workers/domains/{domain['id']}")
    assert api.refused("GET", f"A/workers/domains/{domain['id']}")[:2] == (404, 100114)


@pytest.mark.parametrize(
    ("change", "status"),
    [({"hostname": "bi.other.com"}, 400), ({"hostname": "a b.example.com"}, 400), ({"zone_id": "x"}, 403),
     ({"service": "none"}, 404), ({"hostname": "notexample.com"}, 400), ({"made_up": 1}, 400)],
)  # fmt: skip
def test_a_wrong_custom_domain_is_refused(api: Api, change: dict[str, Any], status: int) -> None:
    api.worker("w")
    body = {"hostname": "bi.example.com", "service": "w", "zone_id": ZONE, **change}
    assert api.refused("PUT", "A/workers/domains", body)[0] == status


def test_a_hostname_with_records_is_no_custom_domain_and_the_reverse(api: Api) -> None:
    api.worker("w")
    record = {"name": "bi.example.com", "type": "CNAME", "content": "x.example.org", "ttl": 1}
    made = api.ok("POST", "Z/dns_records", record)
    body = {"hostname": "bi.example.com", "service": "w"}
    assert api.refused("PUT", "A/workers/domains", body)[:2] == (409, 100117)
    api.ok("DELETE", f"Z/dns_records/{made['id']}")
    api.ok("PUT", "A/workers/domains", body)
    assert api.refused("POST", "Z/dns_records", record)[1] == 81053


def test_routes(api: Api) -> None:
    api.worker("w")
    route = api.ok("POST", "Z/workers/routes", {"pattern": "example.com/*", "script": "w"})
    assert api.refused("POST", "Z/workers/routes", {"pattern": "example.com/*"})[:2] == (409, 10020)
    assert api.refused("POST", "Z/workers/routes", {"pattern": "a.example.com/*", "script": "x"})[:2] == (404, 10019)
    for pattern in ("other.com/*", "example.com/*/x", "", "exam ple.com/*", "https://evilexample.com/*"):
        assert api.refused("POST", "Z/workers/routes", {"pattern": pattern})[:2] == (400, 10022)
    path = f"Z/workers/routes/{route['id']}"
    assert api.ok("PUT", path, {"pattern": "https://*.example.com/x*"})["pattern"] == "https://*.example.com/x*"
    assert api.ok("GET", path).keys() == {"id", "pattern"}
    assert api.state()["routes"] == [
        {"id": route["id"], "pattern": "https://*.example.com/x*", "script": None, "zone_id": ZONE}
    ]
    api.ok("DELETE", path)
    assert api.ok("GET", "Z/workers/routes") == []
