"""One running instance: where its state is, what it was told at start, and its clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .store import Store
from .throttle import Throttle

VERSION = {"tag": "v0.58.6", "date": "2026-01-27", "branch": "release-x.58.x", "hash": "stand-in"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What Metabase reads from its environment, under the names that it documents."""

    setup_token: str | None = None
    """`MB_SETUP_TOKEN`"""
    max_session_minutes: int = 20160
    """`MAX_SESSION_AGE`: sessions end that long after they began"""
    address_header: str = "x-forwarded-for"
    """`MB_SOURCE_ADDRESS_HEADER`: its last entry is the client's address"""
    password_complexity: str = "weak"  # noqa: S105 - the name of a rule
    """`MB_PASSWORD_COMPLEXITY`: `weak`, `normal` or `strong`; the process takes Metabase's default, `normal`"""
    boot_seconds: float = 0.0
    """how long health says `initializing`"""
    query_seconds: float = 30.0
    """after which a query is given up"""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Everything that an operation may need."""

    folder: Path
    store: Store
    sample: Path
    options: Options
    now: Callable[[], float] = time.time
    """seconds since 1970, UTC"""
    started_at: float = 0.0
    login_by_name: Throttle = field(default_factory=lambda: Throttle(limit=10))
    login_by_address: Throttle = field(default_factory=lambda: Throttle(limit=50))

    def progress(self) -> float:
        """How far the boot is: 1.0 once it is done."""
        seconds = self.options.boot_seconds
        return 1.0 if seconds <= 0 else min(1.0, (self.now() - self.started_at) / seconds)

    def timestamp(self) -> str:
        """Now, as Metabase writes it."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def is_set_up(self) -> bool:
        """True once a person exists."""
        return self.store.row("SELECT 1 AS x FROM user WHERE type = 'personal'") is not None
