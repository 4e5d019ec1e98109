"""DNS records (developers.cloudflare.com/api/resources/dns)."""

from __future__ import annotations

from localcloud.plugins.cloudflare.drift import Tolerance
from localcloud.plugins.cloudflare.names import Names
from localcloud.plugins.cloudflare.resource import Resource

RECORD = Resource(
    kind="dnsRecord:DnsRecord",
    collection="/zones/{zoneId}/dns_records",
    item="/{id}",
    required=("name", "ttl", "type", "zoneId"),
    optional=("comment", "content", "data", "priority", "privateRouting", "proxied", "settings", "tags"),
    outputs=("commentModifiedOn", "createdOn", "meta", "modifiedOn", "proxiable", "tagsModifiedOn"),
    replaces=frozenset({"type", "zoneId"}),
    filled=frozenset({"content", "proxied", "settings", "tags"}),
    import_id=("zoneId",),
    names=Names({"ipv4Only": "ipv4_only", "ipv6Only": "ipv6_only"}, documents=("meta",)),
    tolerance=Tolerance(unordered=("tags",)),
    unstable=frozenset({"modifiedOn"}),
)

RESOURCES = (RECORD,)
