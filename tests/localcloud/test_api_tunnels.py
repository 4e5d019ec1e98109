"""Tunnels, their configuration and token, Workers VPC services, DNS records."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.localcloud.api_harness import ACCOUNT, Api

CATCH_ALL = {"service": "http_status:404"}


def test_a_token_is_what_a_connector_takes(api: Api) -> None:
    secret = base64.b64encode(b"s" * 32).decode()
    tunnel = api.ok("POST", "A/cfd_tunnel", {"name": "t", "tunnel_secret": secret, "config_src": "cloudflare"})
    token = api.ok("GET", f"A/cfd_tunnel/{tunnel['id']}/token")
    assert json.loads(base64.b64decode(token)) == {"a": ACCOUNT, "t": tunnel["id"], "s": secret}
    assert api.state()["tunnels"] == [{"id": tunnel["id"], "name": "t", "token": token, "config": None}]
    assert secret not in api.call("GET", f"A/cfd_tunnel/{tunnel['id']}").text
    other = base64.b64encode(b"o" * 32).decode()
    api.ok("PATCH", f"A/cfd_tunnel/{tunnel['id']}", {"tunnel_secret": other})
    assert api.ok("GET", f"A/cfd_tunnel/{tunnel['id']}/token") != token


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 1}, {"name": "t", "config_src": "x"}, {"name": "t", "tunnel_secret": "c2hvcnQ="},
     {"name": "t", "tunnel_secret": "%"}, {"name": "t", "made_up": 1}],
)  # fmt: skip
def test_a_wrong_tunnel_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.refused("POST", "A/cfd_tunnel", body)[0] == 400
    assert api.ok("GET", "A/cfd_tunnel") == []


def test_a_tunnel_name_is_taken_until_it_is_deleted(api: Api) -> None:
    first = api.tunnel("t")
    assert api.refused("POST", "A/cfd_tunnel", {"name": "t"})[:2] == (409, 1013)
    other = api.tunnel("u")
    assert api.refused("PATCH", f"A/cfd_tunnel/{other['id']}", {"name": "t"})[:2] == (409, 1013)
    assert api.ok("PATCH", f"A/cfd_tunnel/{first['id']}", {"name": "t"})["name"] == "t"
    api.ok("DELETE", f"A/cfd_tunnel/{first['id']}")
    api.tunnel("t")


def test_a_deleted_tunnel_is_answered_but_not_used(api: Api) -> None:
    tunnel = api.tunnel()
    path = f"A/cfd_tunnel/{tunnel['id']}"
    assert api.ok("DELETE", path)["deleted_at"] is not None
    assert api.ok("GET", path)["deleted_at"] is not None
    assert api.ok("GET", "A/cfd_tunnel?is_deleted=false") == []
    assert [t["id"] for t in api.ok("GET", "A/cfd_tunnel?is_deleted=true")] == [tunnel["id"]]
    assert [t["id"] for t in api.ok("GET", "A/cfd_tunnel?name=t")] == [tunnel["id"]]
    for method, rest in (("DELETE", ""), ("GET", "/token"), ("GET", "/configurations"), ("GET", "/connections")):
        assert api.refused(method, path + rest)[:2] == (404, 1003)
    assert api.refused("PATCH", path, {"name": "x"})[:2] == (404, 1003)
    assert api.state()["tunnels"] == []


def test_a_configuration_is_kept_and_counted(api: Api) -> None:
    path = f"A/cfd_tunnel/{api.tunnel()['id']}/configurations"
    assert (api.ok("GET", path)["version"], api.ok("GET", path)["config"]) == (0, None)
    access = {"required": True, "teamName": "acme", "audTag": ["x"]}
    rule = {
        "hostname": "o.example.com",
        "service": "http://metabase:3000",
        "originRequest": {"access": access, "httpHostHeader": "h", "noTLSVerify": False, "matchSNItoHost": True},
    }
    sent = {"ingress": [rule, CATCH_ALL], "originRequest": {"connectTimeout": 5, "http2Origin": True}}
    made = api.ok("PUT", path, {"config": sent})
    assert made["version"] == 1
    assert sent.items() <= made["config"].items()
    assert api.ok("GET", path) == made
    assert api.ok("PUT", path, {"config": {"ingress": [CATCH_ALL]}})["version"] == 2
    assert api.state()["tunnels"][0]["config"]["ingress"] == [CATCH_ALL]


@pytest.mark.parametrize(
    "ingress",
    [
        [],
        [{"hostname": "o.example.com", "service": "http://m:3000"}],
        [CATCH_ALL, CATCH_ALL],
        [{**CATCH_ALL, "path": "/x"}],
        [{"service": "ftp://x"}],
        [{"service": "http_status:999"}],
        [{"service": "http://m", "origin_request": {}}, CATCH_ALL],
        [{"hostname": "a", "service": "http://m", "originRequest": {"made_up": 1}}, CATCH_ALL],
        [{"hostname": "a", "service": "http://m", "originRequest": {"access": {"audTag": ["x"]}}}, CATCH_ALL],
        [{"hostname": "a", "service": "http://m", "originRequest": {"connectTimeout": "5s"}}, CATCH_ALL],
    ],
)
def test_a_wrong_configuration_is_refused(api: Api, ingress: list[Any]) -> None:
    path = f"A/cfd_tunnel/{api.tunnel()['id']}/configurations"
    assert api.refused("PUT", path, {"config": {"ingress": ingress}})[:2] == (400, 1056)
    assert api.ok("GET", path)["version"] == 0


def test_a_locally_configured_tunnel_takes_no_configuration(api: Api) -> None:
    tunnel = api.ok("POST", "A/cfd_tunnel", {"name": "t"})
    assert (tunnel["config_src"], tunnel["remote_config"]) == ("local", False)
    body = {"config": {"ingress": [CATCH_ALL]}}
    assert api.refused("PUT", f"A/cfd_tunnel/{tunnel['id']}/configurations", body)[:2] == (400, 1055)


def service(tunnel_id: str, **change: Any) -> dict[str, Any]:
    host = {"hostname": "metabase.internal", "resolver_network": {"tunnel_id": tunnel_id}}
    return {"name": "m", "type": "http", "http_port": 3000, "host": host, **change}


SERVICES = "A/connectivity/directory/services"


def test_a_vpc_service_lives_and_holds_its_tunnel(api: Api) -> None:
    tunnel = api.tunnel()
    body = service(tunnel["id"])
    made = api.ok("POST", SERVICES, body)
    assert body.items() <= made.items()
    assert made.keys() == {*body, "service_id", "created_at", "updated_at"}
    assert api.ok("GET", f"{SERVICES}/{made['service_id']}") == made
    assert api.state()["connectivity_services"] == [made]
    assert api.refused("POST", SERVICES, body)[:2] == (409, 5101)
    assert api.refused("DELETE", f"A/cfd_tunnel/{tunnel['id']}")[:2] == (400, 1022)
    changed = api.ok("PUT", f"{SERVICES}/{made['service_id']}", {**body, "http_port": 3001})
    assert (changed["service_id"], changed["http_port"]) == (made["service_id"], 3001)
    assert api.ok("GET", f"{SERVICES}?type=tcp") == []
    api.ok("DELETE", f"{SERVICES}/{made['service_id']}")
    assert api.ok("GET", SERVICES) == []
    assert api.refused("GET", f"{SERVICES}/{made['service_id']}")[:2] == (404, 5104)
    api.ok("DELETE", f"A/cfd_tunnel/{tunnel['id']}")


@pytest.mark.parametrize(
    "change",
    [
        {"type": "udp"},
        {"http_port": 0},
        {"http_port": "3000"},
        {"tcp_port": 5432},
        {"type": "tcp"},
        {"host": {}},
        {"host": {"hostname": "m"}},
        {"host": {"hostname": "m", "resolver_network": {"tunnel_id": "none"}}},
        {"host": {"ipv4": "10.0.0.x", "network": {"tunnel_id": "T"}}},
        {"host": {"hostname": "m", "ipv4": "10.0.0.1", "network": {"tunnel_id": "T"}}},
        {"host": {"hostname": "m", "network": {"tunnel_id": "T"}}},
        {"made_up": 1},
    ],
)
def test_a_wrong_vpc_service_is_refused(api: Api, change: dict[str, Any]) -> None:
    tunnel = api.tunnel()
    filled = json.loads(json.dumps(change).replace('"T"', json.dumps(tunnel["id"])))
    assert api.refused("POST", SERVICES, service(tunnel["id"], **filled))[0] == 400
    assert api.ok("GET", SERVICES) == []


def test_a_vpc_service_may_be_an_address_or_tcp(api: Api) -> None:
    tunnel = api.tunnel()["id"]
    api.ok("POST", SERVICES, service(tunnel, host={"ipv4": "10.0.0.1", "network": {"tunnel_id": tunnel}}))
    tcp = {"name": "db", "type": "tcp", "tcp_port": 5432, "app_protocol": "postgresql"}
    api.ok("POST", SERVICES, {**service(tunnel), "http_port": None, **tcp})
    assert [s["name"] for s in api.ok("GET", SERVICES)] == ["m", "db"]


def record(**change: Any) -> dict[str, Any]:
    return {
        "name": "o.example.com",
        "type": "CNAME",
        "content": "x.cfargotunnel.com",
        "ttl": 1,
        "proxied": True,
        **change,
    }


def test_a_record_lives(api: Api) -> None:
    made = api.ok("POST", "Z/dns_records", record())
    assert record().items() <= made.items()
    assert (made["proxiable"], made["meta"], made["settings"], made["tags"]) == (True, {}, {}, [])
    path = f"Z/dns_records/{made['id']}"
    assert api.ok("PATCH", path, {"comment": "c"})["comment"] == "c"
    assert api.ok("PATCH", path, {"ttl": 300})["comment"] == "c"
    assert api.ok("PUT", path, record())["comment"] is None
    for query, count in (("name=o.example.com", 1), ("name.exact=o.example.com", 1), ("type=A", 0), ("content=x", 0)):
        assert len(api.ok("GET", f"Z/dns_records?{query}")) == count
    assert api.ok("DELETE", path) == {"id": made["id"]}
    assert api.ok("GET", "Z/dns_records") == []
    assert api.refused("DELETE", path)[:2] == (404, 81044)


def test_names_are_completed_and_lowercase(api: Api) -> None:
    assert api.ok("POST", "Z/dns_records", record(name="ORIGIN"))["name"] == "origin.example.com"
    assert api.ok("POST", "Z/dns_records", record(name="@"))["name"] == "example.com"


def test_records_conflict_as_in_dns(api: Api) -> None:
    api.ok("POST", "Z/dns_records", record())
    assert api.refused("POST", "Z/dns_records", record())[:2] == (400, 81058)
    assert api.refused("POST", "Z/dns_records", record(content="y"))[:2] == (400, 81053)
    address = record(type="A", content="192.0.2.1")
    assert api.refused("POST", "Z/dns_records", address)[:2] == (400, 81054)
    api.ok("POST", "Z/dns_records", {**address, "name": "a.example.com"})
    api.ok("POST", "Z/dns_records", {**address, "name": "a.example.com", "content": "192.0.2.2"})
    assert api.refused("POST", "Z/dns_records", record(name="a.example.com"))[:2] == (400, 81053)
    api.ok("POST", "Z/dns_records", record(type="TXT", content="text", proxied=False))


@pytest.mark.parametrize(
    "change",
    [{"type": "MX"}, {"type": "A"}, {"type": "A", "content": "::1"}, {"type": "AAAA", "content": "192.0.2.1"},
     {"ttl": 30}, {"ttl": "1"}, {"ttl": 0}, {"type": "TXT"}, {"content": ""}, {"content": None}, {"made_up": 1},
     {"proxied": "yes"}, {"settings": {"made_up": True}}],
)  # fmt: skip
def test_a_wrong_record_is_refused(api: Api, change: dict[str, Any]) -> None:
    assert api.refused("POST", "Z/dns_records", record(**change))[:2] == (400, 9005)
    assert api.ok("GET", "Z/dns_records") == []
