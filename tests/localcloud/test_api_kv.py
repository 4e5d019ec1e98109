"""Workers KV: namespaces, values, metadata, expiry, and the edge's data plane."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.localcloud.api_harness import Api

KEYS = ["plain", "a/b", "ü ?#&=+", "..x", "jwks:https://issuer/", "k" * 512]


@pytest.fixture
def ns(api: Api) -> str:
    return str(api.ok("POST", "A/storage/kv/namespaces", {"title": "keys"})["id"])


def put(api: Api, ns: str, key: str, value: bytes, metadata: str | None = None, query: str = "") -> Any:
    parts: list[Any] = [("value", (None, value))]
    if metadata is not None:
        parts.append(("metadata", (None, metadata)))
    return api.call("PUT", f"A/storage/kv/namespaces/{ns}/values/{quote(key, safe='')}{query}", files=parts)


def test_a_title_is_taken_once(api: Api, ns: str) -> None:
    status, code, message = api.refused("POST", "A/storage/kv/namespaces", {"title": "keys"})
    assert (status, code) == (400, 10014)
    assert "already exists" in message
    assert api.ok("PUT", f"A/storage/kv/namespaces/{ns}", {"title": "keys"})["title"] == "keys"
    other = api.ok("POST", "A/storage/kv/namespaces", {"title": "other"})
    assert api.refused("PUT", f"A/storage/kv/namespaces/{other['id']}", {"title": "keys"})[1] == 10014
    assert api.ok("PUT", f"A/storage/kv/namespaces/{ns}", {"title": "new"})["supports_url_encoding"] is True


def test_a_missing_namespace_is_a_404_everywhere(api: Api) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/keys"), ("GET", "/values/k"), ("GET", "/metadata/k"),
                         ("PUT", "/values/k"), ("DELETE", "/values/k")):  # fmt: skip
        assert api.refused(method, f"A/storage/kv/namespaces/none{path}")[:2] == (404, 10013)


@pytest.mark.parametrize("key", KEYS)
def test_any_key_holds_any_bytes(api: Api, ns: str, key: str) -> None:
    value = bytes(range(256))
    assert put(api, ns, key, value).json()["success"] is True
    path = f"A/storage/kv/namespaces/{ns}/values/{quote(key, safe='')}"
    assert api.call("GET", path).content == value
    assert [k["name"] for k in api.ok("GET", f"A/storage/kv/namespaces/{ns}/keys")] == [key]
    edge = api.client.get(f"/_local/kv/{ns}/{quote(key, safe='')}")
    assert (edge.status_code, edge.content) == (200, value)
    api.ok("DELETE", path)
    assert api.refused("GET", path)[:2] == (404, 10009)


@pytest.mark.parametrize("key", ["k" * 513, "ü" * 257])
def test_a_key_that_kv_does_not_take_is_refused(api: Api, ns: str, key: str) -> None:
    assert put(api, ns, key, b"x").status_code == 400


def test_a_raw_body_and_an_empty_value_are_values(api: Api, ns: str) -> None:
    path = f"A/storage/kv/namespaces/{ns}/values/k"
    api.ok("PUT", path, content=b"raw", headers={"content-type": "application/octet-stream"})
    assert api.call("GET", path).content == b"raw"
    put(api, ns, "k", b"")
    assert api.call("GET", path).content == b""


def test_a_large_value_is_kept(api: Api, ns: str) -> None:
    assert put(api, ns, "k", b"x" * 3_000_000).status_code == 200
    assert len(api.call("GET", f"A/storage/kv/namespaces/{ns}/values/k").content) == 3_000_000


def test_metadata_is_json(api: Api, ns: str) -> None:
    put(api, ns, "k", b"v", json.dumps({"a": [1]}))
    assert api.ok("GET", f"A/storage/kv/namespaces/{ns}/metadata/k") == {"a": [1]}
    assert api.ok("GET", f"A/storage/kv/namespaces/{ns}/keys") == [{"name": "k", "metadata": {"a": [1]}}]
    assert put(api, ns, "k", b"v", "{").json()["errors"][0]["code"] == 10028
    assert put(api, ns, "k", b"v", json.dumps("x" * 1024)).status_code == 400
    put(api, ns, "k", b"v")
    assert api.ok("GET", f"A/storage/kv/namespaces/{ns}/metadata/k") is None


def test_an_unknown_part_is_refused(api: Api, ns: str) -> None:
    path = f"A/storage/kv/namespaces/{ns}/values/k"
    assert "extra" in api.refused("PUT", path, files=[("value", (None, b"x")), ("extra", (None, b"x"))])[2]
    assert "value" in api.refused("PUT", path, files=[("metadata", (None, b"1"))])[2]


def test_a_value_expires(api: Api, ns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(api, ns, "k", b"v", query="?expiration_ttl=60")
    path = f"A/storage/kv/namespaces/{ns}/values/k"
    assert abs(int(api.call("GET", path).headers["expiration"]) - time.time() - 60) < 5
    future = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: future)
    assert api.refused("GET", path)[:2] == (404, 10009)
    assert api.ok("GET", f"A/storage/kv/namespaces/{ns}/keys") == []


@pytest.mark.parametrize("query", ["expiration_ttl=59", "expiration_ttl=x", "expiration=1", "expiration_ttl=-60"])
def test_a_short_life_is_refused(api: Api, ns: str, query: str) -> None:
    assert put(api, ns, "k", b"v", query=f"?{query}").json()["errors"][0]["code"] == 10034


def test_keys_are_listed_by_prefix_and_cursor(api: Api, ns: str) -> None:
    for number in range(25):
        put(api, ns, f"k{number:02}", b"x")
    put(api, ns, "other", b"x")
    path, seen, cursor = f"A/storage/kv/namespaces/{ns}/keys?prefix=k&limit=10", [], ""
    for _ in range(3):
        answer = api.call("GET", f"{path}&cursor={cursor}").json()
        seen += [key["name"] for key in answer["result"]]
        cursor = answer["result_info"]["cursor"]
    assert seen == [f"k{number:02}" for number in range(25)]
    assert cursor == ""
    assert api.refused("GET", f"A/storage/kv/namespaces/{ns}/keys?limit=5")[0] == 400


def test_the_edge_writes_and_deletes_without_a_new_revision(api: Api, ns: str) -> None:
    before = api.state()["revision"]
    assert api.client.put(f"/_local/kv/{ns}/a%2Fb", content=b"\x00\xff").status_code == 204
    assert api.client.get(f"/_local/kv/{ns}/a%2Fb").content == b"\x00\xff"
    assert api.call("GET", f"A/storage/kv/namespaces/{ns}/values/a%2Fb").content == b"\x00\xff"
    assert api.client.delete(f"/_local/kv/{ns}/a%2Fb").status_code == 204
    assert api.client.get(f"/_local/kv/{ns}/a%2Fb").status_code == 404
    assert api.client.get("/_local/kv/none/k").status_code == 404
    assert api.client.put("/_local/kv/none/k", content=b"x").status_code == 404
    assert api.state()["revision"] == before


def test_deleting_a_namespace_takes_its_values(api: Api, ns: str) -> None:
    put(api, ns, "k", b"v")
    api.ok("DELETE", f"A/storage/kv/namespaces/{ns}")
    assert api.store.kv_list(ns) == ()
    assert api.ok("GET", "A/storage/kv/namespaces") == []
