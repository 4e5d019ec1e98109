"""Loads the route catalogue: which operation of Metabase is which action on which resource."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from .actions import ACTIONS, KINDS
from .document import Faults, Place, open_document
from .model import Body, Form, Route
from .routes import segments_of

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
KEYS = ("actions", "form", "page", "body", "blocked")


def load_routes(path: Path, faults: Faults) -> tuple[Route, ...]:
    """Reads `routes.yaml`: `METHOD PATH` → what it is. The kind is the path's parameter of that name."""
    document = open_document(path, "policies/routes.yaml", faults)
    if document is None:
        return ()
    entries = document.mapping(("version", "checked_against", "routes"), ("version", "checked_against", "routes"))
    if "routes" not in entries:
        return ()
    found: dict[tuple[str, tuple[str, ...]], str] = {}
    routes = []
    for name, place in entries["routes"].mapping().items():
        route = _route(name, place)
        if route is None:
            continue
        shape = tuple(":" if part.startswith(":") else part for part in segments_of(route.path))
        other = found.setdefault((route.method, shape), name)
        if other != name:
            place.fault("route-duplicate", f"`{name}` and `{other}` are the same route")
        routes.append(route)
    return tuple(routes)


def _route(name: str, place: Place) -> Route | None:
    method, _, path = name.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        place.fault("route-malformed", f"`{name}` is no route", "write METHOD and path, such as `GET /api/card/:question`")
        return None
    entries = place.mapping(KEYS)
    blocked = entries["blocked"].boolean() if "blocked" in entries else False
    actions = entries["actions"].texts(lambda item: item.text(ACTIONS)) if "actions" in entries else ()
    if blocked == bool(actions):
        place.fault("route-meaning", f"`{name}` needs either `actions` or `blocked: true`")
    page = entries["page"].boolean() if "page" in entries else False
    body = entries["body"].text(("query", "export-form")) if "body" in entries else None
    kinds = [part[1:] for part in segments_of(path) if part.startswith(":") and part[1:] in KINDS]
    kind = None if blocked else _kind(place, actions, kinds, body)
    form = entries["form"].text(("id", "slug", "entity")) if "form" in entries else ("slug" if page else "id")
    return Route(
        id=f"{method} {path}",
        method=method,
        path=path,
        actions=actions,
        kind=kind,
        form=cast(Form, form) if kind and not body else None,
        page=page,
        body=cast(Body, body) if body else None,
        blocked=blocked,
    )


def _kind(place: Place, actions: tuple[str, ...], kinds: list[str], body: str | None) -> str | None:
    """The kind that the actions are about; the path (or the body, for queries) must name one of that kind."""
    if body:
        return None
    needed = [set(ACTIONS[action]) for action in actions if ACTIONS[action]]
    usable = [kind for kind in kinds if all(kind in options for options in needed)]
    if needed and not usable:
        place.fault("route-resource", f"the path names no resource for {', '.join(actions)}")
        return None
    return usable[0] if needed else None
