"""The access model: what the policies say, typed, frozen and complete; later code has no optional keys to guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
class Issuer:
    """Whose tokens are believed. One without `url` is the identity provider that the stack's settings name."""

    name: str
    url: str | None
    """The `iss` of its tokens, compared exactly (RFC 7519 section 4.1.1)."""
    client_id: str | None
    """The audience of the ID tokens with which people sign in."""
    audience: str | None
    """The audience of the bearer tokens that machines send."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Somebody else must say yes first."""

    by: tuple[str, ...]
    """The roles whose people can."""
    seconds: int
    """How long a yes holds."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Allows or denies actions, on single resources or on every resource of a kind."""

    id: str
    actions: tuple[str, ...]
    on: Mapping[str, Ids] | None
    """Kind → ids; None where the rule lists no resources."""
    line: int
    """Where the rule stands in its file, from 1."""
    requires_approval: Approval | None = None
    locked: Mapping[str, str] | None = None
    """Parameter → claim: what is opened is only shown with these parameters fixed to the person's claims."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """How long a sign-in lasts in a role, where that is shorter than the stack's `mbgate:session`; in seconds."""

    idle_seconds: int | None
    absolute_seconds: int | None


@dataclass(frozen=True, kw_only=True)
class MetabaseGrants:
    """What Metabase's own permissions give the role: a group, collections by name, and what row rules see of people."""

    group: str
    collections: Mapping[str, str]
    """Collection name → `read` or `write`; `root` is "Our analytics"."""
    attributes: Mapping[str, str]
    """User attribute → claim; whoever lacks the claim is refused."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role: who has it, where it lands, and what it may do."""

    name: str
    description: str
    audience: str
    """`people` or `machines`: whom the role is for."""
    match: tuple[Match, ...]
    landing: str | None
    """The path of a page that the role can open; refusals lead people there. Machines' roles have none."""
    session: Session | None
    metabase: MetabaseGrants | None
    allow: tuple[Rule, ...]
    deny: tuple[Rule, ...]


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
    issuers: tuple[Issuer, ...]
    """As declared, in order; empty where the stack's identity provider is the only one."""
    catalogue: Catalogue
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Kind → entity id → numeric id, for resources that the policies give both of."""
