"""A small, real part of Metabase's query language, translated to SQL for SQLite. What it lacks is a clear failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..sample.tables import TABLES, Table
from .columns import Column, distinct
from .failure import QueryFailed, unknown
from .fields import Fields, quoted
from .filters import condition
from .scope import CARD_TABLE

_KEYS = {"source-table", "aggregation", "breakout", "filter", "fields", "limit", "order-by"}
_AGGREGATIONS = {
    "sum": "sum({})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "distinct": "count(DISTINCT {})",
}
_TITLES = {"sum": "Sum of", "avg": "Average of", "min": "Min of", "max": "Max of", "distinct": "Distinct values of"}


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """SQL, its values, the columns that it answers, and whether it is aggregated (which allows more rows)."""

    sql: str
    values: list[Any] = field(default_factory=list)
    columns: list[Column] | None = None
    aggregated: bool = False


CompileCard = Callable[[int], Compiled]


def compile_query(query: Any, compile_card: CompileCard) -> Compiled:
    """The `query` of a question; `compile_card` gives the SQL of a saved question used as its source."""
    if not isinstance(query, dict):
        raise QueryFailed("`query` must be a map")
    if extra := set(query) - _KEYS:
        raise unknown(", ".join(f"`{name}`" for name in sorted(extra)))
    fields, values = _source(query.get("source-table"), compile_card)
    selected, grouped = _selected(query, fields)
    where = f" WHERE {condition(query['filter'], fields, values)}" if query.get("filter") else ""
    names = distinct([column.name for column in selected])
    selected = [replace(column, name=name) for column, name in zip(selected, names, strict=True)]
    listed = ", ".join(f"{column.expression} AS {quoted(column.name)}" for column in selected)
    group = f" GROUP BY {', '.join(str(i + 1) for i in range(grouped))}" if grouped else ""
    order = _order(query.get("order-by"), fields, grouped) or ([str(i + 1) for i in range(grouped)])
    sql = f"SELECT {listed} FROM {fields.joined()}{where}{group}"  # noqa: S608 - names come from the tables, values are bound
    sql += f" ORDER BY {', '.join(order)}" if order else ""
    if query.get("limit") is not None:
        sql += f" LIMIT {_whole(query['limit'])}"
    aggregated = bool(query.get("aggregation") or query.get("breakout"))
    return Compiled(sql=sql, values=values, columns=selected, aggregated=aggregated)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise QueryFailed("`limit` must be a whole number above zero")
    return value


def _source(source: Any, compile_card: CompileCard) -> tuple[Fields, list[Any]]:
    if isinstance(source, int) and not isinstance(source, bool):
        table: Table | None = TABLES.get(source)
        if table is None:
            raise QueryFailed(f"table {source} does not exist")
        return Fields(table=table, source=quoted(table.name)), []
    match = CARD_TABLE.fullmatch(source) if isinstance(source, str) else None
    if match is None:
        raise QueryFailed("`source-table` must be a table's id or `card__ID`")
    inner = compile_card(int(match[1]))
    return Fields(table=None, source=f"({inner.sql})", columns=inner.columns), list(inner.values)


def _selected(query: dict[str, Any], fields: Fields) -> tuple[list[Column], int]:
    """Columns, and how many of them are groups."""
    breakouts = [fields.column(ref, "breakout") for ref in query.get("breakout") or []]
    aggregations = [_aggregation(clause, fields) for clause in query.get("aggregation") or []]
    if breakouts or aggregations:
        return [*breakouts, *aggregations], len(breakouts)
    return [fields.column(ref, "fields") for ref in query.get("fields") or fields.every()], 0


def _aggregation(clause: Any, fields: Fields) -> Column:
    if not isinstance(clause, list) or not clause:
        raise QueryFailed("an aggregation must be a list, such as [`count`]")
    name, *rest = clause
    if name == "aggregation-options" and len(rest) == 2 and isinstance(rest[1], dict):
        inner = _aggregation(rest[0], fields)
        title = rest[1].get("display-name", inner.display_name)
        return replace(inner, name=rest[1].get("name", inner.name), display_name=title)
    ref = ["aggregation", 0]
    if name == "count" and not rest:
        return Column(
            name="count",
            display_name="Count",
            base_type="type/BigInteger",
            source="aggregation",
            field_ref=ref,
            expression="count(*)",
        )
    if name not in _AGGREGATIONS or len(rest) != 1:
        raise unknown(f"the aggregation `{name}` with {len(rest)} arguments")
    of = fields.column(rest[0], "aggregation")
    base = "type/BigInteger" if name == "distinct" else of.base_type
    return Column(
        name="count" if name == "distinct" else str(name),
        display_name=f"{_TITLES[name]} {of.display_name}",
        base_type=base,
        source="aggregation",
        field_ref=ref,
        expression=_AGGREGATIONS[name].format(of.expression),
    )


def _order(clauses: Any, fields: Fields, grouped: int) -> list[str]:
    made = []
    for clause in clauses or []:
        if not isinstance(clause, list) or len(clause) != 2 or clause[0] not in ("asc", "desc"):
            raise QueryFailed("`order-by` must be a list such as [`asc`, FIELD]")
        direction, target = clause
        if isinstance(target, list) and target[:1] == ["aggregation"]:
            expression = str(grouped + 1 + int(target[1]))
        else:
            expression = fields.column(target, "fields").expression
        made.append(f"{expression} {direction.upper()}")
    return made
