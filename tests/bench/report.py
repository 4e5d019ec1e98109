"""What was measured against its limits: one table to read, and the same for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MET, NOT_MET, NOT_RESOLVED, TOLD = "met", "not met", "not resolved", ""
GIB, MIB = 1 << 30, 1 << 20
SECONDS = 10.0
"""What "seconds" means for `check` at full size."""
DECISION = 1.5


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a figure in words, its limit, and what came of it; figures without a limit are only told."""

    what: str
    figure: str
    limit: str = ""
    verdict: str = TOLD


def text_of(title: str, rows: Sequence[Row]) -> str:
    """The table, its columns as wide as they must be."""
    cells = [("what", "measured", "limit", ""), *((row.what, row.figure, row.limit, row.verdict) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(3)]
    lines = [
        "  ".join([*(part.ljust(width) for part, width in zip(line, widths, strict=False)), line[3]]).rstrip()
        for line in cells
    ]
    return "\n".join([title, "", lines[0], "-" * max(map(len, lines)), *lines[1:]])


def is_failed(rows: Sequence[Row]) -> bool:
    """Whether a limit isn't met; one that the measurement doesn't resolve is no failure."""
    return any(row.verdict == NOT_MET for row in rows)


def records(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as plain data."""
    return [asdict(row) for row in rows]
