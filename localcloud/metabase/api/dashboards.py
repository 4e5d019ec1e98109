"""`/api/dashboard`: what is on them, and the answers of the questions on them."""

from __future__ import annotations

from typing import Any

from .. import documents
from ..answers import not_found
from ..blank import new_dashboard
from ..endpoints import Call, Endpoint
from ..query.scope import scope_of
from ..running import run_query
from ..sample.tables import FIELDS, Field
from ..store import Row
from ..values import distinct_values
from ..views import record_view
from .cards import metadata_of, sent_parameters
from .dashcards import saved_dashcards

CHANGEABLE = (
    "name",
    "description",
    "collection_id",
    "collection_position",
    "parameters",
    "tabs",
    "width",
    "archived",
    "auto_apply_filters",
    "cache_ttl",
    "points_of_interest",
    "caveats",
    "show_in_getting_started",
    "position",
    "enable_embedding",
    "embedding_params",
)


def _readable(call: Call, which: str | int) -> Row:
    dashboard = documents.find(call.store, "dashboard", which)
    call.rights.require("read", dashboard["collection_id"])
    return dashboard


def _card(call: Call, number: int | None) -> Row | None:
    """A dashboard's card, unless the person may not read it."""
    if number is None:
        return None
    card = documents.find(call.store, "card", number)
    return card if call.rights.can("read", card["collection_id"]) else None


def _shown(call: Call, dashboard: Row) -> dict[str, Any]:
    place = call.store.row(
        "SELECT id, name, entity_id, location FROM collection WHERE id = ?", dashboard["collection_id"]
    )
    dashcards = [{**dc, "card": _card(call, dc["card_id"])} for dc in dashboard["dashcards"]]
    return {
        **dashboard,
        "dashcards": dashcards,
        "collection": place,
        "can_write": call.rights.can("write", dashboard["collection_id"]),
        "can_restore": False,
        "can_delete": False,
        "last-edit-info": None,
        "last_used_param_values": {},
        "param_fields": {p["id"]: [f.id for f in _fields(dashboard, p["id"])] for p in dashboard["parameters"]},
        "moderation_reviews": [],
    }


def listed(call: Call) -> Any:
    """GET /api/dashboard"""
    found = [d for d in documents.every(call.store, "dashboard") if call.rights.can("read", d["collection_id"])]
    return [{k: v for k, v in d.items() if k != "dashcards"} for d in found]


def show(call: Call) -> Any:
    """GET /api/dashboard/{id}"""
    dashboard = _readable(call, call.part("id"))
    record_view(call, "dashboard", dashboard["id"])
    return _shown(call, dashboard)


def items(call: Call) -> Any:
    """GET /api/dashboard/{id}/items: questions saved inside it; there are none here"""
    _readable(call, call.part("id"))
    return {"total": 0, "data": [], "models": [], "limit": None, "offset": None}


def query_metadata(call: Call) -> Any:
    """GET /api/dashboard/{id}/query_metadata"""
    _readable(call, call.part("id"))
    return metadata_of(call)


def create(call: Call) -> Any:
    """POST /api/dashboard"""
    call.need("name")
    call.rights.require("write", call.body.get("collection_id"))
    blank = new_dashboard(call.me["id"], call.instance.timestamp())
    dashboard = documents.changed(blank, call.body, ("name", "description", "collection_id", "parameters", "cache_ttl"))
    dashboard["entity_id"] = documents.new_entity_id()
    dashboard["parameters"] = dashboard["parameters"] or []
    return _shown(call, documents.save(call.store, "dashboard", dashboard))


def update(call: Call) -> Any:
    """PUT /api/dashboard/{id}: `dashcards` is a full list"""
    dashboard = _readable(call, call.part("id"))
    call.rights.require("write", dashboard["collection_id"])
    if "name" in call.body:
        call.need("name")
    if "collection_id" in call.body and call.body["collection_id"] != dashboard["collection_id"]:
        call.rights.require("write", call.body["collection_id"])
    with call.store.change():
        changed = documents.changed(dashboard, call.body, CHANGEABLE)
        if "dashcards" in call.body:
            changed["dashcards"] = saved_dashcards(call, dashboard)
        changed["updated_at"] = call.instance.timestamp()
        return _shown(call, documents.save(call.store, "dashboard", changed))


