"""State in SQLite: objects by kind and id, KV values, a revision that grows with every change."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
  kind TEXT, id TEXT, body TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS kv_value (
  namespace TEXT, key TEXT, value BLOB NOT NULL, metadata TEXT, expiration INTEGER, PRIMARY KEY (namespace, key));
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO meta VALUES ('revision', 1);
"""


class StoreError(Exception):
    """The state file can't be used."""


@dataclass(frozen=True, kw_only=True)
class KvEntry:
    """A stored value; `metadata` is JSON text, `expiration` seconds since 1970, None: never."""

    key: str
    value: bytes
    metadata: str | None
    expiration: int | None


class Store:
    """One process, one writer; every change is one transaction that also raises the revision."""

    def __init__(self, path: Path) -> None:
        # Made before SQLite opens it: the journal files take the mode of the database.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"`{path}` is no usable SQLite database: {error}") from None
        self._lock = threading.RLock()

    def close(self) -> None:
        """Writes the journal back and closes the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """A transaction; an exception inside undoes all of it. Changes inside a change are part of it."""
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

    def select(self, kind: str, field: str, value: str) -> tuple[dict[str, Any], ...]:
        """The bodies of a kind whose `field` is `value`, oldest first; only these are parsed."""
        query = "SELECT body FROM object WHERE kind = ? AND json_extract(body, ?) = ? ORDER BY number"
        with self._lock:
            rows = self._db.execute(query, (kind, f"$.{field}", value)).fetchall()
        return tuple(json.loads(row[0]) for row in rows)

    def delete(self, kind: str, object_id: str) -> None:
        """Deletes an object; nothing happens if there is none."""
        with self.change():
            self._db.execute("DELETE FROM object WHERE kind = ? AND id = ?", (kind, object_id))

    def kv_put(self, namespace: str, entry: KvEntry) -> None:
        """Stores a value. The data plane does not raise the revision: the edge need not reload for it."""
        row = (namespace, entry.key, entry.value, entry.metadata, entry.expiration)
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO kv_value VALUES (?, ?, ?, ?, ?)", row)

    def kv_get(self, namespace: str, key: str) -> KvEntry | None:
        """The value, or None where there is none or it has expired."""
        return next(iter(self._kv_rows("namespace = ? AND key = ?", (namespace, key))), None)

    def kv_list(self, namespace: str) -> tuple[KvEntry, ...]:
        """A namespace's live values in the order of their keys."""
        return self._kv_rows("namespace = ?", (namespace,))

    def _kv_rows(self, condition: str, values: tuple[str, ...]) -> tuple[KvEntry, ...]:
        query = (
            f"SELECT key, value, metadata, expiration FROM kv_value WHERE {condition} "  # noqa: S608 - fixed texts
            "AND (expiration IS NULL OR expiration > ?) ORDER BY key"
        )
        with self._lock:
            rows = self._db.execute(query, (*values, int(time.time()))).fetchall()
        return tuple(KvEntry(key=r[0], value=bytes(r[1]), metadata=r[2], expiration=r[3]) for r in rows)

    def kv_delete(self, namespace: str, key: str | None = None) -> None:
        """Deletes a key, or all of a namespace."""
        with self._lock:
            if key is None:
                self._db.execute("DELETE FROM kv_value WHERE namespace = ?", (namespace,))
            else:
                self._db.execute("DELETE FROM kv_value WHERE namespace = ? AND key = ?", (namespace, key))
