"""Collections, dashboards, cards, search, bookmarks and what was looked at."""

from __future__ import annotations

from typing import Any

COUNT = {"database": 1, "type": "query", "query": {"source-table": 3, "aggregation": [["count"]]}}


def test_collections_nest_move_and_are_archived_with_what_is_in_them(admin: Any) -> None:
    top = admin.post("/api/collection", json={"name": "Top Level", "description": "d"}).json()
    assert (top["slug"], top["location"], top["parent_id"], top["can_write"]) == ("top_level", "/", None, True)
    inner = admin.post("/api/collection", json={"name": "Inner", "parent_id": top["id"]}).json()
    leaf = admin.post("/api/collection", json={"name": "Leaf", "parent_id": inner["id"]}).json()
    assert leaf["location"] == f"/{top['id']}/{inner['id']}/"
    assert [a["name"] for a in leaf["effective_ancestors"]] == ["Our analytics", "Top Level", "Inner"]
    moved = admin.put(f"/api/collection/{inner['id']}", json={"parent_id": 3}).json()
    assert moved["location"] == "/3/"
    assert admin.get(f"/api/collection/{leaf['id']}").json()["location"] == f"/3/{inner['id']}/"
    assert admin.put("/api/collection/3", json={"parent_id": leaf["id"]}).status_code == 400
    card = {"name": "C", "display": "scalar", "dataset_query": COUNT, "collection_id": leaf["id"]}
    number = admin.post("/api/card", json=card).json()["id"]
    admin.put(f"/api/collection/{inner['id']}", json={"archived": True})
    assert admin.get(f"/api/card/{number}").json()["archived"] is True
    assert {"Inner", "Leaf"} <= {i["name"] for i in admin.get("/api/collection/trash/items").json()["data"]}
    tree = {n["name"]: n for n in admin.get("/api/collection/tree").json()}
    assert tree["Sales"]["children"] == []


def test_the_tree_is_nested_and_skips_what_cannot_be_read(admin: Any, group: Any, person: Any) -> None:
    inner = admin.post("/api/collection", json={"name": "Inner", "parent_id": 5}).json()["id"]
    tree = {n["name"]: n for n in admin.get("/api/collection/tree").json()}
    assert [c["name"] for c in tree["Leadership"]["children"]] == ["Inner"]
    assert tree["Leadership"]["here"] == ["card"]
    reader = person("reader", group("Readers", {str(inner): "read"}))
    assert [n["name"] for n in reader.get("/api/collection/tree?exclude-archived=true").json()] == ["Inner"]
    assert [i["name"] for i in reader.get("/api/collection/root/items?models=collection").json()["data"]] == ["Inner"]


def test_items_are_filtered_and_paged(admin: Any) -> None:
    items = admin.get("/api/collection/3/items").json()
    assert [(i["model"], i["id"]) for i in items["data"]] == [("dashboard", 1), ("card", 1), ("card", 2), ("card", 7)]
    assert [i["id"] for i in admin.get("/api/collection/3/items?models=card").json()["data"]] == [1, 2, 7]
    page = admin.get("/api/collection/3/items?limit=2&offset=1").json()
    assert (page["total"], [i["id"] for i in page["data"]]) == (4, [1, 2])


def test_a_card_is_made_shown_changed_run_and_removed(admin: Any) -> None:
    new = {
        "name": "Products",
        "display": "scalar",
        "dataset_query": COUNT,
        "collection_id": 4,
        "visualization_settings": {},
    }
    card = admin.post("/api/card", json=new).json()
    assert (card["id"], card["type"], card["query_type"], card["table_id"]) == (8, "question", "query", 3)
    assert len(card["entity_id"]) == 21
    path = f"/api/card/{card['entity_id']}"
    assert admin.post(f"{path}/query").json()["data"]["rows"] == [[48]]
    changed = admin.put(path, json={"name": "All products", "display": "table", "id": 99}).json()
    assert (changed["id"], changed["name"], changed["display"], changed["collection_id"]) == (
        8,
        "All products",
        "table",
        4,
    )
    assert admin.put(path, json={"display": "hologram"}).status_code == 400
    assert admin.put(path, json={"type": "model"}).status_code == 400
    admin.put(path, json={"archived": True})
    assert 8 not in [c["id"] for c in admin.get("/api/card").json()]
    assert [c["id"] for c in admin.get("/api/card?f=archived").json()] == [8]
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404


