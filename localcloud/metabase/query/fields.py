"""Field references of one query: to its source's columns, or through a foreign key to another table's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..sample.tables import FIELDS, TABLES, Field, Table
from .columns import Column
from .failure import QueryFailed, unknown

_DAY = "strftime('%Y-%m-%dT00:00:00Z', {})"
UNITS = {
    "default": "{}",
    "minute": "strftime('%Y-%m-%dT%H:%M:00Z', {})",
    "hour": "strftime('%Y-%m-%dT%H:00:00Z', {})",
    "day": _DAY,
    "week": "strftime('%Y-%m-%dT00:00:00Z', {0}, '-' || strftime('%w', {0}) || ' days')",
    "month": "strftime('%Y-%m-01T00:00:00Z', {})",
    "quarter": "strftime('%Y-', {0}) || printf('%02d', (strftime('%m', {0}) - 1) / 3 * 3 + 1) || '-01T00:00:00Z'",
    "year": "strftime('%Y-01-01T00:00:00Z', {})",
    "hour-of-day": "CAST(strftime('%H', {}) AS INTEGER)",
    "day-of-week": "CAST(strftime('%w', {}) AS INTEGER) + 1",
    "day-of-month": "CAST(strftime('%d', {}) AS INTEGER)",
    "month-of-year": "CAST(strftime('%m', {}) AS INTEGER)",
    "quarter-of-year": "(strftime('%m', {}) - 1) / 3 + 1",
}
"""Temporal units; weeks begin on Sunday, Metabase's default."""


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(kw_only=True)
class Fields:
    """`table` is None where the source is a saved question, whose `columns` are then what there is."""

    table: Table | None
    source: str
    columns: list[Column] | None = None
    _joins: dict[str, str] = field(default_factory=dict)

    def joined(self) -> str:
        """The FROM clause, with the joins that references asked for."""
        return " ".join([f"{self.source} AS source", *self._joins.values()])

    def every(self) -> list[list[Any]]:
        """References to all columns of the source."""
        if self.table is not None:
            return [["field", f.id, None] for f in self.table.fields]
        if self.columns is None:
            raise unknown("the columns of a saved SQL question, which only a run can tell: name `fields`")
        return [["field", c.name, {"base-type": c.base_type}] for c in self.columns]

    def column(self, reference: Any, source: str) -> Column:
        """The column that a `["field", id or name, options]` means."""
        if not isinstance(reference, list) or len(reference) < 2 or reference[0] != "field":
            raise QueryFailed("a field must be given as [`field`, ID or name, options]")
        options = reference[2] if len(reference) > 2 and isinstance(reference[2], dict) else {}
        found, expression, name, title, base = self._resolve(reference[1], options)
        unit = options.get("temporal-unit")
        if unit is not None:
            if unit not in UNITS:
                raise unknown(f"the temporal unit `{unit}`")
            expression = UNITS[unit].format(expression)
            title = f"{title}: {unit.replace('-', ' ').capitalize()}"
        return Column(
            name=name,
            display_name=title,
            base_type=base,
            source=source,
            field_ref=["field", reference[1], options or None],
            expression=expression,
            field=found,
            unit=unit,
        )

    def _resolve(self, which: Any, options: dict[str, Any]) -> tuple[Field | None, str, str, str, str]:
        if isinstance(which, str):
            return self._by_name(which, str(options.get("base-type", "type/*")))
        found = FIELDS.get(which) if isinstance(which, int) and not isinstance(which, bool) else None
        if found is None:
            raise QueryFailed(f"field {which} does not exist")
        alias = self._alias(found, options.get("source-field"))
        expression = f"{alias}.{quoted(found.name)}"
        title = found.display_name
        if alias != "source":
            title = f"{TABLES[found.table_id].singular} → {title}"
        return found, expression, found.name, title, found.base_type

    def _by_name(self, name: str, base: str) -> tuple[Field | None, str, str, str, str]:
        if self.table is not None:
            same = [f for f in self.table.fields if f.name == name]
            if not same:
                raise QueryFailed(f"field `{name}` does not exist in `{self.table.name}`")
            return same[0], f"source.{quoted(name)}", name, same[0].display_name, same[0].base_type
        known = [c for c in self.columns or [] if c.name == name]
        if self.columns is not None and not known:
            raise QueryFailed(f"the saved question has no column `{name}`")
        title = known[0].display_name if known else name
        return None, f"source.{quoted(name)}", name, title, known[0].base_type if known else base

    def _alias(self, found: Field, through: Any) -> str:
        """`source`, or the table joined over the foreign key `through` (Metabase's implicit join)."""
        if through is None:
            if self.table is None or found.table_id != self.table.id:
                raise QueryFailed(f"field {found.id} is not of this query's source; name the `source-field`")
            return "source"
        key = FIELDS.get(through)
        target = FIELDS.get(key.target_id) if key is not None and key.target_id else None
        if key is None or target is None or target.table_id != found.table_id:
            raise QueryFailed(f"field {through} is no foreign key to the table of field {found.id}")
        alias = quoted(f"{TABLES[found.table_id].name}__via__{key.name}")
        on = f"source.{quoted(key.name)} = {alias}.{quoted(target.name)}"
        self._joins[alias] = f"LEFT JOIN {quoted(TABLES[found.table_id].name)} AS {alias} ON {on}"
        return alias
