"""Any bytes as `routes.yaml`: refused with faults, or a catalogue that holds the file's routes and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.access.load import load_policies
from infra.access.table import compile_table
from tests.fuzz.loading import load, plain, scratch, seeds_of

KINDS = (":dashboard", ":question", ":collection", ":database")
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def seeds() -> Iterator[bytes]:
    """A small catalogue, the bad ones, and one of each kind of route."""
    yield (scratch() / "routes.yaml").read_bytes()
    yield from seeds_of("routes.yaml")
    pages = (scratch() / "routes.yaml").read_bytes().split(b"\n")
    home = b"\n".join(pages[:30]) + b"\n"
    yield home + b"- {id: one, method: GET, path: /dashboard/:dashboard, actions: [dashboard:view], form: slug}\n"
    yield home + b"- {id: one, method: any, path: /api/:x/*, blocked: true}\n"
    yield home + b"- {id: one, method: POST, path: /api/dataset, actions: [query:adhoc], body: query}\n"
    yield home + b"- {id: one, method: PUT, path: /api/:database/x/:question, actions: [app:use], kind: question}\n"


def run(data: bytes) -> None:
    """Loads the file, and compares each route with what stands there."""
    policies = load("routes.yaml", data, load_policies)
    if policies is None:
        return
    expected = [route for entry in plain(data)["routes"] for route in _expanded(entry)]
    assert [{key: route.get(key) for key in expected[0]} for route in compile_table(policies)["routes"]] == expected


def _expanded(entry: Any) -> Iterator[dict[str, Any]]:
    """An entry as the routes that it stands for, one a method."""
    is_blocked = entry.get("blocked", "false") == "true"
    kind = None
    if not is_blocked:
        named = [part[1:] for part in entry["path"].split("/") if part in KINDS]
        kind = "database" if "body" in entry else entry.get("kind", named[0] if named else None)
    for method in METHODS if entry["method"] == "any" else (entry["method"],):
        yield {
            "id": f"{entry['id']}-{method.lower()}" if entry["method"] == "any" else entry["id"],
            "method": method,
            "path": entry["path"],
            "blocked": True if is_blocked else None,
            "actions": None if is_blocked else entry["actions"],
            "kind": kind,
            "form": entry.get("form", "id") if kind and "body" not in entry else None,
            "body": entry.get("body"),
        }
