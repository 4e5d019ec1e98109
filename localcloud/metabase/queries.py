"""Queries on the sample database: native SQL and a small, real part of MBQL; anything else is a clear failed answer."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path
from typing import Any

from .sample import DATABASE_ID

SECONDS = 10.0
ROW_LIMIT = 10_000
TABLES = {1: "orders", 2: "people", 3: "products"}
COLUMNS = {
    "orders": ("id", "created_at", "product_id", "user_id", "quantity", "total"),
    "people": ("id", "name", "state", "source"),
    "products": ("id", "title", "category", "price"),
}
FIELDS = {
    number: (table, column)
    for number, (table, column) in enumerate(((t, c) for t in TABLES.values() for c in COLUMNS[t]), start=1)
}
UNITS = {"day": "date({})", "month": "substr({}, 1, 7)", "year": "substr({}, 1, 4)"}


class QueryFailed(Exception):
    """The query can't be answered; Metabase tells so in a 202 answer."""


def is_native(query: dict[str, Any]) -> bool:
    """Native SQL, in either form."""
    stages = query.get("stages") or []
    return query.get("type") == "native" or any(s.get("lib/type") == "mbql.stage/native" for s in stages)


def to_sql(query: dict[str, Any]) -> tuple[str, list[Any]]:
    """SQL and its values."""
    if query.get("database") != DATABASE_ID:
        raise QueryFailed(f"Database {query.get('database')} does not exist.")
    if query.get("type") == "native":
        return str(query["native"]["query"]), []
    if query.get("type") != "query":
        raise QueryFailed("Only queries of type native and query are known here.")
    return _mbql(query["query"])


def _mbql(query: dict[str, Any]) -> tuple[str, list[Any]]:
    unknown = set(query) - {"source-table", "aggregation", "breakout", "filter", "limit", "order-by", "fields"}
    if unknown:
        raise QueryFailed(f"This stand-in does not know {', '.join(sorted(unknown))}.")
    table = TABLES.get(query.get("source-table", 0))
    if table is None:
        raise QueryFailed(f"Table {query.get('source-table')} does not exist.")
    values: list[Any] = []
    breakouts = [_field(b, table) for b in query.get("breakout", [])]
    aggregations = [_aggregation(a, table) for a in query.get("aggregation", [])]
    fields = [_field(f, table) for f in query.get("fields", [])] or ["*"]
    sql = f"SELECT {', '.join([*breakouts, *aggregations] or fields)} FROM {table}"  # noqa: S608 - names come from COLUMNS
    if "filter" in query:
        sql += f" WHERE {_filter(query['filter'], table, values)}"
    if breakouts:
        sql += f" GROUP BY {', '.join(str(i + 1) for i in range(len(breakouts)))}"
    orders = [f"{_order_target(o[1], table, len(breakouts))} {_direction(o[0])}" for o in query.get("order-by", [])]
    if orders or breakouts:
        sql += f" ORDER BY {', '.join(orders or ['1'])}"
    if "limit" in query:
        sql += f" LIMIT {int(query['limit'])}"
    return sql, values


def _direction(word: str) -> str:
    if word not in ("asc", "desc"):
        raise QueryFailed(f"`{word}` is no direction.")
    return word.upper()


def _order_target(target: list[Any], table: str, breakouts: int) -> str:
    return str(breakouts + 1 + int(target[1])) if target[0] == "aggregation" else _field(target, table)


def _field(reference: list[Any], table: str) -> str:
    if not isinstance(reference, list) or reference[0] != "field":
        raise QueryFailed("Only plain fields are known here.")
    _, which, options = (*reference, None)[:3]
    found = FIELDS.get(which) if isinstance(which, int) else (table, which)
    if found is None or found[0] != table or found[1] not in COLUMNS[table]:
        raise QueryFailed(f"Field {which} does not exist in {table}.")
    unit = (options or {}).get("temporal-unit")
    if unit is None:
        return found[1]
    if unit not in UNITS:
        raise QueryFailed(f"The unit {unit} is not known here.")
    return UNITS[unit].format(found[1])


def _aggregation(clause: list[Any], table: str) -> str:
    if clause[0] == "count":
        return "count(*) AS count"
    if clause[0] in ("sum", "avg", "min", "max"):
        return f"{clause[0]}({_field(clause[1], table)}) AS {clause[0]}"
    raise QueryFailed(f"The aggregation {clause[0]} is not known here.")


def _filter(clause: list[Any], table: str, values: list[Any]) -> str:
    if clause[0] == "and":
        return " AND ".join(f"({_filter(part, table, values)})" for part in clause[1:])
    if clause[0] not in ("=", ">", "<", ">=", "<=", "!="):
        raise QueryFailed(f"The filter {clause[0]} is not known here.")
    values.append(clause[2])
    return f"{_field(clause[1], table)} {clause[0]} ?"


def run(path: Path, query: dict[str, Any]) -> dict[str, Any]:
    """The answer as `POST /api/dataset` gives it; a failed query is an answer too."""
    started = time.perf_counter()
    base = {"database_id": DATABASE_ID, "json_query": query, "context": "ad-hoc"}
    try:
        sql, values = to_sql(query)
        columns, rows = _execute(path, sql, values)
    except (QueryFailed, sqlite3.Error, KeyError, TypeError, IndexError, ValueError) as error:
        message = str(error) or type(error).__name__
        return {
            **base,
            "status": "failed",
            "error": message,
            "row_count": 0,
            "running_time": 0,
            "data": {"rows": [], "cols": []},
        }
    cols = [_column(name, [row[i] for row in rows]) for i, name in enumerate(columns)]
    return {
        **base,
        "status": "completed",
        "row_count": len(rows),
        "running_time": round((time.perf_counter() - started) * 1000),
        "data": {
            "rows": rows,
            "cols": cols,
            "native_form": {"query": sql},
            "rows_truncated": ROW_LIMIT,
            "results_timezone": "UTC",
        },
    }


def _execute(path: Path, sql: str, values: list[Any]) -> tuple[list[str], list[list[Any]]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        deadline = time.monotonic() + SECONDS
        db.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        cursor = db.execute(re.sub(r";\s*$", "", sql), values)
        if cursor.description is None:
            raise QueryFailed("Only queries that answer rows are allowed.")
        return [d[0] for d in cursor.description], [list(row) for row in cursor.fetchmany(ROW_LIMIT)]
    finally:
        db.close()


def _column(name: str, values: list[Any]) -> dict[str, Any]:
    kinds = {type(value) for value in values if value is not None}
    base = "type/Text"
    if kinds and kinds <= {int, float}:
        base = "type/Integer" if kinds == {int} else "type/Float"
    return {
        "name": name,
        "display_name": name.replace("_", " ").capitalize(),
        "base_type": base,
        "source": "native",
        "field_ref": ["field", name, {"base-type": base}],
    }
