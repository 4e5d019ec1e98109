"""What the route catalogue doesn't know is denied: no route of the deployed table takes in what nobody looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model import Resource, ResourceGuardrail, Said, Unreadable, wrong
from ..workers import VERSION, gateway_config, table

EVERYBODY = {"app:use", "search:use"}
CATCH_ALL = ("/*", "/api/*")
REMEDY = "name the routes one by one in policies/routes.yaml, or block it"


def judge(version: Resource) -> Iterator[Said]:
    """The table has no default but deny, and each open route needs actions that the roles are granted one by one."""
    if gateway_config(version) is None:
        return
    rules = table(version)
    if rules is None:
        yield wrong(version, "has no decision table (`table.js`)", "deploy what `infra/render/bundle.py` makes")
        return
    routes, actions = rules.get("routes"), rules.get("actions")
    if not isinstance(routes, list) or not isinstance(actions, dict) or not routes:
        raise Unreadable("has a decision table without routes or actions")
    if rules.get("default", "deny") != "deny":
        yield wrong(version, "has a decision table whose default isn't deny", "remove `default`")
    for route in routes:
        yield from _route(version, route, set(actions))


def _route(version: Resource, route: dict[str, Any], actions: set[str]) -> Iterator[Said]:
    if route.get("blocked") is True:
        return
    what, path = f"has route `{route.get('id')}` ({route.get('method')} {route.get('path')})", str(route.get("path"))
    needed = set(route.get("actions") or [])
    if not needed or not needed <= actions:
        yield wrong(version, f"{what} that needs no action, or one that doesn't exist", "give it actions")
    if not path.endswith("*"):
        return
    is_admin = any(action.startswith("admin:") for action in needed)
    if path in CATCH_ALL or path.startswith(("/*", "/:")):
        yield wrong(version, f"{what} that takes in everything", REMEDY)
    elif path.startswith("/api/") and not is_admin and needed <= EVERYBODY:
        yield wrong(version, f"{what} that opens a whole part of the API to everybody", REMEDY)
    elif route.get("method") not in ("GET", "HEAD") and not is_admin:
        yield wrong(version, f"{what} that takes in unknown ways to change something", REMEDY)


GUARDRAIL = ResourceGuardrail(
    name="unknown-routes-denied",
    description="The deployed decision table denies by default, and no route takes in what nobody looked at.",
    kinds=(VERSION,),
    judge=judge,
)
