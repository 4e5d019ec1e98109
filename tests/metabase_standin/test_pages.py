"""Everything that is not the API, and what is unknown."""

from __future__ import annotations

import re
from typing import Any

import pytest

World = Any
PAGES = [
    "/",
    "/dashboard/1-sales-overview",
    "/question/7",
    "/question",
    "/collection/3",
    "/browse/databases",
    "/admin/people",
]


@pytest.mark.parametrize("path", [*PAGES, "/auth/login", "/no/such/page", "/setup"])
def test_every_unknown_get_is_the_application(world: World, path: str) -> None:
    answer = world.client().get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Metabase stand-in" in answer.text
    assert answer.headers["x-metabase-version"].startswith("v0.58")


def test_each_page_has_a_nonce_of_its_own_and_runs_nothing_else(world: World) -> None:
    pages = [world.client().get("/") for _ in range(2)]
    nonces = [re.search(r"script-src 'nonce-([^']+)'", p.headers["content-security-policy"]) for p in pages]
    found = [match[1] for match in nonces if match]
    assert len(set(found)) == 2
    for nonce, page in zip(found, pages, strict=True):
        assert f'nonce="{nonce}"' in page.text
        assert "unsafe" not in page.headers["content-security-policy"]


def test_files_have_hashed_names_that_can_be_kept_for_ever(world: World) -> None:
    client = world.client()
    page = client.get("/").text
    script, style = re.findall(r'(?:src|href)="(/app/dist/[^"]+)"', page)[::-1]
    seen, todo = set(), [script, style]
    while todo:
        path = todo.pop()
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert re.fullmatch(r"/app/dist/[a-z-]+\.[0-9a-f]{16}\.(js|css)", path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        seen.add(path)
        imports = [f"/app/dist/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)]
        todo += [p for p in imports if p not in seen]
    assert len(seen) > 10
    for wrong in (script.replace(".js", "x.js"), "/app/dist/../pages.py", "/app/main.js"):
        assert client.get(wrong).status_code == 404


def test_the_site_name_is_text(world: World, admin: Any) -> None:
    admin.put("/api/setting/site-name", json={"value": "<script>alert(1)</script>"})
    page = world.client().get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_signing_out_is_the_gateways_where_there_is_one(world: World) -> None:
    alone, behind = world.client().get("/").text, world.client(mbgate_request_id="r1").get("/").text
    assert 'data-sign-out="/auth/logout"' in alone
    assert 'data-sign-out="/_gateway/sign-out"' in behind


@pytest.mark.parametrize(
    "path", ["/public/dashboard/x", "/public/question/x.csv", "/embed/dashboard/x.y.z", "/embed/sdk/v1"]
)
def test_nothing_is_public_or_embedded(world: World, path: str) -> None:
    assert world.client().get(path).status_code == 404
    assert world.client().get("/api/public/card/x").status_code == 400
    assert world.client().get("/api/embed/card/x.y.z").status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nothing"),
        ("GET", "/api"),
        ("POST", "/api/setup/user_defaults"),
        ("PATCH", "/api/user/1"),
        ("PUT", "/api/search"),
        ("POST", "/api/dashboard/1/dashcard/1/execute"),
        ("GET", "/api/ee/audit-app/user"),
        ("POST", "/dashboard/1"),
        ("OPTIONS", "/api/dataset"),
        ("GET", "/api/user/abc"),
    ],
)
def test_an_unknown_operation_is_loud_and_logged(world: World, admin: Any, method: str, path: str) -> None:
    answer = admin.request(method, path)
    assert (answer.status_code, answer.text) == (404, "API endpoint does not exist.")
    assert [(line["method"], line["path"]) for line in world.log("unknown")] == [(method, path)]


def test_known_operations_are_not_in_that_log(world: World, admin: Any) -> None:
    admin.get("/api/dashboard/99")
    admin.get("/")
    world.client().get("/api/user")
    assert world.log("unknown") == []


def test_each_request_is_logged_with_names_of_headers_and_no_values(world: World, admin: Any) -> None:
    secret = "value-that-nobody-may-keep"
    headers = {"Mbgate-Request-Id": "req-1", "Mbgate-Assertion": secret, "X-Custom": secret}
    admin.get(f"/api/dashboard/1?token={secret}", headers=headers)
    world.client().get("/api/user/current", headers={"Cookie": f"metabase.SESSION={secret}"})
    world.client().get("/dashboard/1")
    asked, refused, page = world.log()[-3:]
    assert {"method": "GET", "path": "/api/dashboard/1", "status": 200, "user_id": 1}.items() <= asked.items()
    assert asked["request_id"] == "req-1"
    assert {"mbgate-assertion", "x-custom", "x-metabase-session"} <= {name.lower() for name in asked["headers"]}
    assert (refused["status"], refused["user_id"], refused["request_id"]) == (401, None, None)
    assert (page["path"], page["status"], page["complete"]) == ("/dashboard/1", 200, True)
    assert secret not in (world.folder / "requests.ndjson").read_text()


def test_answers_may_not_be_kept(admin: Any) -> None:
    headers = admin.get("/api/dashboard/1").headers
    assert headers["cache-control"] == "max-age=0, no-cache, must-revalidate, proxy-revalidate"
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b'"x"', b"null"])
def test_a_body_that_is_no_object_is_400(world: World, admin: Any, body: bytes) -> None:
    for path in ("/api/dataset", "/api/user", "/api/session"):
        answer = admin.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400, (path, answer.text)
