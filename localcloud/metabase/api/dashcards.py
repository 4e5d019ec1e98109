"""The cards of a dashboard as `PUT /api/dashboard/:id` sends them: a full list, new ones with a negative id."""

from __future__ import annotations

from typing import Any

from .. import documents
from ..answers import malformed
from ..endpoints import Call
from ..store import Row

_PLACE = ("row", "col", "size_x", "size_y")
_KEPT = ("parameter_mappings", "visualization_settings", "series", "dashboard_tab_id")
_EMPTY: dict[str, Any] = {
    "parameter_mappings": [],
    "visualization_settings": {},
    "series": [],
    "dashboard_tab_id": None,
}


def saved_dashcards(call: Call, dashboard: Row) -> list[dict[str, Any]]:
    """What is stored; every card must be one that the person may read."""
    given = call.body["dashcards"]
    if not isinstance(given, list) or not all(isinstance(dc, dict) for dc in given):
        raise malformed({"dashcards": "nullable sequence of value must be a DashboardCard."})
    present = {dc["id"]: dc for dc in dashboard["dashcards"]}
    return [_saved(call, dashboard, present, dc) for dc in given]


def _saved(call: Call, dashboard: Row, present: dict[int, Row], given: dict[str, Any]) -> dict[str, Any]:
    number = given.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise malformed({"dashcards": "value must be an integer: `id`."})
    if not all(isinstance(given.get(name), int) for name in _PLACE):
        raise malformed({"dashcards": f"value must be an integer: {', '.join(_PLACE)}."})
    old = present.get(number)
    if number >= 0 and old is None:
        raise malformed({"dashcards": f"the dashboard has no dashcard {number}; new ones have a negative id."})
    card = given.get("card_id", old["card_id"] if old else None)
    if card is not None and (old is None or card != old["card_id"]):
        call.rights.require("read", documents.find(call.store, "card", card)["collection_id"])
    base = old or {
        "id": call.store.step("dashcard"),
        "entity_id": documents.new_entity_id(),
        "action_id": None,
        **_EMPTY,
    }
    changes = {name: given[name] for name in (*_PLACE, *_KEPT) if name in given}
    return {**base, "dashboard_id": dashboard["id"], "card_id": card, **changes}
