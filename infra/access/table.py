"""The decision table: what the Worker reads, and what Python's `decide` reads too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .actions import ACTIONS
from .model import Policies, Role, Route, Rule

VERSION = 1
Table = Mapping[str, Any]


def compile_table(policies: Policies) -> dict[str, Any]:
    """Plain data, complete: nothing outside it takes part in a decision."""
    return {
        "version": VERSION,
        "actions": {name: list(kinds) for name, kinds in ACTIONS.items()},
        "aliases": {kind: dict(ids) for kind, ids in policies.aliases.items()},
        "roles": {role.name: _role(role) for role in policies.roles},
        "routes": [_route(route) for route in policies.routes],
    }


def canonical_json(table: Table) -> str:
    """The one text of a table: sorted keys, no spaces, UTF-8."""
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(table: Table) -> str:
    """SHA-256 of the canonical text, hexadecimal: names this policy in assertions and audit events."""
    return hashlib.sha256(canonical_json(table).encode()).hexdigest()


def _role(role: Role) -> dict[str, Any]:
    return {
        "match": [{"issuer": m.issuer, "claims": dict(m.claims)} for m in role.match],
        "landing": role.landing,
        "scope": {"group": role.metabase.group, "collections": dict(role.metabase.collections)},
        "allow": [_rule(rule) for rule in role.allow],
        "deny": [_rule(rule) for rule in role.deny],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    on = None
    if rule.on is not None:
        on = {kind: "*" if chosen == "*" else list(chosen) for kind, chosen in rule.on.items()}
    return {"id": rule.id, "actions": list(rule.actions), "on": on}


def _route(route: Route) -> dict[str, Any]:
    return {
        "id": route.id,
        "method": route.method,
        "path": route.path,
        "actions": list(route.actions),
        "kind": route.kind,
        "form": route.form,
        "page": route.page,
        "body": route.body,
        "blocked": route.blocked,
    }
