"""The graphs decide: what a person reads, writes, asks, and what they are told instead."""

from __future__ import annotations

from typing import Any

import pytest

FORBIDDEN = (403, "You don't have permissions to do that.")
NATIVE = {"database": 1, "type": "native", "native": {"query": "select count(*) from orders"}}
MBQL = {"database": 1, "type": "query", "query": {"source-table": 1, "aggregation": [["count"]]}}
OF_CARD_7 = {"database": -1337, "type": "query", "query": {"source-table": "card__7", "aggregation": [["count"]]}}
OF_CARD_5 = {"database": -1337, "type": "query", "query": {"source-table": "card__5"}}


@pytest.fixture
def analyst(group: Any, person: Any) -> Any:
    """Reads Sales, makes no queries."""
    return person("analyst", group("Analysts", {"3": "read"}))


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.text


def test_a_reader_sees_their_collection_and_nothing_else(analyst: Any) -> None:
    assert [c["name"] for c in analyst.get("/api/collection").json()] == ["Sales", "Trash"]
    assert [d["id"] for d in analyst.get("/api/dashboard").json()] == [1]
    assert [c["id"] for c in analyst.get("/api/card").json()] == [1, 2, 7]
    found = analyst.get("/api/search").json()["data"]
    assert {(i["model"], i["id"]) for i in found if i["model"] != "collection"} == {
        ("dashboard", 1),
        ("card", 1),
        ("card", 2),
        ("card", 7),
    }
    assert [n["name"] for n in analyst.get("/api/collection/tree").json() if not n["is_personal"]] == ["Sales", "Trash"]
    root = analyst.get("/api/collection/root/items").json()["data"]
    assert [i["name"] for i in root if i["personal_owner_id"] is None] == ["Sales"]


READS = [
    "/api/dashboard/{0}",
    "/api/dashboard/{0}/query_metadata",
    "/api/dashboard/{0}/items",
    "/api/collection/{1}",
    "/api/collection/{1}/items",
    "/api/card/{2}",
    "/api/card/{2}/query_metadata",
]


@pytest.mark.parametrize("path", READS)
def test_reading_needs_the_collection(world: Any, analyst: Any, path: str) -> None:
    mine, theirs = path.format(1, 3, 1), path.format(3, 5, 5)
    assert analyst.get(mine).status_code == 200
    assert told(analyst.get(theirs)) == FORBIDDEN
    assert told(analyst.get(path.format(99, 99, 99))) == (404, "Not found.")
    assert told(world.client().get(mine)) == (401, "Unauthenticated")


def test_an_entity_id_opens_no_other_door(analyst: Any, admin: Any) -> None:
    for kind, mine, theirs in (("dashboard", 1, 3), ("card", 1, 5), ("collection", 3, 5)):
        ids = [admin.get(f"/api/{kind}/{n}").json()["entity_id"] for n in (mine, theirs)]
        assert analyst.get(f"/api/{kind}/{ids[0]}").json()["id"] == mine
        assert told(analyst.get(f"/api/{kind}/{ids[1]}")) == FORBIDDEN
    assert analyst.get("/api/dashboard/AAAAAAAAAAAAAAAAAAAAA").status_code == 404
    assert analyst.get("/api/dashboard/not-an-id").status_code == 400


def test_a_saved_question_runs_for_its_readers_whatever_their_queries(analyst: Any) -> None:
    assert analyst.post("/api/card/1/query").json()["status"] == "completed"
    assert analyst.post("/api/dashboard/1/dashcard/1/card/1/query").json()["status"] == "completed"
    assert told(analyst.post("/api/card/5/query")) == FORBIDDEN
    assert told(analyst.post("/api/card/5/query/csv")) == FORBIDDEN
    assert told(analyst.post("/api/dashboard/3/dashcard/5/card/5/query")) == FORBIDDEN


def test_a_dashboard_runs_only_what_is_on_it(admin: Any, analyst: Any) -> None:
    for path in ("dashcard/1/card/5", "dashcard/5/card/5", "dashcard/2/card/1", "dashcard/99/card/1"):
        assert told(analyst.post(f"/api/dashboard/1/{path}/query")) == (404, "Not found."), path


