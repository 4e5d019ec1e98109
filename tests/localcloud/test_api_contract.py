"""What all endpoints share: authentication, envelopes, loud refusals, paging, the request log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.api.app import FAMILIES, OWN
from tests.localcloud.api_harness import ACCOUNT, TOKEN, ZONE, Api


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [(None, 401, 10000), ("", 401, 10000), ("Basic x", 401, 10000), (f"bearer {TOKEN}", 401, 10000),
     ("Bearer ", 403, 9109), (f"Bearer {TOKEN}x", 403, 9109), (f"Bearer {TOKEN[:-1]}", 403, 9109),
     ("Bearer \xe9", 403, 9109)],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/client/v4/zones", "/_local/state", "/_local/kv/x/y", "/nowhere"])
def test_nothing_is_answered_without_the_token(api: Api, header: str | None, status: int, code: int, path: str) -> None:
    api.client.headers.pop("authorization")
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    response = api.client.get(path, headers=headers)
    assert response.status_code == status
    assert response.json()["errors"][0]["code"] == code
    assert response.headers["x-should-retry"] == "false"


def test_only_health_is_open(api: Api) -> None:
    api.client.headers.pop("authorization")
    assert api.client.get("/_local/health").json() == {"status": "ok"}


def test_two_authorization_headers_are_refused(api: Api) -> None:
    del api.client.headers["authorization"]
    headers = [("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer other")]
    assert api.client.get("/client/v4/zones", headers=headers).status_code == 401


def test_account_zone_and_token_are_answered(api: Api) -> None:
    assert api.ok("GET", "A")["id"] == ACCOUNT
    assert [account["id"] for account in api.ok("GET", "/accounts")] == [ACCOUNT]
    assert api.ok("GET", "Z")["name"] == "example.com"
    assert [zone["id"] for zone in api.ok("GET", "/zones?name=example.com")] == [ZONE]
    assert api.ok("GET", "/zones?name=other.com") == []
    assert api.ok("GET", "/user/tokens/verify")["status"] == "active"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "A/d1/database"), ("POST", "A/logpush/jobs"), ("GET", "A/workers"), ("GET", "A/workers/workers/"),
     ("GET", "/accounts/ffffffffffffffffffffffffffffffff/workers/workers"), ("GET", "/zones/ffff/dns_records"),
     ("GET", "A/../zones"), ("GET", "Z/dns_records/x/y")],
)  # fmt: skip
def test_an_unknown_endpoint_account_or_zone_is_loud(api: Api, method: str, path: str) -> None:
    status, code, message = api.refused(method, path)
    assert (status, code) in ((404, 7003), (404, 81044))
    assert message


def test_an_unknown_endpoint_is_named_with_both_of_cloudflares_codes(api: Api) -> None:
    answer = api.call("GET", "A/d1/database").json()
    assert [error["code"] for error in answer["errors"]] == [7003, 7000]
    assert f"/accounts/{ACCOUNT}/d1/database" in answer["errors"][0]["message"]


def test_a_wrong_method_is_loud(api: Api) -> None:
    assert api.refused("PATCH", "A/storage/kv/namespaces", {})[:2] == (405, 7001)
    assert api.refused("POST", "Z", {})[:2] == (405, 7001)


def test_an_unknown_query_parameter_is_loud(api: Api) -> None:
    assert "made_up" in api.refused("GET", "A/workers/workers?made_up=1")[2]
    assert "order" in api.refused("GET", "A/storage/kv/namespaces?order=title")[2]


WORDS = (
    "name title type content ttl proxied tags subdomain enabled observability logs main_module modules bindings "
    "strategy versions version_id percentage config ingress service hostname host http_port domain policies include "
    "exclude decision duration client_secret_version everyone email group id annotations migrations steps pattern "
    "script cron settings destinations uri simple limit scim_config tunnel_secret"
)
FIELDS = st.sampled_from(WORDS.split())
BODIES = [
    route for route in (*OWN, *(r for family in FAMILIES for r in family.ROUTES))
    if route.methods & {"POST", "PUT", "PATCH"} and not route.path.endswith(("values/{key:path}", "/scripts/{script}"))
]  # fmt: skip


@pytest.mark.parametrize("route", BODIES, ids=lambda r: f"{min(r.methods)} {r.path.removeprefix('/client/v4')}")
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"null", b'{"made_up": 1}'])
def test_no_endpoint_takes_a_body_that_it_does_not_know(api: Api, route: Any, content: bytes) -> None:
    """Nor does one fail with a fault of its own."""
    if content == b"" and route.path.endswith(("/rotate", "/refresh")):
        content = b"{"
    path = route.path.replace("{account}", ACCOUNT).replace("{zone}", ZONE)
    for name in ("ns", "worker", "script", "tunnel", "service", "record", "route", "id"):
        path = path.replace("{" + name + "}", "x")
    before = api.state()["revision"]
    response = api.client.request(min(route.methods), path, content=content)
    assert 400 <= response.status_code < 500, response.text
    assert response.json()["success"] is False
    assert api.state()["revision"] == before


@pytest.mark.parametrize(
    "text", [b"NaN", b"1e999", b'"\\ud800"', b"[" * 100_000, b"-Infinity", b"\xff", b'{"limit": 1e999}']
)
def test_json_that_could_not_be_answered_again_is_malformed(api: Api, text: bytes) -> None:
    assert api.refused("POST", "A/storage/kv/namespaces", content=text)[:2] == (400, 6007)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(BODIES), st.dictionaries(FIELDS, JSON, max_size=8))
def test_no_body_makes_the_api_fail(api: Api, route: Any, body: dict[str, Any]) -> None:
    if api.call("GET", "A/workers/workers/x").status_code == 404:
        api.worker("x")
    path = route.path.replace("{account}", ACCOUNT).replace("{zone}", ZONE)
    for name in ("ns", "worker", "script", "tunnel", "service", "record", "route", "id"):
        path = path.replace("{" + name + "}", "x")
    response = api.client.request(min(route.methods), path, json=body)
    assert response.status_code < 500, response.text
    assert response.json()["success"] is (response.status_code < 400)
    api.state()


def test_lists_are_paged(api: Api) -> None:
    for number in range(5):
        api.ok("POST", "A/storage/kv/namespaces", {"title": f"n{number}"})
    answer = api.call("GET", "A/storage/kv/namespaces?page=2&per_page=2").json()
    assert [n["title"] for n in answer["result"]] == ["n2", "n3"]
    info = {"page": 2, "per_page": 2, "count": 2, "total_count": 5, "total_pages": 3}
    assert answer["result_info"] == info
    assert api.ok("GET", "A/storage/kv/namespaces?page=4&per_page=2") == []
    for wrong in ("page=0", "page=-1", "page=x", "per_page=0", "page=1.5", "page=99999999999999999999999"):
        assert api.refused("GET", f"A/storage/kv/namespaces?{wrong}")[0] == 400


def test_a_fault_of_the_program_is_a_500_in_the_envelope(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(api.store, "list", broken)
    status, code, message = api.refused("GET", "A/workers/workers")
    assert (status, code) == (500, 10002)
    assert "disk" not in message


def test_the_log_has_a_line_a_call_and_no_secret(api: Api) -> None:
    body = {"name": "b", "main_module": "x", "modules": [], "bindings": [{"text": "hush"}]}
    api.call("POST", "A/workers/workers/none/versions?deploy=true", body)
    api.ok("GET", "A/workers/workers")
    api.state()
    lines = [json.loads(line) for line in (api.folder / "log.ndjson").read_text().splitlines()]
    assert [(line["method"], line["status"]) for line in lines] == [("POST", 400), ("GET", 200)]
    assert all(line.keys() == {"time", "method", "path", "status", "ms"} for line in lines)
    text = (api.folder / "log.ndjson").read_text()
    assert TOKEN not in text
    assert "hush" not in text
    assert "deploy" not in text
