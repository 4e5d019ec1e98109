"""Every check, in the order in which findings are shown."""

from __future__ import annotations

from . import containers, credentials, identity, plugins, ports, settings, storage, tools, zones
from .model import Check
from .permissions import ACCOUNT_ID, ZONE_ID, permission_checks

FILE = "settings.file"
CLI = "tools.pulumi"
TOKEN = "cloudflare.token-status"  # noqa: S105 - a check's name
ENGINE = "docker.engine"
DISCOVERY = "identity.discovery"
ISSUER = "identity.issuer"
FAMILIES = {
    "tools": "Tools",
    "state": "State",
    "settings": "Settings",
    "policies": "Policies",
    "cloudflare": "Cloudflare",
    "identity": "Identity provider",
    "docker": "Docker",
    "local": "Local world",
}

CHECKS: tuple[Check, ...] = (
    Check(name="tools.python", run=tools.python),
    Check(name="tools.packages", run=tools.packages),
    Check(name="tools.node", run=tools.node),
    Check(name="tools.node-parts", run=tools.node_parts),
    Check(name=CLI, run=tools.pulumi, seconds=8),
    Check(name="tools.language-host", run=plugins.language_host, needs=(CLI,)),
    Check(name="tools.plugin-cloudflare", run=plugins.cloudflare),
    Check(name="tools.plugin-docker", run=plugins.docker),
    Check(name="tools.git", run=tools.git),
    Check(name="state.cache", run=storage.cache),
    Check(name="state.world", run=storage.world),
    Check(name="state.disk", run=storage.disk, after=(CLI,)),
    Check(name="state.backend", run=storage.backend, needs=(CLI,), seconds=8),
    Check(name="state.stack", run=storage.stack, needs=(CLI, "state.backend"), seconds=8),
    Check(name="state.passphrase", run=storage.passphrase),
    Check(name=FILE, run=settings.file),
    Check(name="settings.values", run=settings.values, needs=(FILE,)),
    Check(name="settings.secret", run=settings.secret, needs=(FILE,)),
    Check(name="policies.load", run=settings.policies, seconds=8),
    Check(name="cloudflare.token", run=credentials.token),
    Check(name=TOKEN, run=credentials.token_status, needs=("cloudflare.token",), uses=(), seconds=7),
    Check(name="cloudflare.account", run=zones.account, needs=(TOKEN,), uses=(ACCOUNT_ID,), seconds=7),
    Check(name="cloudflare.zone", run=zones.zone, needs=(TOKEN,), uses=(ZONE_ID,), seconds=7),
    Check(
        name="cloudflare.hostnames",
        run=zones.hostnames,
        needs=("cloudflare.zone",),
        uses=("gateway.hostname", "origin.hostname", "metabase.adminHostname"),
        seconds=7,
    ),
    *permission_checks(),
    Check(name="cloudflare.team", run=zones.team, uses=("cloudflare.teamUrl",)),
    Check(name=DISCOVERY, run=identity.discovery, uses=(ISSUER,)),
    Check(name="identity.https", run=identity.https, needs=(DISCOVERY,)),
    Check(name="identity.keys", run=identity.keys, needs=(DISCOVERY,), uses=("identity.algorithms",)),
    Check(
        name="identity.issuers",
        run=identity.issuers,
        needs=("policies.load",),
        uses=("identity.algorithms", "identity.mode", "identity.provider"),
        seconds=10,
    ),
    Check(
        name="identity.redirect",
        run=identity.redirect,
        uses=("gateway.hostname", "gateway.publicUrl", "identity.mode", "identity.clientId"),
    ),
    Check(name="identity.clock", run=identity.clock, uses=(ISSUER, "cloudflare.baseUrl"), seconds=7),
    Check(name=ENGINE, run=containers.engine, uses=("docker.host", "metabase.runtime"), seconds=7),
    Check(name="docker.system", run=containers.system, needs=(ENGINE,)),
    Check(name="docker.memory", run=containers.memory, needs=(ENGINE,), uses=("metabase.memoryMb",)),
    Check(
        name="docker.images",
        run=containers.images,
        after=(ENGINE,),
        uses=(
            "metabase.image",
            "metabase.digest",
            "connector.image",
            "connector.digest",
            "sidecar.image",
            "sidecar.digest",
        ),
    ),
    Check(name="docker.networks", run=containers.networks, needs=(ENGINE,), uses=("metabase.networks",)),
    Check(name="docker.collisions", run=containers.collisions, needs=(ENGINE,)),
    Check(name="local.ports", run=ports.ports),
    Check(name="local.parts", run=ports.parts),
)
