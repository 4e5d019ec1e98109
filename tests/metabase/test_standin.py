"""The Metabase stand-in answers as the documentation says, and loudly where it doesn't know."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from localcloud.metabase.app import make_app

ADMIN = {"email": "admin@acme.test", "password": "correct horse", "first_name": "A", "last_name": "D"}
QUERY = {"database": 1, "type": "native", "native": {"query": "select 1 as one"}}


class Metabase(TestClient):
    """One instance, with its administrator's key and people."""

    key = ""

    def admin(self, method: str, path: str, **kwargs: Any) -> Any:
        return self.request(method, path, headers={"x-api-key": self.key}, **kwargs)

    def person(self, email: str, groups: list[int]) -> tuple[int, str]:
        memberships = [{"id": group} for group in groups]
        made = self.admin("POST", "/api/user", json={"email": email, "user_group_memberships": memberships}).json()
        self.admin("PUT", f"/api/user/{made['id']}/password", json={"password": "secret-enough"})
        self.cookies.clear()
        session = self.post("/api/session", json={"username": email, "password": "secret-enough"}).json()["id"]
        self.cookies.clear()
        return made["id"], session

    def as_person(self, session: str, method: str, path: str, **kwargs: Any) -> Any:
        return self.request(method, path, headers={"X-Metabase-Session": session}, **kwargs)


@pytest.fixture
def metabase(tmp_path: Path) -> Iterator[Metabase]:
    client = Metabase(make_app(tmp_path / "mb"))
    token = client.get("/api/session/properties").json()["setup-token"]
    body = {"token": token, "user": ADMIN, "prefs": {"site_name": "Acme"}}
    session = client.post("/api/setup", json=body).json()["id"]
    client.cookies.clear()
    made = client.as_person(session, "POST", "/api/api-key", json={"name": "k", "group_id": 2}).json()
    client.key = made["unmasked_key"]
    yield client


def shut_all_users(metabase: Metabase) -> None:
    graph = metabase.admin("GET", "/api/collection/graph").json()
    graph["groups"] = {"1": dict.fromkeys(graph["groups"]["1"], "none")}
    assert metabase.admin("PUT", "/api/collection/graph", json=graph).status_code == 200
    data = metabase.admin("GET", "/api/permissions/graph").json()
    body = {"revision": data["revision"], "groups": {"1": {"1": {"create-queries": "no"}}}}
    assert metabase.admin("PUT", "/api/permissions/graph", json=body).status_code == 200


def test_setup_happens_once(metabase: Metabase) -> None:
    properties = metabase.get("/api/session/properties").json()
    assert (properties["has-user-setup"], properties["setup-token"]) == (True, None)
    assert metabase.post("/api/setup", json={"token": "x"}).status_code == 403


def test_while_it_boots_health_tells_progress_and_the_rest_waits(tmp_path: Path) -> None:
    client = TestClient(make_app(tmp_path / "slow", boot_seconds=30))
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "initializing")
    assert client.get("/api/session/properties").status_code == 503


def test_wrong_passwords_are_counted_and_throttled(metabase: Metabase) -> None:
    for _ in range(10):
        answer = metabase.post("/api/session", json={"username": ADMIN["email"], "password": "wrong"})
        assert (answer.status_code, answer.json()) == (401, {"errors": {"password": "did not match stored password"}})
    answer = metabase.post("/api/session", json={"username": ADMIN["email"], "password": ADMIN["password"]})
    assert answer.status_code == 401
    assert "Too many attempts!" in answer.text


def test_a_cookie_beats_a_header_which_beats_a_key(metabase: Metabase) -> None:
    _, one = metabase.person("one@acme.test", [1])
    _, two = metabase.person("two@acme.test", [1])
    headers = {"X-Metabase-Session": two, "x-api-key": metabase.key}
    by_header = metabase.get("/api/user/current", headers=headers)
    assert by_header.json()["email"] == "two@acme.test"
    by_cookie = metabase.get("/api/user/current", headers={**headers, "Cookie": f"metabase.SESSION={one}"})
    assert by_cookie.json()["email"] == "one@acme.test"
    assert metabase.get("/api/user/current").status_code == 401


def test_a_password_change_and_a_deactivation_end_sessions(metabase: Metabase) -> None:
    person, session = metabase.person("p@acme.test", [1])
    metabase.admin("PUT", f"/api/user/{person}/password", json={"password": "another-one"})
    assert metabase.as_person(session, "GET", "/api/user/current").status_code == 401
    assert metabase.admin("DELETE", f"/api/user/{person}").status_code == 200
    body = {"username": "p@acme.test", "password": "another-one"}
    assert metabase.post("/api/session", json=body).status_code == 401
    assert metabase.admin("PUT", f"/api/user/{person}/reactivate").status_code == 200
    assert metabase.post("/api/session", json=body).status_code == 200


