"""The answer of `POST /api/dataset` and of every other query: JSON with status 202, failed or not."""

from __future__ import annotations

import json
import time
from typing import Any

from ..query.execute import Execution
from ..query.failure import QueryFailed
from ..query.mbql import Compiled

Json = dict[str, Any]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class ApiWriter:
    """Rows first, as Metabase streams them, then columns and the summary. `facts` are the answer's own fields."""

    status = 202
    content_type = "application/json; charset=utf-8"
    headers: dict[str, str] = {}  # noqa: RUF012 - of the class, never changed

    def __init__(self, facts: Json) -> None:
        self._facts = facts
        self._started = time.perf_counter()
        self._execution: Execution | None = None
        self._native: Json = {}
        self._is_first = True

    def begin(self, execution: Execution, compiled: Compiled) -> bytes:
        """Opens the list of rows."""
        self._execution = execution
        self._native = {"query": compiled.sql, "params": compiled.values or None}
        return b'{"data":{"rows":['

    def rows(self, rows: list[list[Any]]) -> bytes:
        """One row a line."""
        text = ",\n".join(_text(row) for row in rows)
        lead = "" if self._is_first else ",\n"
        self._is_first = False
        return (lead + text).encode()

    def finish(self) -> bytes:
        """Columns, counts and times."""
        assert self._execution is not None  # noqa: S101 - `begin` comes first
        columns = [column.json() for column in self._execution.columns]
        data: Json = {
            "cols": columns,
            "native_form": self._native,
            "results_timezone": "UTC",
            "results_metadata": {"columns": columns},
            "insights": None,
        }
        if self._execution.is_truncated:
            data["rows_truncated"] = self._execution.row_count
        summary = {
            **self._facts,
            "status": "completed",
            "cached": None,
            "row_count": self._execution.row_count,
            "running_time": round((time.perf_counter() - self._started) * 1000),
        }
        return ("]," + _text(data)[1:] + "," + _text(summary)[1:]).encode()

    def fail(self, error: QueryFailed) -> bytes:
        """A whole failed answer, or the end of one that had begun."""
        failed: Json = {
            **self._facts,
            "status": "failed",
            "error": str(error),
            "error_type": error.error_type,
            "row_count": self._execution.row_count if self._execution else 0,
            "running_time": round((time.perf_counter() - self._started) * 1000),
        }
        if self._execution is None:
            return _text({**failed, "data": {"rows": [], "cols": []}}).encode()
        return ('],"cols":[]},' + _text(failed)[1:]).encode()
