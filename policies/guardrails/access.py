"""How Cloudflare Access applications, their policies and hostnames belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Resource, Stack, dig, known

APPLICATION = "cloudflare:ZeroTrustAccessApplication"
POLICY = "cloudflare:ZeroTrustAccessPolicy"
ANYBODY = ("everyone", "anyValidServiceToken")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One policy of an application, a resource of its own or written into the application."""

    resource: Resource
    decision: Any
    includes: list[Any]
    requires: list[Any]


def decision_of(resource: Resource, values: Mapping[str, Any], prefix: str = "") -> Decision:
    """Reads a policy's inputs; raises NotYetKnown."""
    return Decision(
        resource=resource,
        decision=dig(values, "decision", prefix),
        includes=list(dig(values, "includes", prefix) or []),
        requires=list(dig(values, "requires", prefix) or []),
    )


def inline_policies(app: Resource) -> Iterator[Decision]:
    """The policies that are written into an application; raises NotYetKnown."""
    for index, entry in enumerate(app.items("policies")):
        prefix = f"policies[{index}]"
        values = known(entry, prefix)
        if isinstance(values, Mapping) and values.get("decision") is not None:
            yield decision_of(app, values, prefix)


def policies_of(stack: Stack, app: Resource) -> tuple[list[Decision], bool]:
    """An application's policies, and whether these are all of them: one that it names by a bare id is elsewhere.

    Raises NotYetKnown.
    """
    inline = list(inline_policies(app))
    used = [decision_of(one, one.inputs) for one in stack.used_by(app, "policies", POLICY)]
    return [*inline, *used], len(inline) + len(used) >= len(app.items("policies")) > 0


def hostnames_of(app: Resource) -> set[str]:
    """The hostnames that an application covers wholly, that is without a path; raises NotYetKnown."""
    uris = [app.get("domain"), *app.items("selfHostedDomains")]
    uris += [dig(entry, "uri", f"destinations[{index}]") for index, entry in enumerate(app.items("destinations"))]
    texts = [str(known(uri, "selfHostedDomains")) for uri in uris if uri]
    return {text for text in texts if "/" not in text}


def covers(pattern: str, hostname: str) -> bool:
    """True where an application's hostname, perhaps `*.zone`, covers another."""
    return pattern == hostname or (pattern.startswith("*.") and hostname.endswith(pattern[1:]))


def selectors(rules: list[Any], path: str) -> list[str]:
    """The selectors of a policy's rules, such as `everyone`; raises NotYetKnown where a whole rule is unknown."""
    found: list[str] = []
    for index, rule in enumerate(rules):
        values = known(rule, f"{path}[{index}]")
        found += [name for name, value in values.items() if value is not None] if isinstance(values, Mapping) else []
    return found
