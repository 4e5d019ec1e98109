"""Every resource type that this plugin has, by its official token."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.plugins.cloudflare import access, dns, kv, routing, scripts, tunnels, workers
from localcloud.plugins.cloudflare.resource import Resource
from localcloud.plugins.serving import PluginError

_FAMILIES = (access, dns, kv, routing, scripts, tunnels, workers)

RESOURCES: Mapping[str, Resource] = {
    f"cloudflare:index/{resource.kind}": resource for family in _FAMILIES for resource in family.RESOURCES
}


def find(token: str) -> Resource:
    """The resource type. Raises PluginError for one that exists only in the official provider."""
    if token not in RESOURCES:
        raise PluginError(f"the offline cloudflare plugin has no resource type `{token}`; install the official plugin")
    return RESOURCES[token]
