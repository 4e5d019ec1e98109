"""Queries in the newer form (`stages` with `lib/type`) brought to the older one, as far as one stage goes."""

from __future__ import annotations

from typing import Any

from .failure import QueryFailed, unknown

Clause = list[Any]
_KEYS = {"lib/type", "source-table", "source-card", "aggregation", "breakout", "filters", "fields", "order-by", "limit"}


def legacy(query: dict[str, Any]) -> dict[str, Any]:
    """`{"database", "type", "native" | "query"}`, with `parameters` kept."""
    if "stages" not in query:
        return query
    stages = query["stages"]
    if not isinstance(stages, list) or len(stages) != 1 or not isinstance(stages[0], dict):
        raise unknown("queries of more than one stage")
    base = {"database": query.get("database"), "parameters": query.get("parameters", [])}
    stage = stages[0]
    if stage.get("lib/type") == "mbql.stage/native":
        tags = stage.get("template-tags", {})
        return {**base, "type": "native", "native": {"query": stage.get("native"), "template-tags": tags}}
    return {**base, "type": "query", "query": _stage(stage)}


def _stage(stage: dict[str, Any]) -> dict[str, Any]:
    if extra := set(stage) - _KEYS:
        raise unknown(", ".join(f"`{name}`" for name in sorted(extra)))
    made: dict[str, Any] = {k: stage[k] for k in ("source-table", "limit") if k in stage}
    if "source-card" in stage:
        made["source-table"] = f"card__{stage['source-card']}"
    aggregations = stage.get("aggregation", [])
    order = {a[1].get("lib/uuid"): i for i, a in enumerate(aggregations) if len(a) > 1 and isinstance(a[1], dict)}
    for name in ("aggregation", "breakout", "fields", "order-by"):
        if name in stage:
            made[name] = [_clause(clause, order) for clause in stage[name]]
    filters = [_clause(clause, order) for clause in stage.get("filters", [])]
    if filters:
        made["filter"] = filters[0] if len(filters) == 1 else ["and", *filters]
    return made


def _clause(clause: Any, order: dict[Any, int]) -> Any:
    if not isinstance(clause, list) or len(clause) < 2 or not isinstance(clause[1], dict):
        return clause
    name, options, *rest = clause
    if name == "field":
        kept = {k: v for k, v in options.items() if not k.startswith("lib/") and k != "effective-type"}
        return ["field", rest[0], kept or None]
    if name == "aggregation":
        if rest[0] not in order:
            raise QueryFailed("an `aggregation` reference points to no aggregation of its stage")
        return ["aggregation", order[rest[0]]]
    return [name, *(_clause(part, order) for part in rest)]
