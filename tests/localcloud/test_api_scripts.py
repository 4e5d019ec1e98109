"""Scripts uploaded in one request, their schedules and the workers.dev switch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.localcloud.api_harness import Api

JS = "application/javascript+module"


def upload(api: Api, name: str, metadata: dict[str, Any], code: bytes = b"export default {}", kind: str = JS) -> Any:
    parts = [("i.mjs", ("i.mjs", code, kind)), ("metadata", (None, json.dumps(metadata), "application/json"))]
    return api.call("PUT", f"A/workers/scripts/{name}", files=parts)


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
