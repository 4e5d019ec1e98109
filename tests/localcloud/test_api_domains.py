"""Custom domains and routes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.api_harness import ZONE, Api


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
