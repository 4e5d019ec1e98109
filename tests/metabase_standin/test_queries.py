"""Queries in Metabase's own language, against SQL written by hand; and what fails, and how it says so."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

World = Any
FIELD = {"total": 6, "created": 8, "quantity": 9, "user": 2, "product": 3, "category": 43, "source": 26, "title": 42}


def field(name: str, **options: Any) -> list[Any]:
    return ["field", FIELD[name], {k.replace("_", "-"): v for k, v in options.items()} or None]


def ask(client: Any, query: dict[str, Any], table: int = 1) -> dict[str, Any]:
    body = {"database": 1, "type": "query", "query": {"source-table": table, **query}}
    answer = client.post("/api/dataset", json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def sql(client: Any, text: str) -> dict[str, Any]:
    answer = client.post("/api/dataset", json={"database": 1, "type": "native", "native": {"query": text}})
    assert answer.status_code == 202
    return dict(answer.json())


CATEGORY = field("category", source_field=3)
SAME = [
    ({"aggregation": [["count"]]}, "select count(*) from orders"),
    ({"aggregation": [["sum", field("total")]]}, "select sum(total) from orders"),
    (
        {"aggregation": [["avg", field("quantity")], ["min", field("total")]]},
        "select avg(quantity), min(total) from orders",
    ),
    ({"aggregation": [["distinct", field("user")]]}, "select count(distinct user_id) from orders"),
    (
        {"aggregation": [["count"]], "breakout": [field("created", temporal_unit="year")]},
        "select substr(created_at, 1, 4) || '-01-01T00:00:00Z', count(*) from orders group by 1 order by 1",
    ),
    (
        {"aggregation": [["count"]], "breakout": [field("created", temporal_unit="month")]},
        "select substr(created_at, 1, 7) || '-01T00:00:00Z', count(*) from orders group by 1 order by 1",
    ),
    (
        {"aggregation": [["count"]], "breakout": [field("created", temporal_unit="day")]},
        "select substr(created_at, 1, 10) || 'T00:00:00Z', count(*) from orders group by 1 order by 1",
    ),
    (
        {"aggregation": [["sum", field("total")]], "breakout": [CATEGORY], "order-by": [["desc", ["aggregation", 0]]]},
        "select category, sum(total) from orders o join products p on p.id = product_id group by 1 order by 2 desc",
    ),
    (
        {"filter": ["=", CATEGORY, "Gizmo"], "aggregation": [["count"]]},
        "select count(*) from orders o join products p on p.id = product_id where category = 'Gizmo'",
    ),
    (
        {"filter": ["and", [">", field("total"), 500], ["=", field("quantity"), 5, 6]], "aggregation": [["count"]]},
        "select count(*) from orders where total > 500 and quantity in (5, 6)",
    ),
    (
        {
            "filter": ["or", ["between", field("total"), 10, 20], ["not", ["<", field("quantity"), 6]]],
            "aggregation": [["count"]],
        },
        "select count(*) from orders where total between 10 and 20 or not quantity < 6",
    ),
    (
        {"fields": [field("total"), field("quantity")], "order-by": [["desc", field("total")]], "limit": 3},
        "select total, quantity from orders order by total desc limit 3",
    ),
    ({"limit": 2}, "select * from orders limit 2"),
]


@pytest.mark.parametrize(("query", "by_hand"), SAME)
def test_mbql_answers_what_the_same_sql_answers(admin: Any, query: dict[str, Any], by_hand: str) -> None:
    found, expected = ask(admin, query), sql(admin, by_hand)
    assert found["status"] == expected["status"] == "completed", (found, expected)
    assert found["data"]["rows"] == expected["data"]["rows"]
    assert found["data"]["rows"]


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("hour", "2024-10-01T00:00:00Z"),
        ("week", "2024-09-29T00:00:00Z"),
        ("quarter", "2024-10-01T00:00:00Z"),
        ("day-of-week", 3),
        ("month-of-year", 10),
    ],
)
def test_temporal_units(world: World, admin: Any, unit: str, value: Any) -> None:
    with sqlite3.connect(world.folder / "sample.sqlite") as db:
        db.execute("update orders set created_at = '2024-10-01T00:30:05'")
    answer = ask(admin, {"aggregation": [["count"]], "breakout": [field("created", temporal_unit=unit)]})
    assert answer["data"]["rows"] == [[value, 2000]]
    assert answer["data"]["cols"][0]["unit"] == unit


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        (["contains", field("title"), "knife", {"case-sensitive": False}], "instr(lower(title), 'knife') > 0"),
        (["starts-with", field("title"), "Steel"], "title like 'Steel%'"),
        (["ends-with", field("title"), "Hat"], "title like '%Hat'"),
        (["!=", field("title"), "x", "y"], "1"),
        (["is-null", field("title")], "0"),
        (["not-null", field("title")], "1"),
        (["=", field("title"), "'; drop table products; --"], "0"),
        (["contains", field("title"), "%", {"case-sensitive": False}], "0"),
    ],
)
def test_text_filters(admin: Any, clause: list[Any], expected: str) -> None:
    found = ask(admin, {"filter": clause, "aggregation": [["count"]]}, table=3)
    by_hand = f"select count(*) from products where {expected}"  # noqa: S608 - a constant of this test
    assert found["data"]["rows"] == sql(admin, by_hand)["data"]["rows"]


def test_an_answer_says_what_was_asked_and_what_came(admin: Any) -> None:
    answer = ask(admin, {"aggregation": [["count"]], "breakout": [CATEGORY]})
    assert {"database_id": 1, "context": "ad-hoc", "status": "completed", "row_count": 4}.items() <= answer.items()
    assert answer["json_query"]["query"]["source-table"] == 1
    assert answer["running_time"] >= 0
    assert answer["data"]["native_form"]["query"].startswith("SELECT")
    first, second = answer["data"]["cols"]
    assert (first["name"], first["source"], first["field_ref"]) == ("category", "breakout", CATEGORY)
    assert (second["name"], second["base_type"], second["source"]) == ("count", "type/BigInteger", "aggregation")
    assert "rows_truncated" not in answer["data"]


def test_names_of_columns_differ(admin: Any) -> None:
    answer = ask(admin, {"aggregation": [["sum", field("total")], ["sum", field("quantity")]]})
    assert [c["name"] for c in answer["data"]["cols"]] == ["sum", "sum_2"]
    named = ["aggregation-options", ["count"], {"name": "orders", "display-name": "Orders"}]
    assert ask(admin, {"aggregation": [named]})["data"]["cols"][0]["display_name"] == "Orders"


def test_the_newer_form_of_queries_means_the_same(admin: Any) -> None:
    total = ["field", {"lib/uuid": "u1", "base-type": "type/Float"}, 6]
    stage = {
        "lib/type": "mbql.stage/mbql",
        "source-table": 1,
        "aggregation": [["sum", {"lib/uuid": "a1"}, total]],
        "breakout": [["field", {"lib/uuid": "u2", "source-field": 3}, 43]],
        "filters": [[">", {"lib/uuid": "f1"}, total, 100]],
        "order-by": [["desc", {"lib/uuid": "o1"}, ["aggregation", {"lib/uuid": "o2"}, "a1"]]],
        "limit": 2,
    }
    newer = admin.post("/api/dataset", json={"lib/type": "mbql/query", "database": 1, "stages": [stage]}).json()
    older = ask(
        admin,
        {
            "aggregation": [["sum", field("total")]],
            "breakout": [CATEGORY],
            "filter": [">", field("total"), 100],
            "order-by": [["desc", ["aggregation", 0]]],
            "limit": 2,
        },
    )
    assert newer["status"] == "completed", newer
    assert newer["data"]["rows"] == older["data"]["rows"]
    native = {"lib/type": "mbql.stage/native", "native": "select 7"}
    answer = admin.post("/api/dataset", json={"lib/type": "mbql/query", "database": 1, "stages": [native]}).json()
    assert answer["data"]["rows"] == [[7]]


def test_a_question_can_be_the_source_of_another(admin: Any) -> None:
    name = ["field", "count", {"base-type": "type/BigInteger"}]
    query = {"source-table": "card__7", "filter": [">", name, 100], "aggregation": [["count"]]}
    rows = admin.post("/api/dataset", json={"database": 1, "type": "query", "query": query}).json()["data"]["rows"]
    by_hand = "select count(*) from (select count(*) n from orders group by substr(created_at, 1, 7)) where n > 100"
    assert rows == sql(admin, by_hand)["data"]["rows"]
    circle = {"database": 1, "type": "query", "query": {"source-table": "card__7"}}
    assert admin.put("/api/card/7", json={"dataset_query": circle}).status_code == 200
    failed = admin.post("/api/card/7/query").json()
    assert (failed["status"], "circle" in failed["error"]) == ("failed", True)


FAILS = [
    ({"expressions": {"x": ["+", 1, 2]}}, "does not know `expressions`"),
    ({"joins": [{"source-table": 2}]}, "does not know `joins`"),
    ({"aggregation": [["median", field("total")]]}, "does not know the aggregation `median`"),
    ({"filter": ["time-interval", field("created"), -1, "month"]}, "does not know the filter `time-interval`"),
    ({"breakout": [field("created", temporal_unit="century")]}, "does not know the temporal unit `century`"),
    ({"fields": [["field", 999, None]]}, "field 999 does not exist"),
    ({"fields": [field("category")]}, "name the `source-field`"),
    ({"fields": [field("category", source_field=2)]}, "no foreign key"),
    ({"limit": 0}, "above zero"),
    ({"limit": "1; drop table orders"}, "above zero"),
    ({"source-table": 77}, "table 77 does not exist"),
    ({"filter": "x"}, "must be a list"),
    ({"order-by": [["sideways", field("total")]]}, "`order-by`"),
    ({"aggregation": {"count": 1}}, "an aggregation must be a list"),
]


@pytest.mark.parametrize(("query", "words"), FAILS)
def test_what_is_not_known_fails_and_says_what(admin: Any, query: dict[str, Any], words: str) -> None:
    answer = ask(admin, query)
    assert answer["status"] == "failed"
    assert words in answer["error"]
    assert answer["error_type"] in ("invalid-query", "unsupported-feature")
    assert (answer["row_count"], answer["data"]) == (0, {"rows": [], "cols": []})


def test_the_sql_of_a_query_can_be_had(admin: Any) -> None:
    query = {"source-table": 1, "filter": ["=", field("quantity"), 2], "aggregation": [["count"]]}
    found = admin.post("/api/dataset/native", json={"database": 1, "type": "query", "query": query}).json()
    assert found["params"] == [2]
    assert sql(admin, found["query"].replace("?", "2"))["data"]["rows"][0][0] > 0
    wrong = {"database": 1, "type": "query", "query": {"source-table": 1, "joins": []}}
    assert admin.post("/api/dataset/native", json=wrong).status_code == 400
