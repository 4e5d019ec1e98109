"""Everything says whose it is: Docker objects by the label `mbgate=STACK`, others by the name `mbgate-STACK-…`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import Resource, ResourceGuardrail, Said, dig, wrong

DOCKER = ("docker:Container", "docker:Network", "docker:Volume", "docker:Service")
NAMED = {
    "cloudflare:Worker": "name",
    "cloudflare:WorkersKvNamespace": "title",
    "cloudflare:ZeroTrustTunnelCloudflared": "name",
    "cloudflare:ConnectivityDirectoryService": "name",
    "cloudflare:ZeroTrustAccessApplication": "name",
    "cloudflare:ZeroTrustAccessPolicy": "name",
    "cloudflare:ZeroTrustAccessServiceToken": "name",
    "cloudflare:ZeroTrustAccessIdentityProvider": "name",
}
# Any other stack name is changed, and ends in a hash of its own (infra/naming.py).
PLAIN = re.compile(r"(?!.*-[0-9a-f]{8}\Z)[a-z0-9]+(?:-[a-z0-9]+)*\Z")


def judge(resource: Resource) -> Iterator[Said]:
    """By these `mbgate recover` knows what a killed deployment left behind."""
    if resource.kind in DOCKER:
        found = {}
        for index, label in enumerate(resource.items("labels")):
            found[dig(label, "label", f"labels[{index}]")] = dig(label, "value", f"labels[{index}]")
        if found.get("mbgate") != resource.stack:
            yield wrong(resource, f"lacks the label `mbgate={resource.stack}`", "make it by `Engine` of containers.py")
        return
    name = str(resource.get(NAMED[resource.kind]))
    stack = resource.stack
    prefix = f"mbgate-{stack}-" if PLAIN.match(stack) and len(stack) <= 40 else "mbgate-"
    if not name.startswith(prefix):
        yield wrong(resource, f"is named `{name}`, not `{prefix}…`", "name it by `resource_name` of infra/naming.py")


GUARDRAIL = ResourceGuardrail(
    name="labelled",
    description="Every object says by label or name to which stack it belongs.",
    kinds=(*DOCKER, *NAMED),
    judge=judge,
)
