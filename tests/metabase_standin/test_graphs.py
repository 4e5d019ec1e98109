"""The permission graphs: revisions, what open source refuses, what a new collection begins with."""

from __future__ import annotations

from typing import Any

import pytest

CONFLICT = "Looks like someone else edited the permissions and your data is out of date."


@pytest.mark.parametrize("path", ["/api/collection/graph", "/api/permissions/graph"])
def test_a_stale_revision_changes_nothing(admin: Any, path: str) -> None:
    graph = admin.get(path).json()
    level: Any = "none" if "collection" in path else {"create-queries": "no"}
    target = "3" if "collection" in path else "1"
    put = {"revision": graph["revision"], "groups": {"1": {target: level}}}
    first = admin.put(path, json=put)
    assert first.json()["revision"] == graph["revision"] + 1
    wide: Any = "write" if "collection" in path else {"create-queries": "query-builder-and-native"}
    for revision in (graph["revision"], graph["revision"] + 5, None):
        stale = admin.put(path, json={"revision": revision, "groups": {"1": {target: wide}}})
        assert (stale.status_code, stale.text.startswith(CONFLICT)) == (409, True), revision
    now = admin.get(path).json()
    assert now["revision"] == graph["revision"] + 1
    assert now["groups"]["1"][target] != wide


def test_all_users_starts_wide_and_a_new_group_with_nothing(admin: Any) -> None:
    number = str(admin.post("/api/permissions/group", json={"name": "New"}).json()["id"])
    collections = admin.get("/api/collection/graph").json()["groups"]
    assert collections["1"] == collections["2"] == {"root": "write", "3": "write", "4": "write", "5": "write"}
    assert set(collections[number].values()) == {"none"}
    data = admin.get("/api/permissions/graph").json()["groups"]
    assert data["1"]["1"]["create-queries"] == "query-builder-and-native"
    assert data[number]["1"]["create-queries"] == "no"
    assert data["2"]["1"]["details"] == "yes"


def test_what_is_not_named_stays(admin: Any) -> None:
    graph = admin.get("/api/collection/graph").json()
    after = admin.put(
        "/api/collection/graph", json={"revision": graph["revision"], "groups": {"1": {"5": "none"}}}
    ).json()
    assert after["groups"]["1"] == {"root": "write", "3": "write", "4": "write", "5": "none"}


def test_the_graph_may_be_left_out_of_the_answer(admin: Any) -> None:
    put = {"revision": 0, "groups": {"1": {"5": "none"}}}
    assert admin.put("/api/collection/graph?skip-graph=true", json=put).json() == {"revision": 1}
    data = {"revision": 0, "groups": {"1": {"1": {"create-queries": "no"}}}}
    assert admin.put("/api/permissions/graph?skip-graph=true", json=data).json() == {"revision": 1}


def test_force_needs_no_revision(admin: Any) -> None:
    put = {"groups": {"1": {"5": "none"}}}
    assert admin.put("/api/collection/graph", json=put).status_code == 409
    assert admin.put("/api/collection/graph?force=true", json=put).status_code == 200


@pytest.mark.parametrize(
    "groups",
    [{"1": {"3": "own"}}, {"1": {"99": "read"}}, {"99": {"3": "read"}}, {"1": {"2": "read"}}, {"1": "read"}, None],
)
def test_a_wrong_collection_graph_is_400_and_changes_nothing(admin: Any, groups: Any) -> None:
    before = admin.get("/api/collection/graph").json()
    assert admin.put("/api/collection/graph", json={"revision": 0, "groups": groups}).status_code == 400
    assert admin.get("/api/collection/graph").json() == before


def test_one_wrong_entry_undoes_the_whole_put(admin: Any) -> None:
    put = {"revision": 0, "groups": {"1": {"3": "none", "4": "own"}}}
    assert admin.put("/api/collection/graph", json=put).status_code == 400
    assert admin.get("/api/collection/graph").json()["groups"]["1"]["3"] == "write"


def test_administrators_cannot_be_changed(admin: Any) -> None:
    refused = admin.put("/api/collection/graph", json={"revision": 0, "groups": {"2": {"3": "read"}}})
    assert (refused.status_code, "'Admin' group" in refused.text) == (400, True)
    data = {"revision": 0, "groups": {"2": {"1": {"create-queries": "no"}}}}
    assert admin.put("/api/permissions/graph", json=data).status_code == 400


def test_a_data_graph_goes_back_as_it_came(admin: Any) -> None:
    graph = admin.get("/api/permissions/graph").json()
    after = admin.put("/api/permissions/graph", json=graph)
    assert after.status_code == 200
    assert after.json()["groups"] == graph["groups"]


@pytest.mark.parametrize(
    "entry",
    [
        {"view-data": "blocked"},
        {"download": {"schemas": "none"}},
        {"details": "yes"},
        {"data-model": {"schemas": "all"}},
    ],
)
def test_what_open_source_lacks_is_402(admin: Any, entry: dict[str, Any]) -> None:
    put = {"revision": 0, "groups": {"1": {"1": {"create-queries": "no", **entry}}}}
    answer = admin.put("/api/permissions/graph", json=put)
    assert (answer.status_code, "paid feature" in answer.text) == (402, True)
    assert admin.get("/api/permissions/graph").json()["groups"]["1"]["1"]["create-queries"] != "no"
    assert admin.put("/api/permissions/graph", json={**put, "sandboxes": [{}]}).status_code == 402


@pytest.mark.parametrize("level", ["all", None, 1, {"PUBLIC": "query-builder"}])
def test_a_wrong_create_queries_is_400(admin: Any, level: Any) -> None:
    put = {"revision": 0, "groups": {"1": {"1": {"create-queries": level}}}}
    assert admin.put("/api/permissions/graph", json=put).status_code == 400


def test_parts_of_the_data_graph(admin: Any) -> None:
    whole = admin.get("/api/permissions/graph").json()
    assert admin.get("/api/permissions/graph/group/1").json()["groups"] == {"1": whole["groups"]["1"]}
    assert admin.get("/api/permissions/graph/db/1").json() == whole


def test_a_new_collection_begins_with_its_parents_permissions(admin: Any, group: Any) -> None:
    number = str(group("Analysts", {"3": "read", "root": "none"}))
    inside = admin.post("/api/collection", json={"name": "Inside", "parent_id": 3}).json()["id"]
    beside = admin.post("/api/collection", json={"name": "Beside"}).json()["id"]
    levels = admin.get("/api/collection/graph").json()["groups"][number]
    assert (levels[str(inside)], levels[str(beside)]) == ("read", "none")


def test_a_deleted_group_leaves_no_permissions(admin: Any, group: Any) -> None:
    number = group("Analysts", {"3": "read"}, "query-builder")
    admin.delete(f"/api/permissions/group/{number}")
    assert str(number) not in admin.get("/api/collection/graph").json()["groups"]
    assert str(number) not in admin.get("/api/permissions/graph").json()["groups"]
