"""What every form of answer does."""

from __future__ import annotations

from typing import Any, Protocol

from ..query.execute import Execution
from ..query.failure import QueryFailed
from ..query.mbql import Compiled


class Writer(Protocol):
    """Forms bytes: the beginning, rows, the end; or a failure at any point."""

    status: int
    content_type: str
    headers: dict[str, str]

    def begin(self, execution: Execution, compiled: Compiled) -> bytes:
        """Before the first row, with the columns known."""

    def rows(self, rows: list[list[Any]]) -> bytes:
        """Some rows."""

    def finish(self) -> bytes:
        """After the last row."""

    def fail(self, error: QueryFailed) -> bytes:
        """Instead of what is still missing."""
