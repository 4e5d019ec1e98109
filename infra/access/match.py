"""Reads `match`: whose claims give a role. What can match nobody, or not what its author means, is a fault."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import combinations

import yaml

from .model import Match, Role
from .source import Node, Source, entry, shown

RESERVED_CLAIMS = ("__proto__",)
"""In the Worker's module the table is an object literal, in which this key would vanish, and its condition with it."""
EVERYBODY: dict[str, str] = {
    "iss": "is the issuer, which `issuer` says already",
    "aud": "is the audience, which is checked before: every token that gets here has it",
    "nonce": "is the sign-in's own, and nobody can know it before",
    "jti": "is the token's own, and nobody can know it before",
    "at_hash": "is a hash of another token",
    "c_hash": "is a hash of a code",
    "s_hash": "is a hash of the sign-in's state",
    "sid": "is the session's own, and nobody can know it before",
    "typ": "is what kind of token it is, the same for everybody",
    "token_use": "is what kind of token it is, the same for everybody",
    "type": "is what kind of token it is, the same for everybody",
    "ver": "is the form of the token, the same for everybody",
    "tid": "is the provider's tenant, the same for everybody in it",
    "acr": "is how somebody signed in, not who it was",
    "amr": "is how somebody signed in, not who it was",
    "identity_nonce": "is the Access session's own, and nobody can know it before",
    "country": "is where Access saw the request come from, not who asked",
}
"""Claims of the protocol: what each says, which is nothing about who somebody is (RFC 7519, OpenID Connect Core 2)."""
SERVICE_TOKEN = "common_name"  # noqa: S105 - a claim's name
"""Access's name of a service token; among people's claims it is never."""
UNTEXTUAL_CLAIMS = ("exp", "iat", "nbf", "auth_time", "updated_at", "email_verified", "phone_number_verified")
"""OpenID Connect makes these numbers and booleans, and matching takes only texts."""
PATTERN = re.compile(r"[*?]|\A\^|\$\Z")
MAX_MATCHES = 100
MAX_CLAIMS = 8
"""Few enough that every part of a match can be looked up."""


def read_match(
    source: Source, node: Node, path: str, issuers: Collection[str] | None, audience: str | None
) -> tuple[Match, ...]:
    """The ways to belong to a role for an audience. `issuers` are the declared ones, None where none are."""
    entries: list[Match] = []
    if not source.is_short(node, path, "`match`", MAX_MATCHES):
        return ()
    for item, below in source.sequence(node, path, "`match`"):
        found = source.record(item, below, "a match", ("issuer", "claims"))
        issuer = source.exact(*found["issuer"], "an issuer's name") if "issuer" in found else None
        if issuer and issuers is not None and issuer not in issuers:
            help = source.nearest(issuer, issuers) or f"declare it in `issuers`, or use one of {', '.join(issuers)}"
            source.fault(*found["issuer"], "issuer-undeclared", f"`{shown(issuer)}` is no declared issuer", help)
        claims = _read_claims(source, *found["claims"], audience) if "claims" in found else {}
        if issuer and claims:
            one = Match(issuer=issuer, claims=claims)
            _check_redundant(source, item, below, one, entries)
            entries.append(one)
    return tuple(entries)


def is_within(one: Match, other: Match) -> bool:
    """Whether everybody who matches `one` matches `other`."""
    return one.issuer == other.issuer and other.claims.items() <= one.claims.items()


def overlapping(roles: Sequence[Role]) -> list[tuple[Role, Role]]:
    """Pairs of roles for one kind of principal, of which one has a match within one of the other's.

    Parts of matches are looked up, so that not all are compared with all.
    """
    holders: dict[tuple[str, str, frozenset[tuple[str, str]]], dict[int, None]] = {}
    for index, role in enumerate(roles):
        for one in role.match:
            holders.setdefault((role.audience, one.issuer, frozenset(one.claims.items())), {})[index] = None
    pairs: set[tuple[int, int]] = set()
    for index, role in enumerate(roles):
        for one in role.match:
            for size in range(1, len(one.claims) + 1):
                for part in combinations(one.claims.items(), size):
                    others = holders.get((role.audience, one.issuer, frozenset(part)), ())
                    pairs |= {(min(index, other), max(index, other)) for other in others if other != index}
    return [(roles[first], roles[second]) for first, second in sorted(pairs)]


def check_issuers(source: Source, roles: Sequence[Node], paths: Sequence[str]) -> None:
    """Notes issuers that differ from another in upper and lower case only: they are compared exactly."""
    seen: dict[str, tuple[str, int]] = {}
    for role, path in zip(roles, paths, strict=True):
        node, below = entry(role, path, "match")
        for index, item in enumerate(node.value if isinstance(node, yaml.SequenceNode) else ()):
            issuer, at = entry(item, f"{below}[{index}]", "issuer")
            if not isinstance(issuer, yaml.ScalarNode) or issuer is item:
                continue
            first, line = seen.setdefault(issuer.value.lower(), (issuer.value, issuer.start_mark.line + 1))
            if first != issuer.value:
                message = f"`{shown(issuer.value)}` is another issuer than `{shown(first)}` in line {line}"
                source.fault(issuer, at, "issuer-inexact", message, f"did you mean `{shown(first)}`?")


def _check_redundant(source: Source, node: Node, path: str, one: Match, earlier: Sequence[Match]) -> None:
    for index, other in enumerate(earlier):
        if is_within(one, other) or is_within(other, one):
            narrow = "this" if is_within(one, other) else f"entry {index}"
            wide = f"entry {index}" if narrow == "this" else "this"
            message = f"whoever matches {narrow} matches {wide} too, so that {narrow} changes nothing"
            help = "entries of `match` are alternatives: remove the narrower one, or join the claims in one entry"
            source.fault(node, path, "match-redundant", message, help)
            return


def _read_claims(source: Source, node: Node, path: str, audience: str | None) -> dict[str, str]:
    claims: dict[str, str] = {}
    if isinstance(node, yaml.MappingNode) and not node.value:
        help = "name a claim; a role for everybody who can sign in isn't offered"
        source.fault(node, path, "claims-empty", "a match without claims would take everybody", help)
    if not source.is_short(node, path, "`claims`", MAX_CLAIMS):
        return {}
    for name, key, value, below in source.names(node, path, "`claims`"):
        if name in RESERVED_CLAIMS:
            help = "no provider sends such a claim; name another"
            source.fault(key, below, "claim-reserved", f"`{name}` can't be a claim's name", help)
        elif name in EVERYBODY:
            message = f"`{name}` {EVERYBODY[name]}"
            help = "name a claim that says who somebody is, such as `groups`"
            source.fault(key, below, "claim-everybody", message, help)
        elif name == SERVICE_TOKEN and audience == "people":
            message = f"`{name}` is Access's name of a service token, which no person has"
            source.fault(key, below, "claim-machines", message, "add `for: machines`, or name another claim")
        elif name in UNTEXTUAL_CLAIMS:
            message = f"`{name}` is a number or a boolean in every token, and a match takes only texts"
            source.fault(key, below, "claim-untextual", message, "nobody could match this; name another claim")
        else:
            text = _read_value(source, value, below)
            if text is not None:
                claims[name] = text
    return claims


def _read_value(source: Source, node: Node, path: str) -> str | None:
    text = source.exact(node, path, "a claim's value")
    if text is not None and PATTERN.search(text):
        message = f"`{shown(text)}` looks like a pattern, and matching is exact"
        help = "write the whole value, one entry of `match` for each"
        source.fault(node, path, "claim-pattern", message, help)
        return None
    return text
