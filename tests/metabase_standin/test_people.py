"""People, groups and API keys, as administrators manage them."""

from __future__ import annotations

from typing import Any

import pytest

World = Any


def test_a_new_person_is_in_all_users_and_cannot_sign_in_yet(world: World, admin: Any) -> None:
    body = {"email": "New@Acme.test", "first_name": "New", "last_name": "Person", "password": "correct-horse-7"}
    made = admin.post("/api/user", json=body)
    assert made.status_code == 200
    assert made.json()["email"] == "new@acme.test"
    assert made.json()["user_group_memberships"] == [{"id": 1}]
    assert made.json()["common_name"] == "New Person"
    refused = world.client().post("/api/session", json={"username": "new@acme.test", "password": "correct-horse-7"})
    assert refused.status_code == 401


def test_an_address_is_taken_once_in_any_case(admin: Any) -> None:
    answer = admin.post("/api/user", json={"email": "ADMIN@acme.test"})
    assert (answer.status_code, answer.json()) == (400, {"errors": {"email": "Email address already in use."}})
    other = admin.post("/api/user", json={"email": "other@acme.test"}).json()["id"]
    moved = admin.put(f"/api/user/{other}", json={"email": "admin@acme.test"})
    assert moved.json()["errors"]["email"] == "Email address already associated to another user."


@pytest.mark.parametrize("email", [None, "", "nobody", "a b@c.de", 7])
def test_an_address_must_be_one(admin: Any, email: Any) -> None:
    answer = admin.post("/api/user", json={"email": email})
    assert answer.json()["errors"] == {"email": "value must be a valid email address."}


def test_groups_of_a_person_are_a_full_list(admin: Any, group: Any, person: Any) -> None:
    one, two = group("One"), group("Two")
    number = person("analyst", one).get("/api/user/current").json()["id"]
    path = f"/api/user/{number}"
    changed = admin.put(path, json={"user_group_memberships": [{"id": 1}, {"id": two}]})
    assert changed.json()["user_group_memberships"] == [{"id": 1}, {"id": two}]
    without = admin.put(path, json={"user_group_memberships": [{"id": two}]})
    assert (without.status_code, "All Users" in without.text) == (400, True)
    unknown = admin.put(path, json={"user_group_memberships": [{"id": 1}, {"id": 99}]})
    assert unknown.status_code == 400
    assert admin.get(path).json()["user_group_memberships"] == [{"id": 1}, {"id": two}]


def test_the_administrators_group_makes_an_administrator(admin: Any, person: Any) -> None:
    other = person("other")
    number = other.get("/api/user/current").json()["id"]
    assert other.get("/api/user").status_code == 403
    admin.put(f"/api/user/{number}", json={"user_group_memberships": [{"id": 1}, {"id": 2}]})
    assert other.get("/api/user").status_code == 200
    admin.put(f"/api/user/{number}", json={"is_superuser": False})
    assert other.get("/api/user").status_code == 403


def test_the_last_administrator_stays(admin: Any) -> None:
    answer = admin.put("/api/user/1", json={"user_group_memberships": [{"id": 1}]})
    assert (answer.status_code, "last member" in answer.text) == (400, True)
    assert admin.delete("/api/user/1").status_code == 400
    assert admin.get("/api/user/current").json()["is_superuser"] is True


def test_a_deactivated_person_is_out_until_they_are_reactivated(world: World, admin: Any, person: Any) -> None:
    analyst = person("analyst")
    number = analyst.get("/api/user/current").json()["id"]
    assert admin.delete(f"/api/user/{number}").json() == {"success": True}
    assert analyst.get("/api/user/current").status_code == 401
    body = {"username": "analyst@acme.test", "password": "correct-horse-7"}
    refused = world.client().post("/api/session", json=body)
    assert (refused.status_code, refused.json()) == (401, {"errors": {"_error": "Your account is disabled."}})
    assert admin.put(f"/api/user/{number}", json={"first_name": "X"}).status_code == 404
    assert admin.get(f"/api/user/{number}").json()["is_active"] is False
    assert admin.put(f"/api/user/{number}/reactivate").json()["is_active"] is True
    again = admin.put(f"/api/user/{number}/reactivate")
    assert (again.status_code, again.json()["message"]) == (400, "Not able to reactivate an active user")
    assert analyst.get("/api/user/current").status_code == 401
    assert world.sign_in("analyst@acme.test").get("/api/user/current").status_code == 200


