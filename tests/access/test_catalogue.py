"""The route catalogue against what Metabase publishes, and against what must never be reached."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.access.actions import ACTIONS
from infra.access.decide import decide_as
from infra.access.load import load_policies
from infra.access.routes import match_route, split_path
from infra.access.table import compile_table

ROOT = Path(__file__).parents[2]
OPERATIONS = [
    tuple(line.split())
    for line in (Path(__file__).parent / "operations.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


@cache
def table() -> dict[str, Any]:
    """The project's table, with a role that may do everything that any rule could allow."""
    compiled = compile_table(load_policies(ROOT / "policies"))
    everywhere = dict.fromkeys(("dashboard", "question", "collection", "database"), "*")
    rule = {"id": "all", "actions": sorted(ACTIONS), "on": everywhere}
    compiled["roles"]["everything"] = {"match": [], "landing": "/", "allow": [rule], "deny": []}
    return compiled


def route_of(method: str, path: str) -> dict[str, Any] | None:
    found = match_route(table()["routes"], method, split_path(path) or [])
    return dict(found[0]) if found else None


def reason(method: str, path: str, **request: Any) -> str:
    """What even the role that may do everything is answered."""
    return decide_as(table(), "everything", {"method": method, "path": path, **request})["reason"]


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
def test_every_published_operation_is_known(method: str, path: str) -> None:
    """Each operation of the OpenAPI meets a route, and a route about one resource takes its id."""
    concrete = re.sub(r"\{virtual-db\}", "-1337", path)
    concrete = re.sub(r"\{[^}]+\}|:id", "1", concrete)
    found = route_of(method, concrete)
    assert found is not None
    assert reason(method, concrete, query={"native": False, "database": "1"}) in ("rule-allowed", "route-blocked")


def test_catalogue_has_all_560_operations() -> None:
    """The list that the test above goes through is whole."""
    assert len(OPERATIONS) == 560


@pytest.mark.parametrize("path", [p for m, p in OPERATIONS if m == "GET" and "{" not in p and ":" not in p])
def test_literal_operations_have_routes_of_their_own(path: str) -> None:
    """No literal path is taken for somebody else's parameter: its route has no parameter at all."""
    found = route_of("GET", path)
    assert found is not None and (found.get("blocked") or ":" not in found["path"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("POST", "/api/session/reset_password"),
        ("POST", "/api/session/forgot_password"),
        ("POST", "/api/session/google_auth"),
        ("GET", "/api/session/password_reset_token_valid"),
        ("POST", "/api/setup"),
        ("POST", "/api/setup/validate"),
        ("GET", "/api/setup/admin_checklist"),
        ("GET", "/api/util/random_token"),
        ("GET", "/api/docs/openapi.json"),
        ("GET", "/api/geojson"),
        ("PUT", "/api/email"),
        ("POST", "/api/notification/unsubscribe"),
        ("POST", "/api/product-feedback"),
        ("POST", "/api/pulse/test"),
        ("POST", "/api/pulse/unsubscribe"),
        ("GET", "/api/embed/card/eyJhbGciOiJIUzI1NiJ9"),
        ("GET", "/api/public/dashboard/8a9d4f40-1111-4222-8333-444455556666"),
        ("POST", "/api/notify/db/1"),
        ("GET", "/api/health"),
        ("GET", "/auth/login"),
        ("GET", "/auth/sso"),
        ("POST", "/auth/sso/to_session"),
        ("GET", "/auth/reset_password/1_token"),
        ("GET", "/setup"),
        ("GET", "/public/question/1"),
        ("GET", "/embed/dashboard/1"),
        ("POST", "/oauth/token"),
        ("GET", "/.well-known/oauth-authorization-server"),
        ("POST", "/api/agent/v1/execute"),
        ("POST", "/api/metabase-mcp"),
        ("PUT", "/api/user/3/password"),
        ("POST", "/api/ee/metabot-tools/query-datasource"),
        ("GET", "/api/tiles/1/2/3"),
    ],
)
def test_blocked_for_everybody(method: str, path: str) -> None:
    """What Metabase answers without a sign-in, and what hands out credentials, is blocked whatever a rule says."""
    assert reason(method, path) == "route-blocked"


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/unheard-of", "/api/dashboard/1/new-thing", "/nowhere", "/api/ee/transforms/1", "/apps/x"],
)
def test_unknown_is_denied(path: str) -> None:
    """What isn't in the catalogue is denied even to the role that may do everything."""
    assert reason("GET", path) == "route-unknown"


