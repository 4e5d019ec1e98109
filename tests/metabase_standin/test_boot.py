"""From an empty folder to an instance with an administrator and the sample content; and back after a restart."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

TOKEN = "0a1b2c3d-0000-4000-8000-00000000abcd"
USER = {"email": "Admin@Acme.test", "password": "correct-horse-7", "first_name": "Ada", "last_name": None}
BODY: dict[str, Any] = {"token": TOKEN, "user": USER, "prefs": {"site_name": "Acme BI"}}
World = Any


def test_a_booting_instance_says_so_and_then_is_healthy(tmp_path: Path, world: World) -> None:
    booting = type(world)(tmp_path / "booting", boot_seconds=10.0)
    client = booting.client()
    booting.clock.now += 4
    health = client.get("/api/health")
    assert (health.status_code, health.json()) == (503, {"status": "initializing", "progress": 0.4})
    other = client.get("/api/session/properties")
    assert (other.status_code, other.headers["content-type"].split(";")[0]) == (503, "text/plain")
    assert "initializing" in other.text
    booting.clock.now += 6
    assert client.get("/api/health").json() == {"status": "ok"}
    assert client.get("/api/session/properties").status_code == 200
    booting.close()


def test_the_setup_token_is_told_only_until_somebody_is_set_up(fresh: World) -> None:
    before = fresh.client().get("/api/session/properties").json()
    assert (before["has-user-setup"], before["setup-token"]) == (False, TOKEN)
    assert before["version"]["tag"].startswith("v0.58")
    assert set(before["token-features"].values()) == {False}
    fresh.set_up()
    after = fresh.client().get("/api/session/properties").json()
    assert (after["has-user-setup"], after["setup-token"], after["site-name"]) == (True, None, "Acme BI")


def test_setup_answers_a_session_that_works_by_cookie_too(fresh: World) -> None:
    client = fresh.client()
    answer = client.post("/api/setup", json=BODY)
    assert set(answer.json()) == {"id"}
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("metabase.SESSION="))
    assert "HttpOnly" in cookie
    me = client.get("/api/user/current").json()
    assert (me["id"], me["email"], me["is_superuser"], me["group_ids"]) == (1, "admin@acme.test", True, [1, 2])
    assert me["personal_collection_id"] == 2


def test_setup_is_refused_a_second_time_even_with_the_token(fresh: World) -> None:
    fresh.set_up()
    again = fresh.client().post("/api/setup", json=BODY)
    assert again.status_code == 403
    assert "can only be used to create the first user" in again.text
    assert len(fresh.sign_in("admin@acme.test").get("/api/user?status=all").json()["data"]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"token": "wrong"}, "token"),
        ({"user": {**USER, "email": "nobody"}}, "email"),
        ({"user": {**USER, "password": "short1"}}, "password"),
        ({"user": {**USER, "password": "no-digit-in-here"}}, "password"),
        ({"prefs": {}}, "site_name"),
        ({"prefs": None}, "prefs"),
    ],
)
def test_a_wrong_setup_names_the_field_and_makes_nobody(fresh: World, change: dict[str, Any], field: str) -> None:
    answer = fresh.client().post("/api/setup", json={**BODY, **change})
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert fresh.client().get("/api/session/properties").json()["has-user-setup"] is False


def test_the_first_boot_makes_the_sample_content(world: World, admin: Any) -> None:
    collections = {c["id"]: c["name"] for c in admin.get("/api/collection").json()}
    assert {3: "Sales", 4: "Product", 5: "Leadership"}.items() <= collections.items()
    assert collections[1] == "Trash"
    dashboards = {d["id"]: (d["name"], d["collection_id"]) for d in admin.get("/api/dashboard").json()}
    assert dashboards == {1: ("Sales overview", 3), 2: ("Product health", 4), 3: ("Board numbers", 5)}
    placed = {n: [dc["card_id"] for dc in admin.get(f"/api/dashboard/{n}").json()["dashcards"]] for n in (1, 2, 3)}
    assert placed == {1: [1, 2], 2: [3, 4], 3: [5, 6]}
    cards = admin.get("/api/card").json()
    assert [c["id"] for c in cards] == [1, 2, 3, 4, 5, 6, 7]
    assert {c["display"] for c in cards} == {"bar", "line", "table", "scalar", "pie"}
    assert (cards[6]["name"], cards[6]["collection_id"]) == ("Orders by month", 3)


def test_entity_ids_are_fixed_and_of_21_characters(fresh: World, admin: Any) -> None:
    other = fresh.set_up()
    paths = [f"/api/card/{n}" for n in range(1, 8)] + [f"/api/dashboard/{n}" for n in (1, 2, 3)]
    paths += [f"/api/collection/{n}" for n in (3, 4, 5)]
    ids = [[c.get(path).json()["entity_id"] for path in paths] for c in (admin, other)]
    assert ids[0] == ids[1]
    assert all(len(i) == 21 for i in ids[0])
    assert len(set(ids[0])) == len(paths)


@pytest.mark.parametrize("number", range(1, 8))
def test_every_sample_question_answers_rows(admin: Any, number: int) -> None:
    answer = admin.post(f"/api/card/{number}/query").json()
    assert answer["status"] == "completed", answer
    assert answer["row_count"] == len(answer["data"]["rows"]) > 0


def test_the_sample_database_is_the_same_everywhere(fresh: World, world: World) -> None:
    assert (fresh.folder / "sample.sqlite").read_bytes() == (world.folder / "sample.sqlite").read_bytes()


def test_a_restart_keeps_people_sessions_and_permissions(world: World, admin: Any, group: Any, person: Any) -> None:
    number = group("Analysts", {"3": "read"})
    analyst = person("analyst", number)
    headers = dict(analyst.headers)
    world.close()
    world.open()
    again = world.client(x_metabase_session=headers["x-metabase-session"])
    assert again.get("/api/user/current").json()["group_ids"] == [1, number]
    assert again.get("/api/dashboard/1").status_code == 200
    assert again.get("/api/dashboard/3").status_code == 403
    assert world.sign_in("admin@acme.test").get("/api/collection/graph").json()["revision"] == 1


def test_what_is_stored_is_private(world: World) -> None:
    world.client().get("/api/nothing")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in world.folder.iterdir()}
    assert {"metabase.sqlite", "sample.sqlite", "requests.ndjson", "unknown.ndjson"} <= set(modes)
    assert not [name for name, mode in modes.items() if mode & 0o077], modes


def test_no_session_key_or_password_is_stored_in_clear(world: World, admin: Any) -> None:
    key = admin.post("/api/api-key", json={"name": "k", "group_id": 2}).json()["unmasked_key"]
    secrets = (admin.headers["x-metabase-session"], "correct-horse-7", key)
    stored = b"".join(p.read_bytes() for p in world.folder.iterdir())
    assert not [secret for secret in secrets if secret.encode() in stored]
