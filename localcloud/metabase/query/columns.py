"""Columns of an answer, in the shape of `data.cols`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..sample.tables import Field

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column; `expression` is its SQL where it comes from the query language."""

    name: str
    display_name: str
    base_type: str
    source: str
    field_ref: list[Any]
    expression: str = ""
    field: Field | None = None
    unit: str | None = None

    def json(self) -> Json:
        """As Metabase shows it."""
        made: Json = {
            "name": self.name,
            "display_name": self.display_name,
            "base_type": self.base_type,
            "effective_type": self.base_type,
            "semantic_type": self.field.semantic_type if self.field else None,
            "source": self.source,
            "field_ref": self.field_ref,
        }
        if self.field is not None:
            made |= {"id": self.field.id, "table_id": self.field.table_id, "fingerprint": None, "settings": None}
        if self.unit is not None:
            made["unit"] = self.unit
        return made


def native_column(name: str) -> Column:
    """A column of SQL: its type is known once there are rows."""
    return Column(
        name=name,
        display_name=name,
        base_type="type/*",
        source="native",
        field_ref=["field", name, {"base-type": "type/*"}],
    )


def typed(columns: list[Column], rows: list[list[Any]]) -> list[Column]:
    """Columns of SQL with the type of the first value that there is."""
    return [_typed(column, [row[i] for row in rows]) for i, column in enumerate(columns)]


def _typed(column: Column, values: list[Any]) -> Column:
    if column.base_type != "type/*":
        return column
    value = next((v for v in values if v is not None), None)
    kinds: dict[type, str] = {int: "type/Integer", float: "type/Float", str: "type/Text"}
    base = kinds.get(type(value), "type/*")
    return replace(column, base_type=base, field_ref=["field", column.name, {"base-type": base}])


def distinct(names: list[str]) -> list[str]:
    """`sum`, `sum_2`, …: names of one answer differ."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return made
