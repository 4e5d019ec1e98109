"""A Tunnel hostname has an Access application of its own, which one service token opens and no person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..access import APPLICATION, hostnames_of, policies_of, selectors
from ..model import Limits, NotYetKnown, Resource, Said, Stack, StackGuardrail, dig, each, wrong

CONFIG = "cloudflare:ZeroTrustTunnelCloudflaredConfig"
REMEDY = "declare it with `PrivateHostname`, which makes both"


def judge(stack: Stack, _: Limits) -> Iterator[Said]:
    """From each ingress rule of a Tunnel to the applications of its hostname, and to their policies."""
    named: dict[str, list[Resource]] = {}

    def note(app: Resource) -> Iterator[Said]:
        for hostname in hostnames_of(app):
            named.setdefault(hostname, []).append(app)
        return iter(())

    unreadable = list(each(note, stack.of(APPLICATION)))
    yield from unreadable

    def tunnel(config: Resource) -> Iterator[Said]:
        for index, rule in enumerate(config.items("config.ingresses")):
            yield from _ingress(config, rule, f"config.ingresses[{index}]")
            hostname = dig(rule, "hostname", f"config.ingresses[{index}]")
            if hostname and not named.get(hostname) and unreadable:
                raise NotYetKnown(f"the application of `{hostname}`")
            if hostname and len(named.get(hostname, [])) != 1:
                count = len(named.get(hostname, []))
                yield wrong(config, f"serves `{hostname}`, which has {count} Access applications, not 1", REMEDY)
            for app in named.get(hostname, []):
                yield from each(lambda one, h=hostname: _application(stack, one, h), [app])  # type: ignore[misc]

    yield from each(tunnel, stack.of(CONFIG))


def _ingress(config: Resource, rule: Any, path: str) -> Iterator[Said]:
    hostname, service = dig(rule, "hostname", path), str(dig(rule, "service", path))
    if not hostname:
        if not service.startswith("http_status:"):
            yield wrong(config, f"leads any hostname to `{service}`", "end the rules with `http_status:404`")
        return
    if dig(rule, "originRequest.access.required", path) is not True:
        problem = f"serves `{hostname}` without looking at the Access token (`access.required`)"
        yield wrong(config, problem, "require it, so that cloudflared refuses what didn't come through Access")
    elif not dig(rule, "originRequest.access.audTags", path):
        yield wrong(config, f"serves `{hostname}` for the token of any application", "name the app's `aud_tags`")


def _application(stack: Stack, app: Resource, hostname: str) -> Iterator[Said]:
    others = sorted(hostnames_of(app) - {hostname})
    if others:
        problem = f"of the origin `{hostname}` covers {', '.join(others)} too"
        yield wrong(app, problem, "give each hostname an application, so that no token opens two")
    found, is_complete = policies_of(stack, app)
    if not is_complete:
        problem = f"of the origin `{hostname}` has no policy, or one that isn't in this stack"
        yield wrong(app, problem, "declare the service token's policy beside it")
    for one in found:
        if one.decision != "non_identity":
            problem = f"of the origin `{hostname}` has a policy `{one.resource.name}` that decides `{one.decision}`"
            yield wrong(app, problem, "leave the service token's alone, which decides `non_identity`")
        elif not one.includes or set(selectors(one.includes, "includes")) != {"serviceToken"}:
            problem = f"of the origin `{hostname}` admits more than named service tokens by `{one.resource.name}`"
            yield wrong(app, problem, "let it include one `service_token`, the stack's own")


GUARDRAIL = StackGuardrail(
    name="origin-behind-access",
    description="Every Tunnel hostname has its own Access application, which a named service token alone opens.",
    judge=judge,
)
