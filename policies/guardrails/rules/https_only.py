"""Nothing that identifies a person crosses a network in clear: every address is https, but on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ..model import LOOPBACK, Resource, ResourceGuardrail, Said, wrong
from ..workers import VERSION, gateway_config

ADDRESSES = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "end_session_endpoint",
    "jwks_uri",
)


def judge(version: Resource) -> Iterator[Said]:
    """The gateway's own address, and those of everybody whose word it takes."""
    values = gateway_config(version)
    if values is None:
        return
    identity = values["identity"]
    found = {"public_url": values.get("public_url"), **{name: identity.get(name) for name in ADDRESSES}}
    others = [identity.get("access"), *(identity.get("issuers") or [])]
    for index, other in enumerate(one for one in others if one):
        found |= {f"{name} of trust {index + 1}": other.get(name) for name in ("issuer", "jwks_uri")}
    for name, url in found.items():
        if url and not is_safe(str(url)):
            yield wrong(version, f"has `{name}` `{url}`, which isn't https", "use an https address")


def is_safe(url: str) -> bool:
    """True for https, and for anything on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "https" or host in LOOPBACK or host.endswith(".localhost")


GUARDRAIL = ResourceGuardrail(
    name="https-only",
    description="The gateway, its identity provider and every issuer are reached by https.",
    kinds=(VERSION,),
    judge=judge,
)
