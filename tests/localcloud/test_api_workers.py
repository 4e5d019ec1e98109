"""Workers, their versions, deployments and deletion."""

from __future__ import annotations

import pytest

from tests.localcloud.api_harness import MODULE, ZONE, Api


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