@pytest.mark.parametrize(
    "path", ["/api/dataset", "/api/dataset/pivot", "/api/dataset/native", "/api/dataset/query_metadata"]
)
def test_queries_are_read(path: str) -> None:
    """A query of one's own is decided on its body: without one it is refused, with SQL it needs `query:native`."""
    assert reason("POST", path) == "query-unreadable"
    decision = decide_as(
        table(), "everything", {"method": "POST", "path": path, "query": {"native": True, "database": "1"}}
    )
    assert decision["actions"] == ["query:native"]
    assert decision["resource"] == {"kind": "database", "id": "1"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/dataset/csv", "database"),
        ("/api/card/1/query/xlsx", "question"),
        ("/api/dashboard/1/dashcard/2/card/3/query/json", "dashboard"),
    ],
)
def test_exports_need_their_action(path: str, kind: str) -> None:
    """Every download takes `results:export` on what is downloaded."""
    request = {"method": "POST", "path": path, "query": {"native": False, "database": "1"}}
    decision = decide_as(table(), "everything", request)
    assert "results:export" in decision["actions"]
    assert decision["resource"] == {"kind": kind, "id": "1"}


def test_every_action_is_used() -> None:
    """An action that no route takes would promise something; `query:native` comes from the body."""
    used = {action for route in table()["routes"] for action in route.get("actions", ())}
    assert used | {"query:native"} == set(ACTIONS)


def test_writes_by_parameter_are_about_the_resource() -> None:
    """A route with a dashboard, question, collection or database in its path is decided on that resource."""
    for route in table()["routes"]:
        named = [part[1:] for part in route["path"].split("/") if part.startswith(":")]
        kinds = set(named) & {"dashboard", "question", "collection", "database"}
        if kinds and not route.get("blocked"):
            assert route["kind"] in kinds, route["id"]


def test_pages_are_reads() -> None:
    """Only GET routes are pages, unless they are blocked."""
    assert all(route["method"] == "GET" for route in table()["routes"] if route["page"] and not route.get("blocked"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/document/1/card/7/query/csv"),
        ("GET", "/api/automagic-dashboards/question/7"),
        ("GET", "/api/automagic-dashboards/model/7/query_metadata"),
        ("GET", "/api/automagic-dashboards/metric/7/cell/eyJ9/compare/table/3"),
        ("GET", "/auto/dashboard/question/7"),
        ("GET", "/auto/dashboard/model/7/rule/a/b"),
        ("GET", "/api/automagic-dashboards/database/7/candidates"),
        ("POST", "/api/ee/autodescribe/dashboard/summarize/7"),
    ],
)
def test_a_resource_that_a_path_names_is_judged(method: str, path: str) -> None:
    """Whatever the way to it: a rule that denies the resource denies this too."""
    compiled = {**table(), "roles": {**table()["roles"]}}
    on = {kind: ["7"] for kind in ("dashboard", "question", "collection", "database")}
    deny = {"id": "no", "actions": ["question:run", "dashboard:view", "data:browse"], "on": on}
    compiled["roles"]["nearly"] = {**compiled["roles"]["everything"], "deny": [deny]}
    assert reason(method, path) == "rule-allowed"
    assert decide_as(compiled, "nearly", {"method": method, "path": path})["reason"] == "rule-denied"
    elsewhere = path.replace("/7", "/8")
    assert decide_as(compiled, "nearly", {"method": method, "path": elsewhere})["reason"] == "rule-allowed"


@pytest.mark.parametrize("path", ["values", "search/a", "remapping"])
def test_what_only_a_body_names_takes_an_admin_action(path: str) -> None:
    """Values for a filter come from the card, the table or the list that the body names."""
    found = route_of("POST", f"/api/dataset/parameter/{path}")
    assert found is not None and found["actions"] == ["admin:content"]
