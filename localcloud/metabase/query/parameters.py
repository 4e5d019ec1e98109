"""Values that a dashboard or a question is asked with, put into the query as filters."""

from __future__ import annotations

from typing import Any

from .failure import QueryFailed, unknown

_OPERATORS = {
    "string/=": "=",
    "string/!=": "!=",
    "string/contains": "contains",
    "string/starts-with": "starts-with",
    "string/ends-with": "ends-with",
    "number/=": "=",
    "number/!=": "!=",
    "number/>=": ">=",
    "number/<=": "<=",
    "number/between": "between",
    "category": "=",
    "id": "=",
}


def with_parameters(query: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """The query with a filter for each parameter that has a value; those without one ask for everything."""
    filters = [_filter(p) for p in parameters if p.get("value") not in (None, "", [])]
    if not filters:
        return query
    if query.get("type") != "query":
        raise unknown("parameters of SQL questions")
    inner = query["query"]
    present = [inner["filter"]] if inner.get("filter") else []
    return {**query, "query": {**inner, "filter": ["and", *present, *filters]}}


def _filter(parameter: dict[str, Any]) -> list[Any]:
    operator = _OPERATORS.get(str(parameter.get("type")))
    if operator is None:
        raise unknown(f"parameters of the type `{parameter.get('type')}`")
    target = parameter.get("target")
    if not isinstance(target, list) or target[:1] != ["dimension"] or len(target) < 2:
        raise QueryFailed("a parameter's target must be [`dimension`, FIELD]")
    value = parameter["value"]
    return [operator, target[1], *(value if isinstance(value, list) else [value])]
