"""Reads `issuers`: whose tokens are believed, and for which audience.

An issuer without `url` is the stack's own identity provider, whose place differs by stack; its settings
(`mbgate:identity`) say where it is. All others are the same wherever these policies hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from infra.errors import PolicyError

from .model import Issuer, Policies
from .source import Node, Source, entry, nearest, shown

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
URL = re.compile(
    r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?|http://([a-z0-9-]+\.)*localhost(:[0-9]{1,5})?/?"
)
"""As OpenID Connect Discovery 1.0 section 3 has it: https, without query and fragment. Loopback is for tests."""
MAX_ISSUERS = 20
AUDIENCE_KEYS = {"people": "client_id", "machines": "audience"}
"""What an issuer with a URL must have, so that those for whom a role is can come with its tokens."""


def read_issuers(source: Source, node: Node, path: str) -> tuple[Issuer, ...]:
    """The declared issuers; faulty ones are left out."""
    found: list[Issuer] = []
    if not source.is_short(node, path, "`issuers`", MAX_ISSUERS, "leave some out"):
        return ()
    if isinstance(node, yaml.MappingNode) and not node.value:
        help = "declare an issuer, or remove `issuers`: then the stack's identity provider is the only one"
        source.fault(node, path, "mapping-empty", "`issuers` declares none", help)
    for name, key, value, below in source.names(node, path, "`issuers`"):
        if not NAME.fullmatch(name):
            help = "use lower-case letters, digits and single hyphens"
            source.fault(key, below, "issuer-name-invalid", f"`{shown(name)}` can't be an issuer's name", help)
        issuer = _read_issuer(source, name, value, below)
        if issuer is None:
            continue
        for other in found:
            _check_pair(source, key, below, issuer, other)
        found.append(issuer)
    return tuple(found)


def _read_issuer(source: Source, name: str, node: Node, path: str) -> Issuer | None:
    before = len(source.faults)
    found = source.record(node, path, "an issuer", (), ("url", "client_id", "audience"))
    url, client, audience = (
        source.exact(*found[key], what) if key in found else None
        for key, what in (("url", "an issuer's URL"), ("client_id", "a client id"), ("audience", "an audience"))
    )
    if url is not None and not URL.fullmatch(url):
        help = "write the `issuer` of its discovery document exactly: https, without query and fragment"
        source.fault(*found["url"], "issuer-url-invalid", f"`{shown(url)}` is no issuer's URL", help)
    if url is not None and not {"client_id", "audience"} & found.keys():
        message = f"`{name}` has no audience, so that a token which it made for anybody would be taken"
        help = "add `audience` (of machines' tokens) or `client_id` (with which people sign in)"
        source.fault(node, path, "issuer-audience-missing", message, help)
    if client is not None and client == audience:
        help = "let them differ, or ID tokens would pass for bearer tokens"
        source.fault(*found["audience"], "issuer-audience-shared", "`audience` is the same as `client_id`", help)
    return Issuer(name=name, url=url, client_id=client, audience=audience) if len(source.faults) == before else None


def _check_pair(source: Source, node: Node, path: str, issuer: Issuer, other: Issuer) -> None:
    if issuer.url == other.url:
        what = f"have the URL `{issuer.url}`" if issuer.url else "have no `url`"
        help = "only one can be the stack's own identity provider" if issuer.url is None else "keep one of them"
        source.fault(node, path, "issuer-duplicate", f"`{other.name}` and `{issuer.name}` both {what}", help)
    elif issuer.url and other.url and issuer.url.rstrip("/") == other.url.rstrip("/"):
        message = f"the URLs of `{other.name}` and `{issuer.name}` differ in the last slash only"
        help = "one of them is never sent: keep the `issuer` of the discovery document"
        source.fault(node, path, "issuer-duplicate", message, help)
    if issuer.client_id is not None and other.client_id is not None:
        message = f"people sign in at `{other.name}` already"
        source.fault(node, path, "issuer-sign-in-second", message, "give `client_id` to one issuer")


def check_issuers_met(source: Source, policies: Policies, places: Mapping[str, tuple[Node, str]]) -> None:
    """Notes mappings that nobody can meet, and issuers that no mapping names. `places` are the roles' nodes."""
    declared = {one.name: one for one in policies.issuers}
    for role in policies.roles:
        entries, below = entry(*places[role.name], "match")
        for index, match in enumerate(role.match):
            issuer = declared.get(match.issuer)
            lacking = AUDIENCE_KEYS[role.audience]
            if issuer and issuer.url is not None and getattr(issuer, lacking) is None:
                verb = "signs in at" if role.audience == "people" else "sends a bearer token of"
                message = f"nobody {verb} `{issuer.name}`, which has no `{lacking}`, so this gives no one the role"
                help = f"add `{lacking}` to `{issuer.name}`, or name another issuer for {role.audience}"
                source.fault(*entry(entries.value[index], f"{below}[{index}]", "issuer"), "issuer-unmet", message, help)
    for name in sorted(declared.keys() - _named_in_roles(source)):
        where = entry(*entry(source.root, "$", "issuers"), name) if source.root else None
        if where:
            message = f"no `match` names `{name}`, so that its tokens give nobody anything"
            source.fault(*where, "issuer-unused", message, "remove it, or name it in the `match` of a role")


def _named_in_roles(source: Source) -> set[str]:
    """The issuers of every `match`, of faulty roles too."""
    roles, _ = entry(source.root, "$", "roles") if source.root else (None, "")
    found: set[str] = set()
    for _, role in roles.value if isinstance(roles, yaml.MappingNode) else ():
        entries, _ = entry(role, "", "match")
        for item in entries.value if isinstance(entries, yaml.SequenceNode) else ():
            issuer, _ = entry(item, "", "issuer")
            if isinstance(issuer, yaml.ScalarNode):
                found.add(issuer.value)
    return found


def check_issuers_known(policies: Policies, provider: str) -> None:
    """That every issuer of `match` can send a token: it is declared, or the one of the stack's settings.

    Raises PolicyError with a fault for each role that nobody could have.
    """
    names = [one.name for one in policies.issuers]
    own = [one.name for one in policies.issuers if one.url is None]
    if own and own != [provider]:
        declared = f", or remove `{own[0]}`, of which no tokens are taken" if provider in names else ""
        raise PolicyError(
            f"the policies call the stack's identity provider `{own[0]}`, its settings `{provider}`",
            code="issuer-unknown",
            help=f"set `mbgate:identity.provider` to `{own[0]}`{declared}",
        )
    unknown = {
        entry.issuer: role.name
        for role in policies.roles
        for entry in role.match
        if entry.issuer not in (*names, provider)
    }
    if unknown:
        told = "; ".join(f"`{issuer}` of role `{role}`" for issuer, role in sorted(unknown.items()))
        near = nearest(next(iter(unknown)), [*names, provider])
        raise PolicyError(
            f"no tokens are taken of an issuer that the policies name: {told}",
            code="issuer-unknown",
            help=near or f"name `{provider}` (`mbgate:identity.provider`), or declare the issuer in `issuers`",
        )
