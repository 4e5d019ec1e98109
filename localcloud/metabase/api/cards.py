"""`/api/card`: saved questions. Who may read a question's collection may run it, whatever their query permissions."""

from __future__ import annotations

from typing import Any

from .. import documents, metadata
from ..answers import Refused, forbidden, malformed
from ..blank import new_card
from ..endpoints import Call, Endpoint
from ..people import shown as shown_person
from ..query.scope import scope_of
from ..running import run_query
from ..store import Row
from ..views import record_view

DISPLAYS = {"table", "bar", "line", "area", "pie", "scalar", "row", "combo", "smartscalar", "progress", "funnel"}
FIELDS = (
    "name",
    "description",
    "display",
    "dataset_query",
    "collection_id",
    "collection_position",
    "visualization_settings",
    "parameters",
    "parameter_mappings",
    "archived",
    "type",
    "result_metadata",
    "cache_ttl",
    "enable_embedding",
    "embedding_params",
)


def readable(call: Call, which: str | int) -> Row:
    """The card, if the person may read it."""
    card = documents.find(call.store, "card", which)
    call.rights.require("read", card["collection_id"])
    return card


def shown(call: Call, card: Row) -> dict[str, Any]:
    """A card as `GET /api/card/:id` shows it."""
    creator = call.store.row("SELECT * FROM user WHERE id = ?", card["creator_id"])
    place = call.store.row("SELECT id, name, entity_id, location FROM collection WHERE id = ?", card["collection_id"])
    allowed = _may_query(call, card)
    return {
        **card,
        "creator": {k: shown_person(creator)[k] for k in ("id", "email", "common_name")} if creator else None,
        "collection": place,
        "can_write": call.rights.can("write", card["collection_id"]),
        "can_run_adhoc_query": allowed,
        "can_restore": False,
        "can_delete": False,
        "average_query_time": None,
        "last_query_start": None,
        "dashboard_count": _dashboard_count(call, card["id"]),
        "moderation_reviews": [],
        "is_remote_synced": False,
        "last-edit-info": None,
    }


def _may_query(call: Call, card: Row) -> bool:
    try:
        call.rights.require_query(scope_of(card["dataset_query"]))
    except Refused:
        return False
    return True


def _dashboard_count(call: Call, number: int) -> int:
    found = documents.every(call.store, "dashboard")
    return sum(any(dc["card_id"] == number for dc in dashboard["dashcards"]) for dashboard in found)


def listed(call: Call) -> Any:
    """GET /api/card?f=all|mine|archived"""
    which = call.query.get("f", "all")
    if which not in ("all", "mine", "archived"):
        raise malformed({"f": "the Metabase stand-in knows all, mine and archived"})
    cards = documents.every(call.store, "card", archived=which == "archived")
    found = [c for c in cards if call.rights.can("read", c["collection_id"])]
    return [shown(call, c) for c in found if which != "mine" or c["creator_id"] == call.me["id"]]


def show(call: Call) -> Any:
    """GET /api/card/{id}"""
    card = readable(call, call.part("id"))
    record_view(call, "card", card["id"])
    return shown(call, card)


def query_metadata(call: Call) -> Any:
    """GET /api/card/{id}/query_metadata"""
    readable(call, call.part("id"))
    return metadata_of(call)


def metadata_of(call: Call) -> dict[str, Any]:
    """What the application needs to draw answers: tables and fields of the sample database."""
    tables = metadata.tables()
    fields = [field for table in tables for field in table["fields"]]
    found = {"databases": [metadata.database(call.rights)], "tables": tables, "fields": fields}
    return {**found, "cards": [], "dashboards": [], "snippets": []}


def _check_query(call: Call, query: Any) -> None:
    if not isinstance(query, dict):
        raise malformed({"dataset_query": "value must be a map."})
    call.rights.require_query(scope_of(query))


def _check_fields(call: Call) -> None:
    body = call.body
    if "display" in body and body["display"] not in DISPLAYS:
        raise malformed({"display": f"`{body['display']}` is no display"})
    if body.get("type", "question") != "question":
        raise malformed({"type": "the Metabase stand-in knows questions only, no models or metrics"})
    place = body.get("collection_id")
    if place is not None and (not isinstance(place, int) or isinstance(place, bool)):
        raise malformed({"collection_id": "nullable value must be an integer greater than zero."})


def create(call: Call) -> Any:
    """POST /api/card: into a collection that the person may write, a query that they may make"""
    call.need("name", "display")
    _check_fields(call)
    query = call.body.get("dataset_query")
    call.rights.require("write", call.body.get("collection_id"))
    _check_query(call, query)
    card = documents.changed(new_card(call.me["id"], call.instance.timestamp()), call.body, FIELDS)
    card |= {"entity_id": documents.new_entity_id(), **_facts(call.body["dataset_query"])}
    card.setdefault("collection_id", None)
    return shown(call, documents.save(call.store, "card", card))


def _facts(query: dict[str, Any]) -> dict[str, Any]:
    scope = scope_of(query)
    source = (query.get("query") or {}).get("source-table") if isinstance(query.get("query"), dict) else None
    table = source if isinstance(source, int) else None
    return {"query_type": "native" if scope.native else "query", "table_id": table, "database_id": scope.database}


def update(call: Call) -> Any:
    """PUT /api/card/{id}"""
    card = readable(call, call.part("id"))
    call.rights.require("write", card["collection_id"])
    _check_fields(call)
    if "collection_id" in call.body and call.body["collection_id"] != card["collection_id"]:
        call.rights.require("write", call.body["collection_id"])
    for name in ("name", "display"):
        if name in call.body:
            call.need(name)
    changed = documents.changed(card, call.body, FIELDS)
    if "dataset_query" in call.body:
        _check_query(call, call.body["dataset_query"])
        changed |= _facts(call.body["dataset_query"])
    changed["updated_at"] = call.instance.timestamp()
    return shown(call, documents.save(call.store, "card", changed))


def run(call: Call) -> Any:
    """POST /api/card/{id}/query, with a format as a file"""
    card = readable(call, call.part("id"))
    call.rights.require_cards(scope_of(card["dataset_query"]).cards)
    return run_query(
        call,
        card["dataset_query"],
        context=f"{call.request.path_params['format']}-download"
        if "format" in call.request.path_params
        else "question",
        card=card,
        parameters=sent_parameters(call),
        facts={"card_id": card["id"]},
    )


def sent_parameters(call: Call) -> list[dict[str, Any]]:
    """The parameters of a body: JSON, or a form's field of JSON as downloads send it."""
    given = call.fields().get("parameters") or []
    if not isinstance(given, list) or not all(isinstance(p, dict) for p in given):
        raise malformed({"parameters": "nullable sequence of parameter must be a map."})
    return given


def delete(call: Call) -> Any:
    """DELETE /api/card/{id}"""
    card = readable(call, call.part("id"))
    if not call.rights.can("write", card["collection_id"]):
        raise forbidden()
    call.store.run("DELETE FROM card WHERE id = ?", card["id"])


ENDPOINTS = (
    Endpoint("GET", "/api/card", listed),
    Endpoint("POST", "/api/card", create),
    Endpoint("GET", "/api/card/{id}", show),
    Endpoint("PUT", "/api/card/{id}", update),
    Endpoint("DELETE", "/api/card/{id}", delete),
    Endpoint("GET", "/api/card/{id}/query_metadata", query_metadata),
    Endpoint("POST", "/api/card/{id}/query", run),
    Endpoint("POST", "/api/card/{id}/query/{format}", run),
)
