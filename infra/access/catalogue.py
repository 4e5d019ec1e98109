"""Reads the route catalogue, `routes.yaml`: one entry for each request of Metabase that is known.

A route's kind and id are taken from the segment that is named after a kind of resource (`/api/dashboard/:dashboard`); a
route whose body is a query is about the query's database.
"""

from __future__ import annotations

import re

from .actions import ACTIONS, KINDS
from .model import Catalogue, Route
from .routes import WELL_FORMED, pattern_segments, shape
from .source import Node, Source, shown

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
ANY_METHOD = "any"
FORMS = ("id", "slug", "entity")
BODIES = ("query", "export-form")
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PARAMETER = re.compile(r":[a-z][a-z0-9_]*")
Fields = dict[str, tuple[Node, str]]


def read_catalogue(source: Source) -> Catalogue:
    """The catalogue of a file; faults are left in the source, and faulty routes left out."""
    if source.root is None:
        return Catalogue(checked=(), routes=())
    found = source.record(source.root, "$", "the file", ("version", "checked", "routes"))
    source.version(found)
    checked = [
        source.text(node, path, "a checked version") for node, path in _entries(source, found, "checked", "`checked`")
    ]
    routes: list[Route] = []
    seen: dict[str, int] = {}
    for node, path in _entries(source, found, "routes", "`routes`"):
        for route in _read_route(source, node, path):
            if _is_new(source, node, path, route, seen):
                routes.append(route)
    return Catalogue(checked=tuple(version for version in checked if version), routes=tuple(routes))


def _entries(source: Source, found: Fields, key: str, what: str) -> list[tuple[Node, str]]:
    return list(source.sequence(*found[key], what)) if key in found else []


def _read_route(source: Source, node: Node, path: str) -> list[Route]:
    before = len(source.faults)
    optional = ("actions", "kind", "form", "page", "body", "blocked")
    found = source.record(node, path, "a route", ("id", "method", "path"), optional)
    if not {"id", "method", "path"} <= found.keys():
        return []
    name = source.text(*found["id"], "a route's id", ID)
    method = source.choice(*found["method"], "method", (*METHODS, ANY_METHOD))
    pattern = source.text(*found["path"], "a route's path")
    if pattern is not None:
        _check_pattern(source, *found["path"], pattern)
    page = source.flag(*found["page"], "`page`") if "page" in found else False
    blocked = source.flag(*found["blocked"], "`blocked`") if "blocked" in found else False
    if blocked:
        for key in sorted(found.keys() & {"actions", "kind", "form", "body"}):
            source.fault(*found[key], "route-contradictory", f"a blocked route has no `{key}`", f"remove `{key}`")
        details: dict[str, object] = {}
    else:
        details = _read_target(source, node, path, found, pattern or "/")
    if len(source.faults) > before or not (name and method and pattern):
        return []
    methods = METHODS if method == ANY_METHOD else (method,)
    return [
        Route(
            id=f"{name}-{each.lower()}" if method == ANY_METHOD else name,
            method=each,
            path=pattern,
            page=page,
            blocked=blocked,
            **details,  # type: ignore[arg-type]
        )
        for each in methods
    ]


def _check_pattern(source: Source, node: Node, path: str, pattern: str) -> None:
    parts = pattern_segments(pattern)
    names = [part for part in parts if part.startswith(":")]
    wrong = (
        not WELL_FORMED.fullmatch(pattern)
        or any(part in ("", ".", "..") for part in parts)
        or any("*" in part for part in parts[:-1])
        or any("*" in part and part != "*" for part in parts[-1:])
        or not all(PARAMETER.fullmatch(name) for name in names)
        or len(set(names)) != len(names)
    )
    if wrong:
        help = "start with `/`; segments are literal or `:name`, each name once, and only the last may be `*`"
        source.fault(node, path, "route-path-invalid", f"`{shown(pattern)}` is no route's path", help)


def _read_target(source: Source, node: Node, path: str, found: Fields, pattern: str) -> dict[str, object]:
    actions = _read_actions(source, node, path, found)
    body = source.choice(*found["body"], "body form", BODIES) if "body" in found else None
    named = [part[1:] for part in pattern_segments(pattern) if part[1:] in KINDS and part.startswith(":")]
    kind: str | None
    form: str | None
    if body:
        kind, form = "database", None
        for key in sorted(found.keys() & {"kind", "form"}):
            source.fault(
                *found[key],
                "route-contradictory",
                f"a route with a query in its body has no `{key}`",
                "remove it; the route is about the query's database",
            )
    else:
        kind = source.choice(*found["kind"], "kind", KINDS) if "kind" in found else None
        if kind and kind not in named:
            source.fault(
                *found["kind"],
                "route-kind-missing",
                f"the path has no segment `:{kind}`",
                "name the segment after the kind",
            )
        if kind is None and len(named) > 1:
            help = f"say which with `kind`: {', '.join(named)}"
            source.fault(node, path, "route-kind-ambiguous", "the path names more than one kind of resource", help)
        kind = kind or (named[0] if named else None)
        form = source.choice(*found["form"], "id form", FORMS) if "form" in found else None
        if form and kind is None:
            source.fault(
                *found["form"], "route-contradictory", "a route without a resource has no `form`", "remove `form`"
            )
        form = (form or "id") if kind else None
    for action in actions:
        kinds = ACTIONS[action].kinds
        if kind and kinds and kind not in kinds:
            message = f"`{action}` is about a {' or '.join(kinds)}, and this route about a {kind}"
            source.fault(node, path, "route-action-mismatch", message, "name an action of this kind, or another kind")
    return {"actions": tuple(actions), "kind": kind, "form": form, "body": body}


def _read_actions(source: Source, node: Node, path: str, found: Fields) -> list[str]:
    if "actions" not in found:
        help = "list the `actions` that it takes, or write `blocked: true`"
        source.fault(node, path, "key-missing", "a route lacks `actions`", help)
        return []
    return read_actions(source, *found["actions"])


def read_actions(source: Source, node: Node, path: str) -> list[str]:
    """A list of known actions, each once."""
    actions: list[str] = []
    for entry, below in source.sequence(node, path, "`actions`"):
        name = source.text(entry, below, "an action")
        if name is None:
            continue
        if name not in ACTIONS:
            source.fault(entry, below, "action-unknown", f"`{shown(name)}` is no action", _action_help(source, name))
        elif name in actions:
            source.fault(entry, below, "action-duplicate", f"`{name}` is listed twice", "remove one")
        else:
            actions.append(name)
    return actions


def _action_help(source: Source, name: str) -> str:
    """No far guess: `question:view` must not be answered with `question:edit`."""
    family = name.lower().partition(":")[0] + ":"
    relatives = [action for action in ACTIONS if action.startswith(family)]
    listed = f"use one of {', '.join(relatives)}" if relatives else "`mbgate policy actions` lists them"
    return source.nearest(name, ACTIONS, 0.8) or listed


def _is_new(source: Source, node: Node, path: str, route: Route, seen: dict[str, int]) -> bool:
    line = node.start_mark.line + 1
    request = f"{route.method} {shape(route.path)}"
    for key, code, message, help in (
        (route.id, "route-id-duplicate", f"the id `{route.id}` is taken by line", "choose another id"),
        (request, "route-duplicate", f"`{route.method} {route.path}` is the same request as in line", "remove one"),
    ):
        if key in seen:
            source.fault(node, path, code, f"{message} {seen[key]}", help)
            return False
    seen[route.id] = seen[request] = line
    return True
