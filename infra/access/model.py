"""The access model: what the policies say, typed, frozen and complete; later code has no optional keys to guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .actions import ACTIONS

ANY = "*"
"""In `on`: every resource of that kind."""

Ids = str | tuple[str, ...]
"""`ANY`, or the ids of single resources."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """One way to belong to a role: the issuer's name and every one of the claims."""

    issuer: str
    claims: Mapping[str, str]
    """Claim → value; a string claim must equal it, an array of strings must contain it."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Allows or denies actions, on single resources or on every resource of a kind."""

    id: str
    actions: tuple[str, ...]
    on: Mapping[str, Ids] | None
    """Kind → ids; None where the rule lists no resources."""
    line: int
    """Where the rule stands in its file, from 1."""

    def is_on_all(self, action: str) -> bool:
        """Whether the rule is about every resource of each kind that the action takes."""
        return self.on is None or all(self.on.get(kind) == ANY for kind in ACTIONS[action].kinds)


@dataclass(frozen=True, kw_only=True)
class MetabaseGrants:
    """What Metabase's own permissions give the role: a group, and collections by name."""

    group: str
    collections: Mapping[str, str]
    """Collection name → `read` or `write`; `root` is "Our analytics"."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role: who has it, where it lands, and what it may do."""

    name: str
    description: str
    match: tuple[Match, ...]
    landing: str
    """The path of a page that the role can open; people are sent there after sign-in and from refusals."""
    metabase: MetabaseGrants | None
    allow: tuple[Rule, ...]
    deny: tuple[Rule, ...]

    @property
    def allowed_actions(self) -> frozenset[str]:
        """Every action that an allow rule names, on whatever resource, except those that a deny rule takes entirely."""
        denied = {action for rule in self.deny for action in rule.actions if rule.is_on_all(action)}
        return frozenset(action for rule in self.allow for action in rule.actions) - denied


@dataclass(frozen=True, kw_only=True)
class Route:
    """One request that Metabase answers, and what it takes to be let through."""

    id: str
    method: str
    """An upper-case method; a HEAD request is judged as GET."""
    path: str
    """Literal segments, `:name` for one segment, a final `*` for one or more."""
    actions: tuple[str, ...] = ()
    """All of them must be granted."""
    kind: str | None = None
    """The kind of the resource; its id is the segment of that name, or the query's database."""
    form: str | None = None
    """`id`, `slug` or `entity`: how the id is written."""
    page: bool = False
    """A page for a browser rather than a call of the API."""
    body: str | None = None
    """`query` or `export-form`: the body is a query, which decides between `query:adhoc` and `query:native`."""
    blocked: bool = False
    """Known, and never let through for anybody."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The route catalogue: everything that isn't in it is denied."""

    checked: tuple[str, ...]
    """The Metabase versions whose routes were compared."""
    routes: tuple[Route, ...]


@dataclass(frozen=True, kw_only=True)
class Policies:
    """Everything that the decision table is compiled from."""

    roles: tuple[Role, ...]
    """Sorted by name."""
    catalogue: Catalogue
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Kind → entity id → numeric id, for resources that the policies give both of."""