def test_a_dashboard_is_made_and_its_cards_are_a_full_list(admin: Any) -> None:
    made = admin.post("/api/dashboard", json={"name": "Mine", "collection_id": 3}).json()
    path, place = f"/api/dashboard/{made['id']}", {"row": 0, "col": 0, "size_x": 8, "size_y": 4}
    cards = [{"id": -1, "card_id": 7, **place}, {"id": -2, "card_id": None, **place}]
    saved = admin.put(path, json={"dashcards": cards, "name": "Ours"}).json()
    numbers = [dc["id"] for dc in saved["dashcards"]]
    assert numbers == [7, 8]
    assert saved["name"] == "Ours"
    assert admin.post(f"{path}/dashcard/7/card/7/query").json()["row_count"] == 24
    kept = admin.put(path, json={"dashcards": [{**saved["dashcards"][0], "size_x": 24}]}).json()
    assert [(dc["id"], dc["size_x"]) for dc in kept["dashcards"]] == [(7, 24)]
    assert admin.put(path, json={"dashcards": [{"id": 1, "card_id": 1, **place}]}).status_code == 400
    assert admin.put(path, json={"dashcards": [{"id": -1, "card_id": 99, **place}]}).status_code == 404
    assert [dc["id"] for dc in admin.get(path).json()["dashcards"]] == [7]


def test_a_filter_of_a_dashboard_has_values_and_filters(admin: Any) -> None:
    shown = admin.get("/api/dashboard/1").json()
    [parameter] = shown["parameters"]
    key = parameter["id"]
    assert shown["param_fields"] == {key: [43]}
    values = admin.get(f"/api/dashboard/1/params/{key}/values").json()
    assert values == {"values": [["Doohickey"], ["Gadget"], ["Gizmo"], ["Widget"]], "has_more_values": False}
    assert admin.get(f"/api/dashboard/1/params/{key}/search/giz").json()["values"] == [["Gizmo"]]
    assert admin.get("/api/dashboard/1/params/nope/values").status_code == 404
    run = "/api/dashboard/1/dashcard/2/card/2/query"
    chosen = admin.post(run, json={"parameters": [{"id": key, "value": ["Gizmo", "Gadget"]}]}).json()
    assert {row[0] for row in chosen["data"]["rows"]} == {"Gizmo", "Gadget"}
    assert len(admin.post(run, json={"parameters": [{"id": key, "value": None}]}).json()["data"]["rows"]) == 4
    forged = {"id": key, "value": ["Gizmo"], "type": "number/>=", "target": ["dimension", ["field", 6, None]]}
    assert [r[0] for r in admin.post(run, json={"parameters": [forged]}).json()["data"]["rows"]] == ["Gizmo"]
    assert admin.post(run, json={"parameters": [{"id": "nope", "value": 1}]}).status_code == 404


def test_query_metadata_has_what_drawing_needs(admin: Any) -> None:
    for path in ("/api/dashboard/1/query_metadata", "/api/card/1/query_metadata"):
        found = admin.get(path).json()
        assert [t["name"] for t in found["tables"]] == ["orders", "people", "products"]
        assert found["databases"][0]["id"] == 1
    assert admin.post("/api/dataset/query_metadata", json=COUNT).json()["tables"]


