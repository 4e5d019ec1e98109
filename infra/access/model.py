"""The access model: what the YAML says, typed and frozen. Later code has no optional keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ALL: Literal["*"] = "*"
Selection = Literal["*"] | tuple[str, ...]
"""All resources of a kind, or the ids (numeric as text, or entity ids)."""

Form = Literal["id", "slug", "entity"]
Body = Literal["query", "export-form"]


@dataclass(frozen=True, kw_only=True)
class Match:
    """One way to be in a role: every named claim of this issuer has exactly this value, or an array that holds it."""

    issuer: str
    claims: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Allows or denies actions on resources; `on` None means every resource (deny rules only)."""

    id: str
    actions: tuple[str, ...]
    on: Mapping[str, Selection] | None


@dataclass(frozen=True, kw_only=True)
class MetabaseGrant:
    """The role's Metabase group and what that group may see: collection name → `read` or `write`."""

    group: str
    collections: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role: who is in it, what it may do, where its people start."""

    name: str
    description: str
    match: tuple[Match, ...]
    landing: str
    metabase: MetabaseGrant
    allow: tuple[Rule, ...]
    deny: tuple[Rule, ...]

    @property
    def allowed_actions(self) -> frozenset[str]:
        """Actions that some allow rule names."""
        return frozenset(action for rule in self.allow for action in rule.actions)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A Metabase operation: method and path → actions on a resource; or blocked for everyone."""

    id: str
    method: str
    path: str
    actions: tuple[str, ...]
    kind: str | None
    form: Form | None
    page: bool
    body: Body | None
    blocked: bool


@dataclass(frozen=True, kw_only=True)
class Policies:
    """Everything in the policies folder."""

    roles: tuple[Role, ...]
    routes: tuple[Route, ...]
    aliases: Mapping[str, Mapping[str, str]]
    """kind → entity id → numeric id, where a policy gives both."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks: the verified issuer's name and its claims."""

    issuer: str
    claims: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a request's body asks of a database."""

    native: bool
    database: str


UNREADABLE: Literal["unreadable"] = "unreadable"
"""The body of a query route is no Metabase query that can be judged."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked: method, raw path without query string, and the body's query where the route has one."""

    method: str
    path: str
    query: Query | Literal["unreadable"] | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer, with the reason and the rule that made it."""

    effect: Literal["allow", "deny"]
    reason: str
    role: str | None = None
    rule: str | None = None
    route: str | None = None
    actions: tuple[str, ...] = ()
    resource: tuple[str, str] | None = None
    """kind and id"""

    def as_dict(self) -> dict[str, Any]:
        """In the form of the decision corpus, which the Worker answers too."""
        return {
            "effect": self.effect,
            "reason": self.reason,
            "role": self.role,
            "rule": self.rule,
            "route": self.route,
            "actions": list(self.actions),
            "resource": {"kind": self.resource[0], "id": self.resource[1]} if self.resource else None,
        }


REASONS: dict[str, str] = {
    "rule-allowed": "a rule of the role allows it",
    "path-malformed": "the address has a form that no page of Metabase has",
    "role-not-mapped": "no role matches the person's claims",
    "role-ambiguous": "more than one role matches the person's claims, and exactly one must",
    "route-unknown": "the address is none that the route catalogue knows",
    "route-blocked": "this part of Metabase is closed to everyone from outside",
    "resource-id-malformed": "the address names its resource in a form that Metabase does not have",
    "resource-id-unsettled": "the resource is named by an entity id that the policies can't relate to their own ids",
    "query-unreadable": "the query in the request can't be read, so it can't be judged",
    "rule-denied": "a rule of the role forbids it",
    "action-not-granted": "no rule of the role allows this kind of action",
    "resource-not-granted": "the role may do this, but not with this resource",
}
