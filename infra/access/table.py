"""The decision table: policies compiled to plain, canonical data that every evaluator reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from .actions import ACTIONS
from .decide import Table
from .model import Issuer, Match, Policies, Role, Route, Rule

VERSION = 1


def compile_table(policies: Policies) -> Table:
    """The table of these policies; ids are numeric wherever the policies give an entity id's number."""
    return {
        "version": VERSION,
        "actions": {name: list(action.kinds) for name, action in ACTIONS.items()},
        "aliases": {kind: dict(ids) for kind, ids in policies.aliases.items()},
        "issuers": {issuer.name: _issuer(issuer) for issuer in policies.issuers},
        "roles": {role.name: _role(role, policies) for role in policies.roles},
        "routes": [_route(route) for route in policies.catalogue.routes],
    }


def canonical_json(table: Table) -> str:
    """The table's one text: sorted keys, no spaces; encoded as UTF-8 wherever bytes are needed."""
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(table: Table) -> str:
    """SHA-256 of the canonical text, hexadecimal."""
    return hashlib.sha256(canonical_json(table).encode()).hexdigest()


def _role(role: Role, policies: Policies) -> dict[str, Any]:
    return {
        "for": role.audience,
        "match": [_match(entry) for entry in role.match],
        "landing": role.landing,
        "session": asdict(role.session) if role.session else None,
        "metabase": asdict(role.metabase) if role.metabase else None,
        "allow": [_rule(rule, policies) for rule in role.allow],
        "deny": [_rule(rule, policies) for rule in role.deny],
    }


def _issuer(issuer: Issuer) -> dict[str, Any]:
    return {"url": issuer.url, "client_id": issuer.client_id, "audience": issuer.audience}


def _match(match: Match) -> dict[str, Any]:
    return {"issuer": match.issuer, "claims": dict(match.claims)}


def _rule(rule: Rule, policies: Policies) -> dict[str, Any]:
    compiled: dict[str, Any] = {"id": rule.id, "actions": list(rule.actions)}
    if rule.on is not None:
        compiled["on"] = {
            kind: ids if isinstance(ids, str) else _numbers(ids, policies.aliases.get(kind, {}))
            for kind, ids in rule.on.items()
        }
    if rule.requires_approval is not None:
        compiled["requires_approval"] = {**asdict(rule.requires_approval), "by": list(rule.requires_approval.by)}
    if rule.locked is not None:
        compiled["locked"] = dict(rule.locked)
    return compiled


def _numbers(ids: tuple[str, ...], aliases: Any) -> list[str]:
    return list(dict.fromkeys(aliases.get(text, text) for text in ids))


def _route(route: Route) -> dict[str, Any]:
    if route.blocked:
        return {"id": route.id, "method": route.method, "path": route.path, "page": route.page, "blocked": True}
    return {
        "id": route.id,
        "method": route.method,
        "path": route.path,
        "form": route.form,
        "actions": list(route.actions),
        "kind": route.kind,
        "page": route.page,
        "body": route.body,
    }
