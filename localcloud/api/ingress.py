"""A tunnel's remote configuration: cloudflared's own document, hence camelCase.

Source: https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from .envelope import ApiError, Strict, dump

SERVICE = re.compile(
    r"http_status:[1-5]\d\d|hello_world|bastion|socks-proxy|unix(\+tls)?:.+"
    r"|(https?|tcp|ssh|rdp|smb|ws|wss)://[^\s/]+(/\S*)?"
)


class Camel(Strict):
    """A part of the document."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class OriginAccess(Camel):
    """`access`: cloudflared verifies the Access token itself."""

    required: bool = False
    team_name: str
    aud_tag: list[str]


class OriginRequest(Camel):
    """`originRequest`; times in seconds"""

    access: OriginAccess | None = None
    ca_pool: str | None = None
    connect_timeout: int | None = None
    disable_chunked_encoding: bool | None = None
    http2_origin: bool | None = Field(None, alias="http2Origin")
    http_host_header: str | None = None
    keep_alive_connections: int | None = None
    keep_alive_timeout: int | None = None
    match_sni_to_host: bool | None = Field(None, alias="matchSNItoHost")
    no_happy_eyeballs: bool | None = None
    no_tls_verify: bool | None = Field(None, alias="noTLSVerify")
    origin_server_name: str | None = None
    proxy_type: str | None = None
    tcp_keep_alive: int | None = None
    tls_timeout: int | None = None


class Ingress(Camel):
    """`ingress[]`; an empty hostname matches all"""

    service: str
    hostname: str | None = None
    path: str | None = None
    origin_request: OriginRequest | None = None


class TunnelConfig(Camel):
    """`config`"""

    ingress: list[Ingress]
    origin_request: OriginRequest | None = None


class Configuration(Strict):
    """Body of a configuration."""

    config: TunnelConfig

    def wire(self) -> dict[str, Any]:
        """The document as it was sent."""
        return dump(self.config)


def check_ingress(rules: list[Ingress]) -> None:
    """Raises ApiError 400 (1056) unless each service is one and exactly the last rule matches everything."""
    if not rules:
        raise ApiError(400, 1056, "Bad Configuration: at least one ingress rule is needed")
    for index, rule in enumerate(rules, 1):
        if not SERVICE.fullmatch(rule.service):
            raise ApiError(400, 1056, f"Bad Configuration: Rule #{index} has the invalid service '{rule.service}'")
        matches_all = rule.hostname in (None, "", "*") and not rule.path
        if matches_all and index < len(rules):
            raise ApiError(
                400,
                1056,
                f"Bad Configuration: Rule #{index} is matching the hostname '', but this will match every hostname, "
                f"meaning the rules which follow it will never be triggered.",
            )
        if not matches_all and index == len(rules):
            raise ApiError(
                400,
                1056,
                "Bad Configuration: The last ingress rule must match all URLs "
                "(i.e. it should not have a hostname or path filter)",
            )
