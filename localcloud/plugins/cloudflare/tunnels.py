"""Tunnels, their ingress, and the VPC services behind them."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from localcloud.plugins.cloudflare.client import Api
from localcloud.plugins.cloudflare.drift import Tolerance
from localcloud.plugins.cloudflare.names import Names
from localcloud.plugins.cloudflare.resource import Inputs, Resource, Wire

# The configuration is cloudflared's own document, so its wire names are camelCase.
_CONFIG_NAMES = Names(
    {"tunnelId": "tunnel_id", "createdAt": "created_at", "ingresses": "ingress", "audTags": "audTag"}
    | {"matchSnItoHost": "matchSNItoHost", "noTlsVerify": "noTLSVerify"}
    | {
        name: name
        for name in (
            "originRequest", "caPool", "connectTimeout", "disableChunkedEncoding", "http2Origin", "httpHostHeader",
            "keepAliveConnections", "keepAliveTimeout", "noHappyEyeballs", "originServerName", "proxyType",
            "tcpKeepAlive", "tlsTimeout", "teamName",
        )
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tunnel(Resource):
    """`ZeroTrustTunnelCloudflared`."""

    @override
    async def read(self, api: Api, object_id: str, inputs: Inputs) -> Wire | None:
        answer = await super().read(api, object_id, inputs)
        # The API goes on answering a deleted tunnel, with the time of its end.
        return None if answer is None or answer.get("deleted_at") else answer


TUNNEL = Tunnel(
    kind="zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",
    collection="/accounts/{accountId}/cfd_tunnel",
    item="/{id}",
    required=("accountId", "name"),
    optional=("configSrc", "tunnelSecret"),
    outputs=(
        "accountTag", "connections", "connsActiveAt", "connsInactiveAt", "createdAt", "deletedAt", "metadata",
        "remoteConfig", "status", "tunType",
    ),
    replaces=frozenset({"accountId", "configSrc"}),
    update_verb="PATCH",
    import_id=("accountId",),
    names=Names(documents=("metadata",)),
    defaults=lambda _: {"config_src": "local"},
    tolerance=Tolerance(hidden=("tunnel_secret",)),
    secrets=frozenset({"tunnelSecret"}),
)  # fmt: skip

TUNNEL_CONFIG = Resource(
    kind="zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
    collection="/accounts/{accountId}/cfd_tunnel",
    item="/{tunnelId}/configurations",
    required=("accountId", "tunnelId"),
    optional=("config", "source"),
    outputs=("createdAt", "version"),
    replaces=frozenset({"accountId", "tunnelId"}),
    filled=frozenset({"source"}),
    create_verb="PUT",
    create_at_item=True,
    deletes=False,
    id_from="tunnelId",
    import_id=("accountId",),
    names=_CONFIG_NAMES,
    unstable=frozenset({"version"}),
)

DIRECTORY_SERVICE = Resource(
    kind="connectivityDirectoryService:ConnectivityDirectoryService",
    collection="/accounts/{accountId}/connectivity/directory/services",
    item="/{id}",
    required=("accountId", "host", "name", "type"),
    optional=("appProtocol", "httpPort", "httpsPort", "tcpPort", "tlsSettings"),
    outputs=("createdAt", "serviceId", "updatedAt"),
    replaces=frozenset({"accountId"}),
    id_from="service_id",
    import_id=("accountId",),
    unstable=frozenset({"updatedAt"}),
)

RESOURCES = (TUNNEL, TUNNEL_CONFIG, DIRECTORY_SERVICE)