def test_an_address_is_used_once_whatever_its_case(metabase: Metabase) -> None:
    metabase.person("p@acme.test", [1])
    answer = metabase.admin("POST", "/api/user", json={"email": "P@ACME.test"})
    assert (answer.status_code, answer.json()["errors"]["email"]) == (400, "Email address already in use.")


def test_permissions_are_enforced_and_add_up(metabase: Metabase) -> None:
    shut_all_users(metabase)
    group = metabase.admin("POST", "/api/permissions/group", json={"name": "Analysts"}).json()["id"]
    _, session = metabase.person("p@acme.test", [1, group])
    assert metabase.as_person(session, "GET", "/api/dashboard/1").status_code == 403
    assert metabase.as_person(session, "POST", "/api/dataset", json=QUERY).status_code == 403
    graph = metabase.admin("GET", "/api/collection/graph").json()
    graph["groups"] = {str(group): {"3": "read"}}
    assert metabase.admin("PUT", "/api/collection/graph", json=graph).status_code == 200
    assert metabase.admin("PUT", "/api/collection/graph", json=graph).status_code == 409
    assert metabase.as_person(session, "GET", "/api/dashboard/1").status_code == 200
    assert metabase.as_person(session, "GET", "/api/dashboard/2").status_code == 403
    names = [c["name"] for c in metabase.as_person(session, "GET", "/api/collection/tree").json()]
    assert names == ["Sales", "Trash"]
    assert metabase.as_person(session, "PUT", "/api/setting/site-name", json={"value": "x"}).status_code == 403


def test_answers_stream_with_202_and_a_failed_query_is_an_answer(metabase: Metabase) -> None:
    answer = metabase.admin("POST", "/api/dataset", json=QUERY)
    assert (answer.status_code, answer.json()["data"]["rows"]) == (202, [[1]])
    broken = {**QUERY, "native": {"query": "select nothing from nowhere"}}
    failed = metabase.admin("POST", "/api/dataset", json=broken)
    assert (failed.status_code, failed.json()["status"]) == (202, "failed")
    writing = {**QUERY, "native": {"query": "delete from orders"}}
    assert "readonly" in metabase.admin("POST", "/api/dataset", json=writing).json()["error"]


def test_the_query_builder_agrees_with_sql(metabase: Metabase) -> None:
    built = {
        "database": 1,
        "type": "query",
        "query": {"source-table": 1, "aggregation": [["count"]], "breakout": [["field", "quantity", None]]},
    }
    sql = {**QUERY, "native": {"query": "select quantity, count(*) from orders group by 1 order by 1"}}
    rows = [metabase.admin("POST", "/api/dataset", json=q).json()["data"]["rows"] for q in (built, sql)]
    assert rows[0] == rows[1]
    assert rows[0]


def test_files_are_real(metabase: Metabase) -> None:
    csv = metabase.admin("POST", "/api/card/1/query/csv")
    assert csv.text.startswith("Month,Revenue")
    book = metabase.admin("POST", "/api/card/1/query/xlsx")
    with zipfile.ZipFile(io.BytesIO(book.content)) as archive:
        assert archive.testzip() is None
        assert b"Revenue" in archive.read("xl/worksheets/sheet1.xml")
    form = metabase.admin("POST", "/api/dataset/json", data={"query": json.dumps(QUERY)})
    assert form.json() == [{"one": 1}]


def test_what_it_does_not_know_is_loud(metabase: Metabase, tmp_path: Path) -> None:
    answer = metabase.admin("GET", "/api/nothing/of/the/kind")
    assert (answer.status_code, answer.text) == (404, "API endpoint does not exist.")
    lines = (tmp_path / "mb" / "unknown.ndjson").read_text().splitlines()
    assert json.loads(lines[-1])["path"] == "/api/nothing/of/the/kind"


def test_every_other_address_is_the_page_with_a_nonce_of_its_own(metabase: Metabase) -> None:
    one, two = (metabase.get(path) for path in ("/dashboard/1-sales", "/anything"))
    assert one.status_code == two.status_code == 200
    assert one.headers["content-security-policy"] != two.headers["content-security-policy"]
    assert one.headers["x-metabase-version"].startswith("v0.")


def test_state_survives_a_restart(tmp_path: Path, metabase: Metabase) -> None:
    metabase.person("p@acme.test", [1])
    again = TestClient(make_app(tmp_path / "mb"))
    found = again.get("/api/user?query=p@acme.test", headers={"x-api-key": metabase.key}).json()
    assert found["total"] == 1
