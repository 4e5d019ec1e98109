"""State in SQLite: objects by kind and id, KV values, a revision that grows with every change."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
  kind TEXT, id TEXT, body TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS kv (
  namespace TEXT, key TEXT, value BLOB NOT NULL, metadata TEXT, PRIMARY KEY (namespace, key));
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO meta VALUES ('revision', 1);
"""


class Store:
    """One process, one writer; every change is one transaction that also raises the revision."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)
        self._lock = threading.RLock()
        self.changed = threading.Condition(self._lock)

    @contextmanager
    def change(self) -> Iterator[None]:
        """A transaction; an exception inside undoes all of it."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision'")
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self.changed.notify_all()

    @property
    def revision(self) -> int:
        """Grows with every change."""
        with self._lock:
            return int(self._db.execute("SELECT value FROM meta WHERE name = 'revision'").fetchone()[0])

    def put(self, kind: str, object_id: str, body: dict[str, Any]) -> None:
        """Creates or replaces an object; it keeps its place in lists."""
        with self.change():
            self._db.execute(
                "INSERT INTO object VALUES (?, ?, ?, (SELECT COALESCE(MAX(number), 0) + 1 FROM object)) "
                "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, object_id, json.dumps(body)),
            )

    def get(self, kind: str, object_id: str) -> dict[str, Any] | None:
        """An object's body, or None."""
        with self._lock:
            row = self._db.execute("SELECT body FROM object WHERE kind = ? AND id = ?", (kind, object_id)).fetchone()
        return json.loads(row[0]) if row else None

    def list(self, kind: str) -> list[dict[str, Any]]:
        """All bodies of a kind, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT body FROM object WHERE kind = ? ORDER BY number", (kind,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def delete(self, kind: str, object_id: str) -> bool:
        """True where there was one."""
        with self.change():
            return self._db.execute("DELETE FROM object WHERE kind = ? AND id = ?", (kind, object_id)).rowcount > 0

    def kv_put(self, namespace: str, key: str, value: bytes, metadata: str | None) -> None:
        """Stores a value. The data plane does not raise the revision: the edge need not reload for it."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO kv VALUES (?, ?, ?, ?)", (namespace, key, value, metadata))

    def kv_get(self, namespace: str, key: str) -> tuple[bytes, str | None] | None:
        """Value and metadata, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT value, metadata FROM kv WHERE namespace = ? AND key = ?", (namespace, key)
            ).fetchone()
        return (bytes(row[0]), row[1]) if row else None

    def kv_delete(self, namespace: str, key: str | None = None) -> None:
        """Deletes a key, or all of a namespace."""
        with self._lock:
            if key is None:
                self._db.execute("DELETE FROM kv WHERE namespace = ?", (namespace,))
            else:
                self._db.execute("DELETE FROM kv WHERE namespace = ? AND key = ?", (namespace, key))

    def kv_keys(self, namespace: str) -> list[str]:
        """The keys of a namespace in order."""
        with self._lock:
            rows = self._db.execute("SELECT key FROM kv WHERE namespace = ? ORDER BY key", (namespace,)).fetchall()
        return [row[0] for row in rows]