def test_a_card_of_a_hidden_collection_is_blank_on_an_open_dashboard(admin: Any, analyst: Any) -> None:
    cards = admin.get("/api/dashboard/1").json()["dashcards"]
    cards.append({"id": -1, "card_id": 5, "row": 9, "col": 0, "size_x": 6, "size_y": 4})
    assert admin.put("/api/dashboard/1", json={"dashcards": cards}).status_code == 200
    shown = analyst.get("/api/dashboard/1").json()["dashcards"]
    assert [dc["card"]["id"] if dc["card"] else None for dc in shown] == [1, 2, None]
    added = shown[2]["id"]
    assert told(analyst.post(f"/api/dashboard/1/dashcard/{added}/card/5/query")) == FORBIDDEN


@pytest.mark.parametrize(
    ("level", "mbql", "native"),
    [("no", 403, 403), ("query-builder", 202, 403), ("query-builder-and-native", 202, 202)],
)
def test_create_queries_decides_about_queries_of_ones_own(
    group: Any, person: Any, level: str, mbql: int, native: int
) -> None:
    somebody = person("somebody", group("Somebody", {}, level))
    assert somebody.post("/api/dataset", json=MBQL).status_code == mbql
    assert somebody.post("/api/dataset", json=NATIVE).status_code == native
    assert somebody.post("/api/dataset/csv", json={"query": NATIVE}).status_code == (200 if native == 202 else 403)
    assert somebody.post("/api/dataset/native", json=MBQL).status_code == (200 if native == 202 else 403)
    may = somebody.get("/api/user/current").json()["permissions"]
    assert may == {"can_create_queries": mbql == 202, "can_create_native_queries": native == 202}
    shown = 200 if mbql == 202 else 403
    for path in ("/api/database/1", "/api/database/1/metadata", "/api/table/1/query_metadata", "/api/field/43/values"):
        assert somebody.get(path).status_code == shown, path
    assert somebody.get("/api/database").json()["total"] == (1 if mbql == 202 else 0)


HIDDEN_NATIVE = [
    {"database": 1, "type": "query", "query": {"source-query": {"native": "select 1"}}},
    {"database": 1, "type": "query", "query": {"source-table": 1, "joins": [{"source-query": {"native": "select 1"}}]}},
    {"database": 1, "lib/type": "mbql/query", "stages": [{"lib/type": "mbql.stage/native", "native": "select 1"}]},
    {"database": 1, "stages": [{"lib/type": "mbql.stage/mbql", "joins": [{"stages": [{"native": "select 1"}]}]}]},
    {"database": 1, "type": "query", "native": {"query": "select 1"}, "query": {"source-table": 1}},
]


@pytest.mark.parametrize("query", HIDDEN_NATIVE)
def test_sql_hidden_anywhere_in_a_query_is_sql(group: Any, person: Any, query: dict[str, Any]) -> None:
    somebody = person("somebody", group("Somebody", {}, "query-builder"))
    assert told(somebody.post("/api/dataset", json=query)) == FORBIDDEN


def test_a_question_as_a_source_needs_its_own_collection_only(analyst: Any) -> None:
    assert analyst.post("/api/dataset", json=OF_CARD_7).json()["data"]["rows"] == [[24]]
    assert told(analyst.post("/api/dataset", json=OF_CARD_5)) == FORBIDDEN
    both = {**OF_CARD_7, "query": {"source-table": "card__7", "joins": [{"source-table": 1}]}}
    assert told(analyst.post("/api/dataset", json=both)) == FORBIDDEN


def test_another_database_is_not_found(admin: Any) -> None:
    assert told(admin.post("/api/dataset", json={**NATIVE, "database": 2})) == (404, "Not found.")
    assert told(admin.post("/api/dataset", json={**NATIVE, "database": -1337})) == (404, "Not found.")
    assert "database" in admin.post("/api/dataset", json={"type": "native"}).json()["errors"]


