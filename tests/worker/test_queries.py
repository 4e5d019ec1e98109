"""Queries in bodies: judged by what the origin will read, or refused."""

from __future__ import annotations

import json
import time

import pytest

from tests.worker.people import cookie_of
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

NATIVE = {"database": 1, "type": "native", "native": {"query": "select 1"}}
BUILDER = {"database": 1, "type": "query", "query": {"source-table": 2}}
JSON = "application/json"


@pytest.mark.parametrize(
    ("role", "query", "status"),
    [("engineer", NATIVE, 200), ("engineer", BUILDER, 200), ("exec", NATIVE, 403), ("exec", BUILDER, 403)],
)
def test_queries_are_judged_by_their_body(gateway: Runtime, role: str, query: dict[str, object], status: int) -> None:
    """And the origin gets the very bytes that were judged."""
    body = json.dumps(query)
    answer = gateway.ask("POST", "/api/dataset", {**cookie_of(gateway, role), "Content-Type": JSON}, body)
    assert answer.status == status
    assert [seen.body.decode() for seen in gateway.world.of("origin")] == ([body] if status == 200 else [])


TWO_READINGS: list[tuple[str, str, bytes, dict[str, str]]] = [
    ("a key that stands twice", "/api/dataset", b'{"database":1,"type":"native","type":"query","query":{}}', {}),
    ("the same, escaped", "/api/dataset", b'{"database":1,"type":"native","\\u0074ype":"query","query":{}}', {}),
    ("a database that stands twice", "/api/dataset", b'{"database":9,"database":1,"type":"query"}', {}),
    ("twice, deep inside", "/api/dataset", b'{"database":1,"query":{"joins":[{"native":1,"native":null}]}}', {}),
    (
        "another charset",
        "/api/dataset",
        json.dumps(BUILDER).encode(),
        {"Content-Type": "application/json; charset=shift_jis"},
    ),
    ("utf-16", "/api/dataset", json.dumps(BUILDER).encode(), {"Content-Type": 'application/json;Charset="UTF-16"'}),
    ("a packed body", "/api/dataset", json.dumps(BUILDER).encode(), {"Content-Encoding": "gzip"}),
    ("a query string", "/api/dataset?query=%7B%7D", json.dumps(BUILDER).encode(), {}),
    ("no media type", "/api/dataset", json.dumps(BUILDER).encode(), {"Content-Type": ""}),
    ("two media types", "/api/dataset", json.dumps(BUILDER).encode(), {"Content-Type": "application/json, text/plain"}),
    ("bytes that are no text", "/api/dataset", b'{"database":1,"x":"\xff"}', {}),
    ("no database", "/api/dataset", b'{"type":"query"}', {}),
    ("two databases", "/api/dataset", b'{"database":1,"query":{"source-query":{"database":2}}}', {}),
    ("too large", "/api/dataset", b'{"database":1,"x":"' + b"a" * (1 << 20) + b'"}', {}),
    ("no JSON", "/api/dataset", b"database=1", {}),
    ("nothing", "/api/dataset", b"", {}),
]


@pytest.mark.parametrize(
    ("path", "body", "headers"), [case[1:] for case in TWO_READINGS], ids=[c[0] for c in TWO_READINGS]
)
def test_a_query_with_two_readings_is_refused(
    gateway: Runtime, path: str, body: bytes, headers: dict[str, str]
) -> None:
    """What the origin could read otherwise than the gateway did is not forwarded."""
    cookie = cookie_of(gateway, "engineer")
    answer = gateway.ask("POST", path, {"Content-Type": JSON, **cookie, **headers}, body)
    assert (answer.status, answer.json["reason"]) == (403, "query-unreadable")
    assert gateway.world.of("origin") == []


def test_a_large_query_is_read_in_good_time(gateway: Runtime) -> None:
    """A megabyte of strings, escapes and brackets costs neither seconds nor the stack."""
    cookie = {**cookie_of(gateway, "engineer"), "Content-Type": JSON}
    for filler in (
        '"' + "a" * 1_000_000 + '"',
        '"' + "\\\\" * 500_000 + '"',
        "[" + "{}," * 300_000 + "{}]",
        '"' + '\\"' * 500_000 + '"',
    ):
        started = time.monotonic()
        assert (
            gateway.ask("POST", "/api/dataset", cookie, f'{{"database":1,"type":"query","x":{filler}}}').status == 200
        )
        assert time.monotonic() - started < 2
