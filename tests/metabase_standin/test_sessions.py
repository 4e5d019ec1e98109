"""Signing in and out, and which of a request's credentials counts."""

from __future__ import annotations

import math
from typing import Any

import pytest

World = Any
EMAIL, PASSWORD = "admin@acme.test", "correct-horse-7"


def sign_in(client: Any, username: str = EMAIL, password: str = PASSWORD, **headers: str) -> Any:
    return client.post("/api/session", json={"username": username, "password": password}, headers=headers)


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(world: World) -> None:
    client = world.client()
    answer = sign_in(client)
    assert answer.status_code == 200
    cookies = answer.headers.get_list("set-cookie")
    session = next(c for c in cookies if c.startswith("metabase.SESSION="))
    assert answer.json()["id"] in session
    assert {"httponly", "path=/", "samesite=lax"} <= {p.strip().lower() for p in session.split(";")}
    assert "max-age" not in session.lower()
    assert any(c.startswith("metabase.TIMEOUT=alive") for c in cookies)
    assert client.get("/api/user/current").json()["email"] == EMAIL


def test_remembering_makes_the_cookie_last(world: World) -> None:
    body = {"username": EMAIL.upper(), "password": PASSWORD, "remember": True}
    answer = world.client().post("/api/session", json=body)
    assert "max-age=1209600" in answer.headers.get_list("set-cookie")[0].lower()


@pytest.mark.parametrize(("username", "password"), [(EMAIL, "wrong"), ("nobody@acme.test", PASSWORD)])
def test_a_failure_does_not_tell_whether_the_account_exists(world: World, username: str, password: str) -> None:
    answer = sign_in(world.client(), username, password)
    assert answer.status_code == 401
    assert answer.json() == {"errors": {"password": "did not match stored password"}}
    assert "set-cookie" not in answer.headers


def test_missing_fields_are_named_all_at_once(world: World) -> None:
    answer = world.client().post("/api/session", json={"username": " "})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"username", "password"}
    assert set(answer.json()["specific-errors"]) == {"username", "password"}


def test_ten_failures_of_a_name_lock_it_for_an_hour_even_with_the_right_password(world: World) -> None:
    client = world.client()
    for _ in range(10):
        assert "password" in sign_in(client, password="wrong").json()["errors"]
    locked = sign_in(client)
    assert locked.status_code == 401
    assert locked.json()["errors"]["username"].startswith("Too many attempts! You must wait 15 seconds")
    world.clock.now += 3599
    assert sign_in(client).status_code == 401
    world.clock.now += 3601
    assert sign_in(client).status_code == 200


def test_successes_do_not_count(world: World) -> None:
    assert [sign_in(world.client()).status_code for _ in range(12)] == [200] * 12


def test_fifty_failures_of_an_address_lock_that_address_only(world: World) -> None:
    client = world.client()
    for number in range(50):
        sign_in(client, f"nobody{number}@acme.test", "wrong", **{"X-Forwarded-For": "203.0.113.1, 198.51.100.7"})
    assert "Too many" in sign_in(client, **{"X-Forwarded-For": "198.51.100.7"}).text
    assert sign_in(client, **{"X-Forwarded-For": "203.0.113.1"}).status_code == 200


def test_signing_out_ends_the_session_and_forgets_the_cookies(world: World) -> None:
    client = world.client()
    key = sign_in(client).json()["id"]
    out = client.delete("/api/session")
    assert out.status_code == 204
    assert sum("metabase." in c for c in out.headers.get_list("set-cookie")) == 3
    assert world.client(x_metabase_session=key).get("/api/user/current").status_code == 401
    assert world.client().delete("/api/session").status_code == 404
    assert world.client(x_metabase_session=key).delete("/api/session").status_code == 404


def test_a_session_ends_with_its_age(world: World) -> None:
    client = world.sign_in(EMAIL)
    world.clock.now += 20160 * 60 - 1
    assert client.get("/api/user/current").status_code == 200
    world.clock.now += 1
    assert client.get("/api/user/current").status_code == 401


