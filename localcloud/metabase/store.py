"""The application database: one SQLite file, private, surviving restarts."""

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
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS user (
  id INTEGER PRIMARY KEY, email TEXT UNIQUE COLLATE NOCASE, first_name TEXT, last_name TEXT, password TEXT,
  is_superuser INTEGER DEFAULT 0, is_active INTEGER DEFAULT 1, kind TEXT DEFAULT 'personal');
CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, user_id INTEGER, created REAL);
CREATE TABLE IF NOT EXISTS api_key (
  id INTEGER PRIMARY KEY, name TEXT, group_id INTEGER, user_id INTEGER, hash TEXT, masked TEXT);
CREATE TABLE IF NOT EXISTS grp (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS membership (
  id INTEGER PRIMARY KEY, group_id INTEGER, user_id INTEGER, UNIQUE (group_id, user_id));
CREATE TABLE IF NOT EXISTS collection (
  id INTEGER PRIMARY KEY, name TEXT, description TEXT, location TEXT DEFAULT '/', entity_id TEXT, type TEXT,
  personal_owner_id INTEGER, archived INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS collection_permission (
  group_id INTEGER, collection TEXT, level TEXT, PRIMARY KEY (group_id, collection));
CREATE TABLE IF NOT EXISTS data_permission (
  group_id INTEGER, database_id INTEGER, level TEXT, PRIMARY KEY (group_id, database_id));
CREATE TABLE IF NOT EXISTS card (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dashboard (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


class Store:
    """SQLite with one writer at a time; `change` is a transaction."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "application.sqlite"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)
        self._lock = threading.RLock()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All or nothing."""
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

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Every row as a dict."""
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, values).fetchall()]

    def row(self, sql: str, *values: Any) -> dict[str, Any] | None:
        """The first row, or None."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def run(self, sql: str, *values: Any) -> int:
        """A change; answers the new row's id."""
        with self._lock:
            return int(self._db.execute(sql, values).lastrowid or 0)

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting's value."""
        found = self.row("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(found["value"]) if found else default

    def set_setting(self, name: str, value: Any) -> None:
        """Stores a setting."""
        self.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, json.dumps(value))

    def document(self, table: str, number: int) -> dict[str, Any] | None:
        """A card's or dashboard's body."""
        found = self.row(f"SELECT body FROM {table} WHERE id = ?", number)  # noqa: S608 - `table` is one of two constants
        return json.loads(found["body"]) if found else None

    def documents(self, table: str) -> list[dict[str, Any]]:
        """All bodies, by id."""
        return [json.loads(r["body"]) for r in self.rows(f"SELECT body FROM {table} ORDER BY id")]  # noqa: S608

    def put_document(self, table: str, body: dict[str, Any]) -> dict[str, Any]:
        """Creates (without id) or replaces a body."""
        with self.change():
            if "id" not in body:
                body = {**body, "id": self.run(f"INSERT INTO {table} (body) VALUES ('{{}}')")}  # noqa: S608
            self.run(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", body["id"], json.dumps(body))  # noqa: S608
        return body
