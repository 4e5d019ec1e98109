"""Runs SQL on the sample database: read-only, no other file in reach, with a deadline, and stoppable from outside."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from .columns import Column, native_column, typed
from .failure import QueryFailed
from .mbql import Compiled

BATCH = 500
STEPS = 10_000
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


class Execution:
    """One query under way. `begin` and `batch` block; `stop` may be called from any thread at any time."""

    def __init__(self, database: Path, *, seconds: float, limit: int) -> None:
        self._database, self._seconds, self._limit = database, seconds, limit
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._first: list[list[Any]] = []
        self._cursor: sqlite3.Cursor | None = None
        self.columns: list[Column] = []
        self.row_count = 0
        self.is_truncated = False

    def begin(self, compiled: Compiled) -> None:
        """Starts the query and fetches its first rows, which tell the types of SQL's columns."""
        with self._lock:
            self._db = self._open()
            with _failures(self):
                self._cursor = self._db.execute(compiled.sql, compiled.values)
                if self._cursor.description is None:
                    raise QueryFailed("the statement answers no rows; only a SELECT can be run here")
                names = [d[0] for d in self._cursor.description]
                self._first = self._fetch()
            self.columns = typed(compiled.columns or [native_column(name) for name in names], self._first)

    def batch(self) -> list[list[Any]]:
        """The next rows; none at the end."""
        with self._lock, _failures(self):
            rows, self._first = (self._first or self._fetch()), []
            room = self._limit - self.row_count
            self.is_truncated = self.is_truncated or len(rows) > room
            rows = rows[:room]
            self.row_count += len(rows)
            return rows

    def stop(self) -> None:
        """Ends the query wherever it is; the connection is closed as soon as its thread lets go of it."""
        self._stopped.set()
        if self._lock.acquire(blocking=False):
            self._close()
            self._lock.release()
        else:
            threading.Thread(target=self._close_later, daemon=True).start()

    def failure(self, error: sqlite3.Error) -> QueryFailed:
        """What an error of SQLite means."""
        if self._stopped.is_set():
            return QueryFailed("the query was cancelled", "interrupted")
        if "interrupted" in str(error):
            return QueryFailed(f"the query took longer than {self._seconds:g} seconds", "timed-out")
        if isinstance(error, sqlite3.DatabaseError) and ("prohibited" in str(error) or "authorized" in str(error)):
            return QueryFailed(f"only reading is allowed, the database is readonly: {error}")
        return QueryFailed(str(error))

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, check_same_thread=False)
        deadline = time.monotonic() + self._seconds
        # Inherited by every statement: no ATTACH (another file), no PRAGMA, no write.
        db.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
        db.set_progress_handler(lambda: self._stopped.is_set() or time.monotonic() > deadline, STEPS)
        return db

    def _fetch(self) -> list[list[Any]]:
        assert self._cursor is not None  # noqa: S101 - `begin` comes first
        return [[_plain(value) for value in row] for row in self._cursor.fetchmany(BATCH)]

    def _close_later(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class _failures:
    """Turns SQLite's errors into failed answers."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (sqlite3.Error, sqlite3.Warning)):
            found = error if isinstance(error, sqlite3.Error) else sqlite3.Error(str(error))
            raise self._execution.failure(found) from None
        if isinstance(error, OverflowError):
            raise QueryFailed(f"a value is too large: {error}") from None


def _plain(value: Any) -> Any:
    """JSON has no bytes and no infinity; sums of cents lose the noise of binary fractions."""
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else None
    return value.hex() if isinstance(value, bytes) else value
