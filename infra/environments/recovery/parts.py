"""Every kind of object that the program makes, and the names that this stack's objects have.

A test walks the state of a real deployment: each type there must be in `FOUND_BY_NAME` or in `NEEDS_NO_FINDER`, and
each name in `names`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.naming import resource_name

from .model import Key, State

WORKER = "cloudflare:index/worker:Worker"
KV = "cloudflare:index/workersKvNamespace:WorkersKvNamespace"
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"
SERVICE = "cloudflare:index/connectivityDirectoryService:ConnectivityDirectoryService"
APPLICATION = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
POLICY = "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy"
PROVIDER = "cloudflare:index/zeroTrustAccessIdentityProvider:ZeroTrustAccessIdentityProvider"
TOKEN = "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"  # noqa: S105 - a type's name
DNS = "cloudflare:index/dnsRecord:DnsRecord"
CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"

# In the order in which they can be deleted: what refers to another comes before it.
FOUND_BY_NAME: dict[str, str] = {
    APPLICATION: "name",
    DNS: "name",
    SERVICE: "name",
    POLICY: "name",
    TOKEN: "name",
    PROVIDER: "name",
    WORKER: "name",
    KV: "title",
    TUNNEL: "name",
    CONTAINER: "name",
    NETWORK: "name",
    VOLUME: "name",
}
# Made by an upsert, or part of an object above: made again, they are the same. `mbgate:` is the project's own provider,
# whose creations can all be repeated.
NEEDS_NO_FINDER = (
    "mbgate:",
    "pulumi:",
    "cloudflare:index/workerVersion:",
    "cloudflare:index/workersDeployment:",
    "cloudflare:index/workersCronTrigger:",
    "cloudflare:index/workersCustomDomain:",
    "cloudflare:index/zeroTrustTunnelCloudflaredConfig:",
    "docker:index/remoteImage:",
)
# Each part with what the program appends to its name.
PARTS: tuple[tuple[str, str, str], ...] = (
    (WORKER, "gateway", ""),
    (WORKER, "broker", ""),
    (KV, "keys", ""),
    (TUNNEL, "tunnel", ""),
    (SERVICE, "metabase", ""),
    (APPLICATION, "gateway", ""),
    (POLICY, "gateway", "-people"),
    (POLICY, "gateway", "-machines"),
    *((kind, part, "") for part in ("origin", "deployment") for kind in (APPLICATION, POLICY, TOKEN)),
)
# Settings that hold the names of DNS records.
HOSTNAMES = (("origin", "hostname"), ("metabase", "adminHostname"))
DEFAULT_PROVIDER = "workforce"


def names(stack: str, state: State, config: Mapping[str, Any]) -> frozenset[Key]:
    """(type token, name) of every object that this stack has, was making or would make.

    Names are compared whole: `mbgate-a-` begins the names of stack `a` and those of stack `a-b`.
    """
    known = {(token, resource_name(stack, part) + suffix) for token, part, suffix in PARTS}
    known.add((PROVIDER, resource_name(stack, config.get("identity", {}).get("provider", DEFAULT_PROVIDER))))
    hostnames = [config.get(section, {}).get(setting) for section, setting in HOSTNAMES]
    known.update((DNS, hostname) for hostname in hostnames if hostname)
    for token, inputs in (
        *((r["type"], r.get("inputs") or {}) for r in state.resources),
        *((p.token, p.inputs) for p in state.pending if p.operation == "creating"),
    ):
        if name := name_of(token, inputs):
            known.add((token, name))
    return frozenset(known)


def name_of(token: str, inputs: Mapping[str, Any]) -> str | None:
    """The name under which an object of these inputs is found outside; None for kinds that need no finder."""
    name = inputs.get(FOUND_BY_NAME.get(token, ""))
    return name if isinstance(name, str) else None
