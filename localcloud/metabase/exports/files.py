"""Downloads: CSV (RFC 4180), JSON and a workbook. A failed one is Metabase's error document under the file's type."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

from ..query.execute import Execution
from ..query.failure import QueryFailed
from ..query.mbql import Compiled
from .workbook import Workbook

FORMATS = ("csv", "json", "xlsx")
MAXIMUM_ROWS = 1_048_575
"""what a sheet holds below its header; Metabase exports no more in any format"""


class _File:
    status = 200
    content_type = ""
    ending = ""

    def __init__(self, name: str, titles: dict[str, str]) -> None:
        self._titles = titles
        slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "query_result"
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.headers = {"content-disposition": f'attachment; filename="{slug}_{stamp}.{self.ending}"'}

    def _header(self, execution: Execution) -> list[str]:
        """Names for people: the question's own titles first."""
        return [self._titles.get(column.name, column.display_name) for column in execution.columns]

    def fail(self, error: QueryFailed) -> bytes:
        """The error, in the file's place."""
        return json.dumps({"status": "failed", "error": str(error), "error_type": error.error_type}).encode()


class CsvFile(_File):
    """Comma-separated, with a header."""

    content_type, ending = "text/csv", "csv"

    def begin(self, execution: Execution, compiled: Compiled) -> bytes:  # noqa: ARG002 - the protocol's signature
        """The header."""
        return self.rows([self._header(execution)])

    def rows(self, rows: list[list[Any]]) -> bytes:
        """Some lines."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()

    def finish(self) -> bytes:
        """Nothing more."""
        return b""


class JsonFile(_File):
    """A list of objects, keyed by the columns' names for people."""

    content_type, ending = "application/json; charset=utf-8", "json"

    def begin(self, execution: Execution, compiled: Compiled) -> bytes:  # noqa: ARG002 - the protocol's signature
        """Opens the list."""
        self._names = self._header(execution)
        self._lead = "[\n"
        return b""

    def rows(self, rows: list[list[Any]]) -> bytes:
        """Some objects."""
        found = [json.dumps(dict(zip(self._names, row, strict=True)), ensure_ascii=False) for row in rows]
        lead, self._lead = self._lead, ",\n"
        return (lead + ",\n".join(found)).encode()

    def finish(self) -> bytes:
        """Closes the list."""
        return b"[]" if self._lead == "[\n" else b"]"


class XlsxFile(_File):
    """A workbook, written when all rows are there."""

    content_type, ending = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"

    def begin(self, execution: Execution, compiled: Compiled) -> bytes:  # noqa: ARG002 - the protocol's signature
        """Starts the sheet."""
        self._book = Workbook(self._header(execution))
        return b""

    def rows(self, rows: list[list[Any]]) -> bytes:
        """Keeps the rows."""
        self._book.add(rows)
        return b""

    def finish(self) -> bytes:
        """The whole file."""
        return self._book.bytes()


def file_writer(kind: str, name: str, titles: dict[str, str]) -> CsvFile | JsonFile | XlsxFile:
    """The writer of one of `FORMATS`."""
    if kind == "csv":
        return CsvFile(name, titles)
    return JsonFile(name, titles) if kind == "json" else XlsxFile(name, titles)
