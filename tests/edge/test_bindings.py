"""What Workers are bound to: values, KV, RPC, Analytics Engine, logs, cron, and plain fetch."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.edge.cloud import TOKEN
from tests.edge.world import World, eventually


def test_values_arrive_as_they_were_sent(world: World) -> None:
    found = world.get("/bindings").json()
    assert found["SECRET"] == 'ü"\\ \n secret'
    assert found["PLAIN"] == "plain"
    assert found["JSON_TEXT"] == {"analyst": [5]}
    assert found["JSON_VALUE"] == {"exec": [6]}
    assert found["VERSION"]["tag"] == "t1"
    assert found["VERSION"]["timestamp"] == "2026-11-24T00:00:00Z"
    assert found["VERSION"]["id"]
    assert found["settings"] == {"answer": 42, "text": "ü"}
    assert found["note"] == "a note\n"


def test_kv_puts_gets_and_deletes(world: World) -> None:
    assert world.get("/kv").json() == {"got": "one", "gone": None}


def test_kv_keeps_metadata_and_lists(world: World) -> None:
    found = world.get("/kv-metadata").json()
    assert found["value"] == "x"
    assert found["metadata"] == {"tag": 7}
    assert [k["name"] for k in found["listing"]["keys"]] == ["m:1"]
    assert found["listing"]["keys"][0]["metadata"] == {"tag": 7}
    assert found["listing"]["list_complete"] is True
    assert world.cloud.entries["m:1"]["expiration_ttl"] == "3600"


def test_a_service_binding_carries_rpc(world: World) -> None:
    assert world.get("/rpc").json() == {"made": 5, "named": "hello edge", "fetched": "from helper"}


def test_a_data_point_is_written_though_nobody_waits(world: World) -> None:
    before = len(world.log("analytics-audit"))
    for _ in range(20):
        assert world.get("/analytics").text == "undefined"
    points = eventually(lambda: len(p := world.log("analytics-audit")) >= before + 20 and p, "20 data points")
    assert {**points[-1], "time": None} == {
        "blobs": ["b"], "doubles": [1], "indexes": ["i"], "time": None, "worker": "probe"
    }  # fmt: skip


def test_an_audit_event_is_a_line_of_its_own_and_can_not_be_forged_by_a_line_break(world: World) -> None:
    assert world.get("/log").text == "logged"
    events = eventually(lambda: world.log("audit"), "the audit line")
    assert events[-1] == {"type": "mbgate.access", "text": 'é "quoted"', "path": "/x"}
    eventually(lambda: [e for e in world.log("workers") if e["message"].startswith("two\n")], "the second line")
    assert not [e for e in world.log("audit") if e.get("forged")]


def test_the_cache_is_always_missed(world: World) -> None:
    assert world.get("/cache").text == "undefined"


def test_sub_requests_are_counted_where_they_leave(world: World) -> None:
    before = len(world.log("subrequests"))
    world.get("/vpc/counted?secret=1")
    world.get("/analytics")
    world.get("/")
    entry = eventually(lambda: world.log("subrequests")[before:], "the count")
    assert [(e["via"], e["worker"], e["method"], e["path"]) for e in entry] == [("vpc", "probe", "GET", "/counted")]


@pytest.mark.parametrize(
    ("url", "status", "reason"),
    [
        ("http://example.com/", 502, "not-loopback"),
        ("http://10.0.0.1/", 502, "not-loopback"),
        ("https://127.0.0.1:1/", 502, "tls-on-loopback"),
    ],
)
def test_a_worker_can_not_leave_this_machine(world: World, url: str, status: int, reason: str) -> None:
    answer = world.get("/fetch", params={"url": url})
    assert answer.status_code == status
    eventually(lambda: [e for e in world.log("edge") if e.get("reason") == reason], "the log line")


def test_a_worker_fetches_from_loopback_and_from_other_workers(world: World) -> None:
    found = world.get("/fetch", params={"url": f"http://x.localhost:{world.origin.port}/plain"}).json()
    assert found["target"] == "/plain"
    assert ["host", f"x.localhost:{world.origin.port}"] in found["headers"]
    assert world.get("/fetch", params={"url": "https://other.localhost/"}).text == "other"


def test_a_cron_trigger_runs_on_demand_with_the_token_only(world: World) -> None:
    url = f"{world.team}/_local/cron/probe"
    assert httpx.post(url, trust_env=False).status_code == 401
    assert httpx.post(url, headers={"Authorization": "Bearer wrong"}, trust_env=False).status_code == 401
    good = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(url, headers=good, trust_env=False).status_code == 405
    assert httpx.post(url + "x", headers=good, trust_env=False).status_code == 404
    answer = httpx.post(url, headers=good, trust_env=False)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "ok")
    cron, _, moment = world.cloud.kv["cron"].decode().rpartition(" ")
    assert cron == "*/15 * * * *"
    assert moment.startswith(time.strftime("%Y-%m-%dT%H", time.gmtime()))
    other = httpx.post(f"{world.team}/_local/cron/other", headers=good, trust_env=False)
    assert other.status_code == 502
    assert "other" in other.json()["error"]