def test_the_list_of_people_is_filtered_and_paged(admin: Any, person: Any) -> None:
    for name in ("anna", "bert", "carl"):
        person(name)
    admin.delete(f"/api/user/{admin.get('/api/user?query=bert').json()['data'][0]['id']}")

    def names(query: str) -> list[str]:
        return [u["email"].split("@")[0] for u in admin.get(f"/api/user?{query}").json()["data"]]

    assert names("") == ["admin", "anna", "carl"]
    assert names("status=deactivated") == ["bert"]
    assert names("status=all") == names("include_deactivated=true") == ["admin", "anna", "bert", "carl"]
    assert names("query=CARL") == ["carl"]
    assert names("query=ada%20admin") == ["admin"]
    assert names("group_id=2") == ["admin"]
    page = admin.get("/api/user?limit=1&offset=1").json()
    assert [page[k] for k in ("total", "limit", "offset")] == [3, 1, 1]
    assert page["data"][0]["email"] == "anna@acme.test"
    assert page["data"][0]["group_ids"] == [1]
    assert admin.get("/api/user?limit=x").status_code == 400


def test_people_see_themselves_and_nobody_else(person: Any) -> None:
    analyst = person("analyst")
    number = analyst.get("/api/user/current").json()["id"]
    assert analyst.get(f"/api/user/{number}").json()["email"] == "analyst@acme.test"
    for method, path in (("GET", "/api/user/1"), ("PUT", "/api/user/1"), ("DELETE", "/api/user/1")):
        answer = analyst.request(method, path, json={})
        assert (answer.status_code, answer.text) == (403, "You don't have permissions to do that."), path
    assert (
        analyst.put(f"/api/user/{number}", json={"user_group_memberships": [{"id": 1}, {"id": 2}]}).status_code == 403
    )
    promoted = analyst.put(f"/api/user/{number}", json={"is_superuser": True})
    assert promoted.json()["is_superuser"] is False


def test_login_attributes_are_a_whole_and_for_administrators(admin: Any, person: Any) -> None:
    """At creation and later; what is sent takes the place of what was there, and people can't change their own."""
    made = admin.post("/api/user", json={"email": "new@acme.test", "login_attributes": {"team": "sales"}}).json()
    assert made["login_attributes"] == {"team": "sales"}
    path = f"/api/user/{made['id']}"
    assert admin.put(path, json={"first_name": "New"}).json()["login_attributes"] == {"team": "sales"}
    assert admin.put(path, json={"login_attributes": {"unit": "1"}}).json()["login_attributes"] == {"unit": "1"}
    assert admin.get(path).json()["login_attributes"] == {"unit": "1"}
    analyst = person("analyst")
    own = f"/api/user/{analyst.get('/api/user/current').json()['id']}"
    assert analyst.put(own, json={"login_attributes": {"team": "board"}}).json()["login_attributes"] is None
    for wrong in ("sales", ["sales"], 7):
        refused = admin.put(path, json={"login_attributes": wrong})
        assert (refused.status_code, "login_attributes" in refused.json()["errors"]) == (400, True)
    assert admin.get(path).json()["login_attributes"] == {"unit": "1"}


