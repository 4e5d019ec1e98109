"""Any body and content type: never an exception, never native SQL that is taken for none, never two readings.

An input is the route's kind of body, the content type and the body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from infra.access.query import read_query
from tests.fuzz.judging import fields_of, input_of, worker
from tests.fuzz.query_oracle import databases_of, has_native, queries_of

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BUILDER: dict[str, Any] = {"type": "query", "database": 1, "query": {"source-table": 2, "aggregation": [["count"]]}}
STAGES: dict[str, Any] = {"lib/type": "mbql/query", "database": 1, "stages": [{"lib/type": "mbql.stage/mbql"}]}
QUERIES: tuple[dict[str, Any], ...] = (
    BUILDER,
    STAGES,
    {"type": "native", "database": 1, "native": {"query": "select 1"}},
    {**STAGES, "stages": [{"lib/type": "mbql.stage/native", "native": "select 1"}]},
    {**STAGES, "stages": [{"joins": [{"stages": [{"LIB/Type": "MBQL.stage/NATIVE"}]}]}]},
    {**BUILDER, "query": {"source-query": {"source_query": {"Na-Ti_ve": {"query": "x"}}}}},
    {**BUILDER, "native": None, "DATA_base": 1.0},
    {**BUILDER, "parameters": [{"type": "category", "value": "native"}]},
)
BODIES = (
    '{"database":1,"database":2}',
    '{"database":1e400}',
    '{"database":1.0,"type":"query","type":"native"}',
    '{"\\u0064atabase":1,"n\\u0061tive":{}}',
    "[" * 100,
    "\ufeff{}",
    "query",
)


def seeds() -> Iterator[bytes]:
    """Each query in each wrapping, and bodies that can't be read."""
    for query in QUERIES:
        text = json.dumps(query)
        yield input_of("query", JSON, text)
        yield input_of("query", "Application/JSON; charset=UTF-8", text)
        yield input_of("export-form", JSON, json.dumps({"query": query, "format_rows": True}))
        yield input_of("export-form", JSON, json.dumps({"query": text}))
        yield input_of("export-form", FORM, urlencode({"query": text, "format_rows": "true"}))
    for body in BODIES:
        yield input_of("query", JSON, body)
        yield input_of("export-form", FORM, urlencode([("query", body)] * 2))
        yield input_of("export-form", f'{FORM};charset="utf-8"', f"query={body}")


def body_of(data: bytes) -> tuple[str, str, str]:
    """The body, the route's kind of body and the content type, in bytes that can be sent."""
    form, kind, body = fields_of(data, 3)
    header = "".join(c for c in kind or "" if c == "\t" or " " <= c <= "~" or "\x80" <= c <= "\xff")
    return (body or "").encode("utf-8", "replace").decode(), "query" if form == "query" else "export-form", header


def run(data: bytes) -> None:
    """Reads the body in all three ways."""
    body, form, content_type = body_of(data)
    query = read_query(body, form, content_type)
    if query is not None:
        check_declared(query, list(queries_of(body, form, content_type)))
    read = worker().judge({"bodies": [{"body": body, "form": form, "content_type": content_type}]})
    assert read == [query], f"the Worker reads {read}, Python {query}"


def check_declared(query: Any, readings: list[Any]) -> None:
    """What was read is what every reader finds: no native SQL where none is said, and one database."""
    assert len(readings) == 1, f"{query}, although {len(readings)} queries stand there"
    assert query["native"] is has_native(readings[0]), f"{query}, although native SQL stands there, or none"
    found = databases_of(readings[0])
    assert found and all(str(int(database)) == query["database"] for database in found), f"{query}, but {found}"
