"""SQL of one's own: what it answers, what it can't reach, and where it ends."""

from __future__ import annotations

import time
from typing import Any

import pytest

World = Any


def sql(client: Any, text: str) -> dict[str, Any]:
    answer = client.post("/api/dataset", json={"database": 1, "type": "native", "native": {"query": text}})
    assert answer.status_code == 202
    return dict(answer.json())


def test_columns_of_sql_have_the_types_of_their_values(admin: Any) -> None:
    cols = sql(admin, "select 1 as a, 1.5 as b, 'x' as c, null as d")["data"]["cols"]
    assert [c["base_type"] for c in cols] == ["type/Integer", "type/Float", "type/Text", "type/*"]
    assert {c["source"] for c in cols} == {"native"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("select * from nowhere", "no such table: nowhere"),
        ("selec 1", "syntax error"),
        ("insert into orders (id) values (1)", ""),
        ("delete from orders", ""),
        ("drop table orders", ""),
        ("create temp table t as select 1", ""),
        ("pragma table_info(orders)", "only reading is allowed"),
        ("attach database 'metabase.sqlite' as m", "only reading is allowed"),
        ("vacuum into '/tmp/stolen.sqlite'", ""),
        ("select 1; select 2", "one statement"),
        ("select {{x}}", "template tags"),
        ("  ", "must be SQL"),
        ("select load_extension('x')", ""),
    ],
)
def test_sql_that_does_not_read_fails_within_a_202(world: World, admin: Any, text: str, words: str) -> None:
    before = (world.folder / "sample.sqlite").read_bytes()
    answer = sql(admin, text)
    assert answer["status"] == "failed", answer
    assert words in answer["error"]
    assert (world.folder / "sample.sqlite").read_bytes() == before


SLOW = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000000) select count(*) from n"


def test_a_query_that_takes_too_long_is_given_up(admin: Any) -> None:
    started = time.monotonic()
    answer = sql(admin, SLOW)
    assert (answer["status"], answer["error_type"]) == ("failed", "timed-out")
    assert 0.9 < time.monotonic() - started < 10


def test_answers_are_cut_at_2000_rows_or_10000_groups_and_say_so(admin: Any) -> None:
    many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {}) select i from n"
    cut = sql(admin, many.format(2001))
    assert (cut["row_count"], len(cut["data"]["rows"]), cut["data"]["rows_truncated"]) == (2000, 2000, 2000)
    whole = sql(admin, many.format(2000))
    assert (whole["row_count"], "rows_truncated" in whole["data"]) == (2000, False)
    groups = {"source-table": 1, "aggregation": [["count"]], "breakout": [["field", 1, None]]}
    answer = admin.post("/api/dataset", json={"database": 1, "type": "query", "query": groups}).json()
    assert (answer["row_count"], "rows_truncated" in answer["data"]) == (2000, False)


def test_values_that_json_lacks_become_what_it_has(admin: Any) -> None:
    assert sql(admin, "select 9e999, x'00ff', null")["data"]["rows"] == [[None, "00ff", None]]