ADMIN_ONLY = [
    ("GET", "/api/permissions/group"),
    ("POST", "/api/permissions/group"),
    ("GET", "/api/permissions/membership"),
    ("GET", "/api/permissions/graph"),
    ("PUT", "/api/permissions/graph"),
    ("GET", "/api/collection/graph"),
    ("PUT", "/api/collection/graph"),
    ("GET", "/api/api-key"),
    ("POST", "/api/api-key"),
    ("GET", "/api/setting"),
    ("PUT", "/api/setting/site-name"),
    ("POST", "/api/user"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN_ONLY)
def test_administration_is_for_administrators(world: World, person: Any, method: str, path: str) -> None:
    assert world.client().request(method, path, json={}).status_code == 401
    assert person("analyst").request(method, path, json={}).status_code == 403


def test_groups_are_made_renamed_listed_and_removed(admin: Any) -> None:
    made = admin.post("/api/permissions/group", json={"name": "Analysts"}).json()
    assert (made["name"], made["magic_group_type"]) == ("Analysts", None)
    again = admin.post("/api/permissions/group", json={"name": "analysts"})
    assert (again.status_code, again.text) == (400, "A group with that name already exists.")
    path = f"/api/permissions/group/{made['id']}"
    assert admin.put(path, json={"name": "Sales analysts"}).json()["name"] == "Sales analysts"
    listed = {g["id"]: (g["name"], g["member_count"]) for g in admin.get("/api/permissions/group").json()}
    assert listed == {1: ("All Users", 1), 2: ("Administrators", 1), made["id"]: ("Sales analysts", 0)}
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404
    assert admin.delete("/api/permissions/group/1").status_code == 400
    assert admin.put("/api/permissions/group/2", json={"name": "X"}).status_code == 400


def test_memberships_come_and_go_one_by_one(admin: Any, group: Any, person: Any) -> None:
    number = group("Analysts")
    who = person("analyst").get("/api/user/current").json()["id"]
    members = admin.post("/api/permissions/membership", json={"group_id": number, "user_id": who}).json()
    assert [(m["user_id"], m["email"]) for m in members] == [(who, "analyst@acme.test")]
    assert admin.get(f"/api/permissions/group/{number}").json()["members"] == members
    entries = admin.get("/api/permissions/membership").json()[str(who)]
    assert {e["group_id"] for e in entries} == {1, number}
    assert admin.delete(f"/api/permissions/membership/{members[0]['membership_id']}").status_code == 204
    assert admin.get(f"/api/user/{who}").json()["user_group_memberships"] == [{"id": 1}]
    everybody = next(e["membership_id"] for e in entries if e["group_id"] == 1)
    assert admin.delete(f"/api/permissions/membership/{everybody}").status_code == 400
    assert admin.post("/api/permissions/membership", json={"group_id": number, "user_id": 99}).status_code == 404


def test_a_key_is_shown_once_works_until_it_changes_and_is_a_user_of_one_group(world: World, admin: Any) -> None:
    made = admin.post("/api/api-key", json={"name": "bot", "group_id": 2}).json()
    key = made["unmasked_key"]
    assert key.startswith("mb_")
    assert (made["group"], made["masked_key"][:7]) == ({"id": 2, "name": "Administrators"}, key[:7])
    bot = world.client(x_api_key=key)
    assert bot.get("/api/user/current").json()["is_superuser"] is True
    listed = admin.get("/api/api-key").json()
    assert [k["name"] for k in listed] == ["bot"]
    assert "unmasked_key" not in listed[0]
    assert admin.get("/api/api-key/count").json() == 1
    assert "bot" not in str(admin.get("/api/user?status=all").json())
    path = f"/api/api-key/{made['id']}"
    newer = admin.put(f"{path}/regenerate").json()["unmasked_key"]
    assert bot.get("/api/user/current").status_code == 401
    bot = world.client(x_api_key=newer)
    assert admin.put(path, json={"group_id": 1, "name": "reader"}).json()["group"]["id"] == 1
    assert bot.get("/api/user").status_code == 403
    assert admin.delete(path).status_code == 204
    assert bot.get("/api/user/current").status_code == 401
    assert admin.delete(path).status_code == 404


def test_a_key_needs_a_name_of_its_own_and_a_group_that_exists(admin: Any) -> None:
    admin.post("/api/api-key", json={"name": "bot", "group_id": 2})
    twice = admin.post("/api/api-key", json={"name": "bot", "group_id": 2})
    assert twice.json()["errors"] == {"name": "An API key with this name already exists."}
    assert "group_id" in admin.post("/api/api-key", json={"name": "b", "group_id": 77}).json()["errors"]
    assert "group_id" in admin.post("/api/api-key", json={"name": "b"}).json()["errors"]
    assert "name" in admin.post("/api/api-key", json={"group_id": 2}).json()["errors"]


def test_a_wrong_key_is_nobody(world: World, admin: Any) -> None:
    key = admin.post("/api/api-key", json={"name": "bot", "group_id": 2}).json()["unmasked_key"]
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), key[:7], "mb_", "x" * 50):
        assert world.client(x_api_key=wrong).get("/api/user/current").status_code == 401, wrong


def test_settings_are_read_set_and_unknown_ones_are_loud(admin: Any) -> None:
    assert admin.get("/api/setting/site-name").text == "Acme BI"
    assert admin.put("/api/setting/site-name", json={"value": "Acme"}).status_code == 204
    assert admin.get("/api/session/properties").json()["site-name"] == "Acme"
    assert (
        admin.put("/api/setting", json={"enable-public-sharing": False, "site-url": "https://a.test"}).status_code
        == 204
    )
    keys = {s["key"]: s["value"] for s in admin.get("/api/setting").json()}
    assert (keys["enable-public-sharing"], keys["site-url"]) == (False, "https://a.test")
    assert admin.put("/api/setting/site-name", json={"value": 7}).status_code == 400
    unknown = admin.put("/api/setting/no-such-setting", json={"value": 1})
    assert (unknown.status_code, "no-such-setting" in unknown.text) == (500, True)
