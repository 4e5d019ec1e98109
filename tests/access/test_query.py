"""Reading query bodies: native SQL wherever it stands, one database, and nothing that can't be read for certain."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.access.query import inspect_query, read_query

BUILDER = {"type": "query", "database": 1, "query": {"source-table": 2, "aggregation": [["count"]]}}
NATIVE = {"type": "native", "database": 1, "native": {"query": "select 1"}}
MBQL5 = {"lib/type": "mbql/query", "database": 1, "stages": [{"lib/type": "mbql.stage/mbql", "source-table": 2}]}
MBQL5_NATIVE = {**MBQL5, "stages": [{"lib/type": "mbql.stage/native", "native": "select 1"}]}


def nested(inner: Any, depth: int) -> Any:
    for _ in range(depth):
        inner = {"source-query": inner}
    return inner


@pytest.mark.parametrize(
    ("query", "native"),
    [
        (BUILDER, False),
        (MBQL5, False),
        (NATIVE, True),
        (MBQL5_NATIVE, True),
        ({**BUILDER, "query": {"source-query": {"native": "select 1"}}}, True),
        ({**BUILDER, "query": {"source-query": {"source-query": {"native": {"query": "x"}}}}}, True),
        ({**BUILDER, "query": {"source-table": 2, "joins": [{"source-query": {"native": "select 1"}}]}}, True),
        ({**MBQL5, "stages": [{"joins": [{"stages": [{"lib/type": "mbql.stage/native"}]}]}]}, True),
        ({**BUILDER, "type": "NATIVE"}, True),
        ({**BUILDER, "Type": "native"}, True),
        ({**BUILDER, "NATIVE": {"query": "select 1"}}, True),
        ({**MBQL5, "stages": [{"lib/type": "MBQL.stage/NATIVE"}]}, True),
        ({**BUILDER, "native": None}, False),
        ({**BUILDER, "query": {"source-table": "card__5"}}, False),
        ({**BUILDER, "parameters": [{"type": "category", "value": "native"}]}, False),
    ],
)
def test_native_is_found(query: Any, native: bool) -> None:
    """SQL is found at the top, in stages, source queries and joins, in any spelling that Metabase takes."""
    assert inspect_query(query) == {"native": native, "database": "1"}


@pytest.mark.parametrize(
    "query",
    [
        None,
        [],
        "native",
        7,
        {},
        {"type": "query"},
        {**BUILDER, "database": None},
        {**BUILDER, "database": "1"},
        {**BUILDER, "database": True},
        {**BUILDER, "database": 1.5},
        {**BUILDER, "database": 0},
        {**BUILDER, "database": -1337},
        {**BUILDER, "database": 10_000_000_000},
        {**BUILDER, "database": 1e30},
        {**BUILDER, "DATABASE": 2},
        {**BUILDER, "query": {"source-query": {"database": 2}}},
        {"query": {"database": 1}},
        {**BUILDER, "query": nested({}, 80)},
    ],
    ids=repr,
)
def test_unsettled_queries_are_unreadable(query: Any) -> None:
    """A query whose database or native part can't be told for certain is None."""
    assert inspect_query(query) is None


def test_database_written_as_a_float() -> None:
    """JSON doesn't tell 1 from 1.0, and neither does the Worker."""
    assert inspect_query({**BUILDER, "database": 1.0}) == {"native": False, "database": "1"}


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"database": NaN}', "\ufeff{}", "[" * 100_000])
def test_bodies_that_are_no_query(text: str) -> None:
    """No JSON, no object, or nested beyond reason: None, and never an exception."""
    assert read_query(text) is None


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data; boundary=x", "application/json5"])
def test_other_content_types(kind: str) -> None:
    """Only JSON is read, and for exports the urlencoded form."""
    text = json.dumps(BUILDER)
    assert read_query(text, content_type=kind) is None
    assert read_query(text, "export-form", kind) is None


def test_content_type_parameters() -> None:
    """A charset and another case don't matter."""
    assert read_query(json.dumps(NATIVE), content_type="Application/JSON; charset=utf-8") == {
        "native": True,
        "database": "1",
    }


def test_export_as_json() -> None:
    """An export's query is an object, or a string that holds it."""
    for query in (NATIVE, json.dumps(NATIVE)):
        body = json.dumps({"query": query, "format_rows": True})
        assert read_query(body, "export-form") == {"native": True, "database": "1"}
    assert read_query(json.dumps(NATIVE["native"]), "export-form") is None


def test_export_as_form() -> None:
    """A form's `query` is JSON; a second one makes it unreadable."""
    form = "application/x-www-form-urlencoded"
    body = urlencode({"query": json.dumps(NATIVE), "visualization_settings": "{}"})
    assert read_query(body, "export-form", form) == {"native": True, "database": "1"}
    assert read_query(f"{body}&{body}", "export-form", form) is None
    assert read_query("query=&x=1", "export-form", form) is None
    assert read_query("x=1", "export-form", form) is None
    assert read_query(body, "query", form) is None


LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "query", "mbql.stage/mbql"])
KEYS = st.sampled_from(["source-query", "stages", "joins", "filter", "lib/type", "type", "x"])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=4), st.data())
def test_sql_anywhere_is_found(query: dict[str, Any], data: st.DataObject) -> None:
    """Put into any object of a query, however deep, a native stage makes the query native."""
    query["database"] = 1
    assert inspect_query(query) == {"native": False, "database": "1"}
    places = [query]
    for node in places:
        for value in node.values():
            places += [item for item in ([value] if isinstance(value, dict) else []) if item not in places]
    place = data.draw(st.sampled_from(places))
    marker = data.draw(st.sampled_from([("native", "select 1"), ("lib/type", "mbql.stage/native"), ("type", "native")]))
    place[marker[0]] = marker[1]
    assert inspect_query(query) == {"native": True, "database": "1"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"database":1,"type":"query","type":"native"}', "application/json"),
        ('{"database":1,"query":{"a":1,"\\u0061":2}}', "application/json"),
        ('{"database":1}', "application/json; charset=shift_jis"),
        ('{"database":1}', 'application/json; charset="utf-16"'),
        ('{"database":1}', "application/json; charset=utf-8; charset=latin1"),
        ('{"database":1}', "application/json; charset"),
        ('{"database":1}', "application/json; charset=utf-8=x"),
        ('{"database":1}', "application/json;\x85charset=latin1"),
        ('{"database":1}', "application/json\x85"),
        ('{"database":1}', "application/json\xa0"),
    ],
)
def test_a_body_with_two_readings_is_refused(body: str, content_type: str) -> None:
    assert read_query(body, "query", content_type) is None


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; CHARSET="UTF-8"', ";charset=utf8", "; boundary=x"])
def test_utf8_by_any_of_its_names_is_read(charset: str) -> None:
    assert read_query('{"database":1}', "query", f"application/json{charset}") == {"native": False, "database": "1"}