def delete(call: Call) -> Any:
    """DELETE /api/dashboard/{id}"""
    dashboard = _readable(call, call.part("id"))
    call.rights.require("write", dashboard["collection_id"])
    call.store.run("DELETE FROM dashboard WHERE id = ?", dashboard["id"])


def run(call: Call) -> Any:
    """POST /api/dashboard/{id}/dashcard/{dashcard}/card/{card}/query, with a format as a file"""
    dashboard = _readable(call, call.part("id"))
    number, wanted = call.part("card"), call.part("dashcard")
    dashcard = next((dc for dc in dashboard["dashcards"] if dc["id"] == wanted), None)
    if dashcard is None or number not in {dashcard["card_id"], *(s.get("id") for s in dashcard["series"])}:
        raise not_found()
    card = documents.find(call.store, "card", number)
    call.rights.require("read", card["collection_id"])
    call.rights.require_cards(scope_of(card["dataset_query"]).cards)
    return run_query(
        call,
        card["dataset_query"],
        context="dashboard",
        card=card,
        parameters=_resolved(call, dashboard, dashcard, number),
        facts={"card_id": number, "dashboard_id": dashboard["id"]},
    )


def _resolved(call: Call, dashboard: Row, dashcard: Row, card: int) -> list[dict[str, Any]]:
    """Types and targets are the dashboard's own; a request brings ids and values, nothing else."""
    known = {p["id"]: p for p in dashboard["parameters"]}
    targets = {m["parameter_id"]: m["target"] for m in dashcard["parameter_mappings"] if m.get("card_id") == card}
    found = []
    for sent in sent_parameters(call):
        parameter = known.get(sent.get("id"))
        if parameter is None:
            raise not_found()
        if parameter["id"] in targets:
            target = targets[parameter["id"]]
            found.append({"type": parameter["type"], "target": target, "value": sent.get("value")})
    return found


def _fields(dashboard: Row, parameter_id: str) -> list[Field]:
    found: dict[int, Field] = {}
    for dashcard in dashboard["dashcards"]:
        for mapping in dashcard["parameter_mappings"]:
            target = mapping.get("target")
            if mapping["parameter_id"] == parameter_id and isinstance(target, list) and len(target) > 1:
                number = target[1][1] if isinstance(target[1], list) and len(target[1]) > 1 else None
                if number in FIELDS:
                    found[number] = FIELDS[number]
    return list(found.values())


def parameter_values(call: Call) -> Any:
    """GET /api/dashboard/{id}/params/{key}/values and …/search/{query}"""
    dashboard = _readable(call, call.part("id"))
    key, words = call.part("key"), call.request.path_params.get("query", "")
    if key not in {p["id"] for p in dashboard["parameters"]}:
        raise not_found()
    found: dict[Any, None] = {}
    for field in _fields(dashboard, key):
        found |= dict.fromkeys(distinct_values(call.instance.sample, field, words))
    return {"values": [[value] for value in found], "has_more_values": False}


_ONE = "/api/dashboard/{id}"
_RUN = _ONE + "/dashcard/{dashcard:int}/card/{card:int}/query"
ENDPOINTS = (
    Endpoint("GET", "/api/dashboard", listed),
    Endpoint("POST", "/api/dashboard", create),
    Endpoint("GET", _ONE, show),
    Endpoint("PUT", _ONE, update),
    Endpoint("DELETE", _ONE, delete),
    Endpoint("GET", _ONE + "/items", items),
    Endpoint("GET", _ONE + "/query_metadata", query_metadata),
    Endpoint("GET", _ONE + "/params/{key}/values", parameter_values),
    Endpoint("GET", _ONE + "/params/{key}/search/{query}", parameter_values),
    Endpoint("POST", _RUN, run),
    Endpoint("POST", _RUN + "/{format}", run),
)
