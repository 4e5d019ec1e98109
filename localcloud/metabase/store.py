"""The application database: one private SQLite file that survives restarts."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .schema import SCHEMA, VERSION

Row = dict[str, Any]
FILE = "metabase.sqlite"


class StoreError(Exception):
    """The state can't be used; the message says what to do."""


class Store:
    """SQLite with one user at a time; `change` is a transaction."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        try:
            self._prepare(path)
        except sqlite3.Error as error:
            raise StoreError(f"`{path}` is no database of the stand-in ({error}); remove it to start anew") from None

    def _prepare(self, path: Path) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}")
        found = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if found == 0:
            self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif found != VERSION:
            raise StoreError(f"`{path}` has version {found}, this stand-in needs {VERSION}; remove it to start anew")

    def close(self) -> None:
        """Ends the connection; the write-ahead log is merged."""
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All or nothing; changes within changes are one."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """Every row as a dict."""
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, values).fetchall()]

    def row(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def run(self, sql: str, *values: Any) -> int:
        """A change; answers the new row's id."""
        with self._lock:
            return int(self._db.execute(sql, values).lastrowid or 0)

    def changed(self, sql: str, *values: Any) -> int:
        """A change; answers how many rows it met."""
        with self._lock:
            return int(self._db.execute(sql, values).rowcount)

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting's value."""
        found = self.row("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(found["value"]) if found else default

    def set_setting(self, name: str, value: Any) -> None:
        """Stores a setting; None removes it."""
        if value is None:
            self.run("DELETE FROM setting WHERE name = ?", name)
        else:
            self.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, json.dumps(value))

    def count(self, name: str) -> int:
        """A counter's value; 0 before its first step."""
        found = self.row("SELECT value FROM counter WHERE name = ?", name)
        return int(found["value"]) if found else 0

    def step(self, name: str) -> int:
        """The counter's next value."""
        with self.change():
            value = self.count(name) + 1
            self.run("INSERT OR REPLACE INTO counter VALUES (?, ?)", name, value)
        return value