def test_setting_a_password_ends_every_session_of_that_person(world: World, admin: Any, person: Any) -> None:
    analyst = person("analyst")
    number = analyst.get("/api/user/current").json()["id"]
    other = world.sign_in("analyst@acme.test")
    changed = admin.put(f"/api/user/{number}/password", json={"password": "another-horse-8"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert [c.get("/api/user/current").status_code for c in (analyst, other, admin)] == [401, 401, 200]
    assert world.sign_in("analyst@acme.test", "another-horse-8").get("/api/user/current").status_code == 200


def test_ones_own_password_needs_the_old_one_and_gives_a_new_session(world: World, person: Any) -> None:
    analyst = person("analyst")
    number = analyst.get("/api/user/current").json()["id"]
    path, new = f"/api/user/{number}/password", {"password": "another-horse-8"}
    assert analyst.put(path, json=new).json() == {"errors": {"old_password": "Invalid password"}}
    answer = analyst.put(path, json={**new, "old_password": PASSWORD}).json()
    assert answer["success"] is True
    assert world.client(x_metabase_session=answer["session_id"]).get("/api/user/current").json()["id"] == number


def test_the_order_of_credentials_is_cookie_header_key(world: World, admin: Any, person: Any) -> None:
    names = {name: person(name).headers["x-metabase-session"] for name in ("one", "two")}
    key = admin.post("/api/api-key", json={"name": "bot", "group_id": 2}).json()["unmasked_key"]

    def who(**sent: Any) -> Any:
        answer = world.client().get("/api/user/current", **sent)
        return answer.json()["first_name"] if answer.status_code == 200 else answer.status_code

    header = {"X-Metabase-Session": names["two"]}
    assert who(headers={**header, "X-Api-Key": key}) == "Two"
    assert who(headers={**header, "X-Api-Key": key, "Cookie": f"metabase.SESSION={names['one']}"}) == "One"
    assert who(headers={"X-Api-Key": key}) == "bot"
    # A session that is not valid leaves the key, not the other session.
    assert who(headers={**header, "Cookie": "metabase.SESSION=wrong"}) == 401
    assert who(headers={"X-Metabase-Session": "wrong", "X-Api-Key": key}) == "bot"
    embedded = f"metabase.EMBEDDED_SESSION={names['one']}"
    assert who(headers={**header, "Cookie": embedded}) == "Two"
    assert who(headers={**header, "Cookie": embedded, "X-Metabase-Anti-CSRF-Token": "x"}) == 401
    assert who(headers={"Authorization": f"Bearer {key}"}) == 401


def test_without_a_session_the_answer_is_one_word(world: World) -> None:
    answer = world.client().get("/api/user/current")
    assert (answer.status_code, answer.text) == (401, "Unauthenticated")
    assert answer.headers["content-type"].startswith("text/plain")


def test_what_people_reach_before_signing_in_gives_nothing_away(world: World) -> None:
    client = world.client()
    assert client.post("/api/session/forgot_password", json={"email": EMAIL}).status_code == 204
    assert client.post("/api/session/forgot_password", json={"email": "nobody@acme.test"}).status_code == 204
    reset = client.post("/api/session/reset_password", json={"token": "1_x", "password": PASSWORD})
    assert (reset.status_code, reset.json()["errors"]) == (400, {"password": "Invalid reset token"})
    assert client.get("/api/session/password_reset_token_valid?token=1_x").json() == {"valid": False}
    for path in ("/api/util/password_check", "/api/session/password-check"):
        assert client.post(path, json={"password": PASSWORD}).json() == {"valid": True}
        assert client.post(path, json={"password": "short"}).status_code == 400
    hits = [line["path"] for line in world.log() if "reset_password" in line["path"]]
    assert hits == ["/api/session/reset_password"]


def test_the_wait_grows_with_every_attempt(world: World) -> None:
    client = world.client()
    for _ in range(11):
        sign_in(client, password="wrong")
    assert f"wait {round(15 * math.pow(2, 1.5))} seconds" in sign_in(client).text
