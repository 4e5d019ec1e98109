"""Distinct values of a field, for the lists that filters offer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from .sample.tables import TABLES, Field

MAXIMUM = 1000


def distinct_values(sample: Path, field: Field, containing: str = "") -> list[Any]:
    """In order; `containing` narrows them, in any case."""
    name, table = field.name, TABLES[field.table_id].name
    sql = (
        f"SELECT DISTINCT {name} FROM {table} WHERE {name} IS NOT NULL "  # noqa: S608 - names come from the tables
        f"AND instr(lower({name}), lower(?)) > 0 ORDER BY 1 LIMIT {MAXIMUM}"
    )
    with closing(sqlite3.connect(f"file:{sample}?mode=ro", uri=True)) as db:
        return [row[0] for row in db.execute(sql, (containing,))]
