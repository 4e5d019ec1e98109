"""Who looked at what: the ground of recent and popular items."""

from __future__ import annotations

from .endpoints import Call


def record_view(call: Call, model: str, number: int) -> None:
    """Counts one view."""
    call.store.run(
        "INSERT INTO viewed VALUES (?, ?, ?, 1, ?) "
        "ON CONFLICT (user_id, model, item_id) DO UPDATE SET times = times + 1, at = excluded.at",
        call.me["id"], model, number, call.instance.timestamp(),
    )  # fmt: skip