WRITES = [
    ("POST", "/api/collection", {"name": "New", "parent_id": 3}),
    ("PUT", "/api/collection/3", {"name": "Mine"}),
    ("POST", "/api/dashboard", {"name": "New", "collection_id": 3}),
    ("PUT", "/api/dashboard/1", {"name": "Mine"}),
    ("PUT", "/api/card/1", {"name": "Mine"}),
    ("DELETE", "/api/card/1", None),
    ("DELETE", "/api/dashboard/1", None),
    ("POST", "/api/card", {"name": "New", "display": "table", "dataset_query": MBQL, "collection_id": 3}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_reading_is_not_writing(group: Any, person: Any, method: str, path: str, body: Any) -> None:
    reader = person("reader", group("Readers", {"3": "read"}, "query-builder"))
    assert told(reader.request(method, path, json=body)) == FORBIDDEN
    writer = person("writer", group("Writers", {"3": "write"}, "query-builder"))
    assert writer.request(method, path, json=body).status_code in (200, 204)


def test_moving_needs_both_places(admin: Any, group: Any, person: Any) -> None:
    writer = person("writer", group("Writers", {"3": "write", "4": "read"}))
    for path in ("/api/card/1", "/api/dashboard/1"):
        assert told(writer.put(path, json={"collection_id": 4})) == FORBIDDEN
        assert told(writer.put(path, json={"collection_id": None})) == FORBIDDEN
    assert told(writer.put("/api/collection/3", json={"parent_id": 4})) == FORBIDDEN


def test_a_writer_cannot_save_a_query_that_they_may_not_make(group: Any, person: Any) -> None:
    writer = person("writer", group("Writers", {"3": "write"}, "query-builder"))
    new = {"name": "New", "display": "table", "collection_id": 3}
    assert told(writer.post("/api/card", json={**new, "dataset_query": NATIVE})) == FORBIDDEN
    assert told(writer.post("/api/card", json={**new, "dataset_query": OF_CARD_5})) == FORBIDDEN
    assert told(writer.put("/api/card/7", json={"dataset_query": NATIVE})) == FORBIDDEN


def test_a_card_put_on_a_dashboard_must_be_readable(group: Any, person: Any) -> None:
    writer = person("writer", group("Writers", {"3": "write"}))
    place = {"id": -1, "row": 0, "col": 0, "size_x": 4, "size_y": 4}
    assert told(writer.put("/api/dashboard/1", json={"dashcards": [{**place, "card_id": 5}]})) == FORBIDDEN


def test_permissions_of_groups_add_up(admin: Any, group: Any, person: Any) -> None:
    one, two = group("One", {"3": "read"}), group("Two", {"5": "read"}, "query-builder")
    both = person("both", one, two)
    assert [both.get(f"/api/dashboard/{n}").status_code for n in (1, 2, 3)] == [200, 403, 200]
    assert both.post("/api/dataset", json=MBQL).status_code == 202


def test_a_personal_collection_is_its_owners(admin: Any, person: Any) -> None:
    one, two = person("one"), person("two")
    mine = one.get("/api/user/current").json()["personal_collection_id"]
    inside = one.post("/api/collection", json={"name": "Drafts", "parent_id": mine}).json()["id"]
    made = one.post("/api/dashboard", json={"name": "Draft", "collection_id": inside}).json()["id"]
    assert one.get(f"/api/dashboard/{made}").status_code == 200
    assert admin.get(f"/api/dashboard/{made}").status_code == 200
    for path in (f"/api/collection/{mine}", f"/api/collection/{inside}", f"/api/dashboard/{made}"):
        assert told(two.get(path)) == FORBIDDEN
    assert str(inside) not in admin.get("/api/collection/graph").json()["groups"]["1"]


def test_a_change_of_the_graph_takes_effect_at_once(admin: Any, analyst: Any) -> None:
    graph = admin.get("/api/collection/graph").json()
    number = next(str(g["id"]) for g in admin.get("/api/permissions/group").json() if g["name"] == "Analysts")
    admin.put(
        "/api/collection/graph", json={"revision": graph["revision"], "groups": {number: {"3": "none", "5": "read"}}}
    )
    assert [analyst.get(f"/api/dashboard/{n}").status_code for n in (1, 3)] == [403, 200]
