"""Requests as a fake received them, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request as a fake received it. `headers` keeps order, case and repetition."""

    host: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Every value under a header's name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Reply:
    """An answer: a body, or parts that are sent one by one as chunks, `pause` seconds apart.

    Its head comes after `wait` seconds; `on_broken` is called where the client has gone by then, or goes later.
    """

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    parts: list[bytes] | None = None
    pause: float = 0.0
    wait: float = 0.0
    on_broken: Callable[[], None] | None = None
