"""Filter clauses to SQL conditions; every value is bound, none is written into the text."""

from __future__ import annotations

from typing import Any

from .failure import QueryFailed, unknown
from .fields import Fields

_COMPARED = {"<": "<", ">": ">", "<=": "<=", ">=": ">="}
_LIKE = {"contains": "%{}%", "starts-with": "{}%", "ends-with": "%{}"}


def condition(clause: Any, fields: Fields, values: list[Any]) -> str:
    """The condition; its values are added to `values` in the order of its placeholders."""
    if not isinstance(clause, list) or not clause or not isinstance(clause[0], str):
        raise QueryFailed("a filter must be a list such as [`=`, FIELD, value]")
    name, *parts = clause
    if name in ("and", "or"):
        if not parts:
            raise QueryFailed(f"the filter `{name}` needs conditions")
        return f" {name.upper()} ".join(f"({condition(part, fields, values)})" for part in parts)
    if name == "not" and len(parts) == 1:
        return f"NOT ({condition(parts[0], fields, values)})"
    if not parts:
        raise QueryFailed(f"the filter `{name}` needs a field")
    column = fields.column(parts[0], "fields").expression
    return _simple(name, column, parts[1:], values)


def _simple(name: str, column: str, given: list[Any], values: list[Any]) -> str:
    if name in ("is-null", "not-null"):
        return f"{column} IS {'NOT ' if name == 'not-null' else ''}NULL"
    options = given.pop() if given and isinstance(given[-1], dict) else {}
    if not given or any(isinstance(value, (list, dict)) for value in given):
        raise unknown(f"the filter `{name}` with these arguments")
    if name in ("=", "!="):
        values.extend(given)
        marks = ", ".join("?" for _ in given)
        return f"{column} IN ({marks})" if name == "=" else f"({column} IS NULL OR {column} NOT IN ({marks}))"
    if name == "between" and len(given) == 2:
        values.extend(given)
        return f"{column} BETWEEN ? AND ?"
    if name in _COMPARED and len(given) == 1:
        values.append(given[0])
        return f"{column} {_COMPARED[name]} ?"
    if name in _LIKE and len(given) == 1:
        return _like(name, column, str(given[0]), options, values)
    raise unknown(f"the filter `{name}` with {len(given)} values")


def _like(name: str, column: str, text: str, options: dict[str, Any], values: list[Any]) -> str:
    if options.get("case-sensitive", True):
        values.extend([text, text] if name == "ends-with" else [text])
        return {
            "contains": f"instr({column}, ?) > 0",
            "starts-with": f"instr({column}, ?) = 1",
            "ends-with": f"substr({column}, -length(?)) = ?",
        }[name]
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values.append(_LIKE[name].format(escaped))
    return f"{column} LIKE ? ESCAPE '\\'"