def test_search_finds_words_in_names_and_descriptions(admin: Any) -> None:
    def found(query: str) -> set[tuple[str, Any]]:
        return {(i["model"], i["id"]) for i in admin.get(f"/api/search?{query}").json()["data"]}

    assert found("q=revenue%20MONTH") == {("card", 1)}
    assert found("q=board") == {("dashboard", 3)}
    assert found("q=sales&models=collection") == {("collection", 3)}
    assert found("models=table") == {("table", 1), ("table", 2), ("table", 3)}
    assert found("models=metric") == set()
    assert admin.get("/api/search?models=spaceship").status_code == 400
    page = admin.get("/api/search?models=card&limit=2&offset=2").json()
    assert (page["total"], [i["id"] for i in page["data"]]) == (7, [3, 4])


def test_bookmarks_are_ones_own(admin: Any, person: Any) -> None:
    other = person("other")
    assert admin.post("/api/bookmark/dashboard/1").status_code == 200
    assert admin.post("/api/bookmark/dashboard/1").status_code == 200
    assert [b["id"] for b in admin.get("/api/bookmark").json()] == ["dashboard-1"]
    assert other.get("/api/bookmark").json() == []
    assert admin.post("/api/bookmark/dashboard/99").status_code == 404
    assert admin.post("/api/bookmark/rocket/1").status_code == 400
    assert admin.delete("/api/bookmark/dashboard/1").status_code == 204
    assert admin.get("/api/bookmark").json() == []


def test_what_was_looked_at_is_remembered_and_only_shown_to_readers(
    world: Any, admin: Any, group: Any, person: Any
) -> None:
    reader = person("reader", group("Readers", {"3": "read"}))
    for client, path in ((admin, "/api/dashboard/3"), (admin, "/api/card/7"), (reader, "/api/dashboard/1")):
        client.get(path)
        world.clock.now += 1
    assert [(i["model"], i["id"]) for i in admin.get("/api/activity/recents").json()["recents"]] == [
        ("card", 7),
        ("dashboard", 3),
    ]
    assert admin.get("/api/activity/recent_views").json()["recent_views"][0]["model_id"] == 7
    assert {(i["model"], i["id"]) for i in reader.get("/api/activity/popular_items").json()["popular_items"]} == {
        ("card", 7),
        ("dashboard", 1),
    }
    assert reader.get("/api/activity/most_recently_viewed_dashboard").json()["id"] == 1
    assert (
        reader.post(
            "/api/activity/recents", json={"model": "dashboard", "model_id": 3, "context": "selection"}
        ).status_code
        == 404
    )
    assert (
        reader.post("/api/activity/recents", json={"model": "card", "model_id": 7, "context": "selection"}).status_code
        == 204
    )
    assert reader.get("/api/activity/recents").json()["recents"][0]["id"] == 7


def test_the_database_is_described(admin: Any) -> None:
    listed = admin.get("/api/database?include=tables").json()
    assert (listed["total"], listed["data"][0]["name"]) == (1, "Sample Database")
    assert [t["name"] for t in listed["data"][0]["tables"]] == ["orders", "people", "products"]
    orders = admin.get("/api/table/1/query_metadata").json()
    product = next(f for f in orders["fields"] if f["name"] == "product_id")
    assert (product["semantic_type"], product["fk_target_field_id"], product["target"]["table_id"]) == (
        "type/FK",
        41,
        3,
    )
    assert admin.get("/api/database/1/metadata").json()["tables"][2]["fields"][2]["name"] == "category"
    assert {f["origin_id"] for f in admin.get("/api/table/3/fks").json()} == {3}
    assert admin.get("/api/field/43").json()["table"]["name"] == "products"
    assert admin.get("/api/field/6/values").json()["values"] == []
    for path in ("/api/database/9", "/api/table/9", "/api/field/999"):
        assert admin.get(path).status_code == 404


def test_a_slash_at_the_end_makes_no_difference(admin: Any) -> None:
    for path in ("/api/user/", "/api/collection/", "/api/dashboard/1/", "/api/search/?q=board"):
        assert admin.get(path).status_code == 200, path
    assert admin.post("/api/dataset/", json=COUNT).status_code == 202
