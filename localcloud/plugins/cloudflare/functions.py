"""Functions: look-ups that change nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from localcloud.plugins.cloudflare.client import Api
from localcloud.plugins.cloudflare.names import Names
from localcloud.plugins.serving import PluginError

Function = Callable[[Api, Mapping[str, Any]], Awaitable[dict[str, Any]]]

_ZONE_NAMES = Names({"originalDnshost": "original_dnshost"})


async def tunnel_token(api: Api, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The token with which a connector runs the tunnel; wrap it in `Output.secret`, as with the official provider."""
    account, tunnel = (quote(str(arguments[name]), safe="") for name in ("accountId", "tunnelId"))
    token = await api.send("GET", f"/accounts/{account}/cfd_tunnel/{tunnel}/token")
    return {"accountId": arguments["accountId"], "tunnelId": arguments["tunnelId"], "token": token}


async def zone(api: Api, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A zone by its id, or the only one that a filter finds. Raises PluginError on none or several."""
    if "zoneId" in arguments:
        found = await api.send("GET", f"/zones/{quote(str(arguments['zoneId']), safe='')}")
    else:
        found = await _only_zone(api, arguments.get("filter") or {})
    details = _ZONE_NAMES.decode(found)
    return details | {"zoneId": found["id"], "filter": arguments.get("filter")}


async def _only_zone(api: Api, wanted: Mapping[str, Any]) -> dict[str, Any]:
    query = {name: wanted[name] for name in ("name", "status", "match", "order", "direction") if name in wanted}
    account = wanted.get("account") or {}
    query |= {f"account.{name}": value for name, value in account.items()}
    zones = await api.send("GET", "/zones?" + urlencode(query)) or []
    if len(zones) != 1:
        raise PluginError(f"getZone found {len(zones)} zones for {dict(wanted)}; it takes exactly one")
    only: dict[str, Any] = zones[0]
    return only


FUNCTIONS: Mapping[str, Function] = {
    "cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken": tunnel_token,
    "cloudflare:index/getZone:getZone": zone,
}
