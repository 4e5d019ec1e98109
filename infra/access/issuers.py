"""Reads `issuers`: whose tokens are believed, and for which audience.

An issuer without `url` is the stack's own identity provider, whose place differs by stack; its settings
(`mbgate:identity`) say where it is. All others are the same wherever these policies hold.
"""

from __future__ import annotations

import re

from infra.errors import PolicyError

from .model import Issuer, Policies
from .source import Node, Source, nearest, shown

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
URL = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?|http://[a-z0-9.-]*localhost(:[0-9]{1,5})?/?")
"""As OpenID Connect Discovery 1.0 section 3 has it: https, without query and fragment. Loopback is for tests."""
MAX_ISSUERS = 20


def read_issuers(source: Source, node: Node, path: str) -> tuple[Issuer, ...]:
    """The declared issuers; faulty ones are left out."""
    found: list[Issuer] = []
    if not source.is_short(node, path, "`issuers`", MAX_ISSUERS):
        return ()
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
    if url is not None and client is None and audience is None:
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
    if issuer.client_id is not None and other.client_id is not None:
        message = f"people sign in at `{other.name}` already"
        source.fault(node, path, "issuer-sign-in-second", message, "give `client_id` to one issuer")


def check_issuers_known(policies: Policies, provider: str) -> None:
    """That every issuer of `match` can send a token: it is declared, or the one of the stack's settings.

    Raises PolicyError with a fault for each role that nobody could have.
    """
    names = [one.name for one in policies.issuers]
    own = [one.name for one in policies.issuers if one.url is None]
    if own and own != [provider] and provider not in names:
        raise PolicyError(
            f"the policies call the stack's identity provider `{own[0]}`, its settings `{provider}`",
            code="issuer-unknown",
            help=f"set `mbgate:identity.provider` to `{own[0]}`",
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
