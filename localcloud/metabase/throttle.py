"""Failed attempts, counted by key: the rule of the `throttle` library that Metabase signs people in with."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from .answers import Refused

MEMORY_SECONDS = 3600.0
FIRST_DELAY_SECONDS = 15.0
EXPONENT = 1.5


@dataclass(kw_only=True)
class Throttle:
    """Refuses a key that failed `limit` times within an hour. Refused attempts count as failures too."""

    limit: int
    _failures: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, key: str, now: float) -> None:
        """Raises 401 where the key failed too often."""
        with self._lock:
            recent = [at for at in self._failures.get(key, []) if now - at < MEMORY_SECONDS]
            self._failures[key] = recent
            if len(recent) < self.limit:
                return
        delay = FIRST_DELAY_SECONDS * (len(recent) + 1 - self.limit) ** EXPONENT
        wait = recent[-1] + delay - now
        words = f"You must wait {round(wait)} seconds before trying again." if wait > 0 else "Please try again later."
        raise Refused(401, {"errors": {"username": f"Too many attempts! {words}"}})

    def failed(self, key: str, now: float) -> None:
        """Counts one failure."""
        with self._lock:
            self._failures.setdefault(key, []).append(now)
