"""A name that leads to the origin leads through Cloudflare's proxy, and Access stands in front of it."""

from __future__ import annotations

from collections.abc import Iterator

from ..access import APPLICATION, covers, hostnames_of
from ..model import Limits, Resource, Said, Stack, StackGuardrail, each, wrong

TUNNEL = "cloudflare:ZeroTrustTunnelCloudflared"
SUFFIX = ".cfargotunnel.com"


def judge(stack: Stack, _: Limits) -> Iterator[Said]:
    """Every record of the stack: the gateway's own is made by its custom domain."""

    def record(one: Resource) -> Iterator[Said]:
        if one.get("type") in ("TXT", "CAA"):
            return
        if one.get("proxied") is not True:
            yield wrong(one, "isn't proxied, so that it tells an address around Access", "set `proxied=True`")
        to_tunnel = stack.used_by(one, "content", TUNNEL) or str(one.get("content")).endswith(SUFFIX)
        if not to_tunnel:
            yield wrong(one, "leads to something else than the Tunnel", f"let it be a CNAME of `TUNNEL{SUFFIX}`")
        name = str(one.get("name"))
        if not any(covers(pattern, name) for app in stack.of(APPLICATION) for pattern in hostnames_of(app)):
            yield wrong(one, f"makes `{name}` known, which no Access application covers", "declare one before it")

    yield from each(record, stack.of("cloudflare:DnsRecord", "cloudflare:Record"))


GUARDRAIL = StackGuardrail(
    name="dns-behind-access",
    description="Every DNS record is proxied, leads to the Tunnel, and has an Access application in front.",
    judge=judge,
)
