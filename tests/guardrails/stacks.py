"""A production stack that keeps every guardrail, in the engine's own form, for tests to break in one spot."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from infra.access.load import load_policies
from infra.access.table import canonical_json, compile_table, digest
from infra.render.bundle import broker_bundle, gateway_bundle
from policies.guardrails.model import Resource, Stack
from policies.guardrails.wire import SECRET, SIGNATURE, read_value

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
IMAGE_ID = "sha256:" + "1" * 64
KEY = "k3y-k3y-k3y-k3y-k3y-k3y"
HOSTNAME, ORIGIN = "bi.example.com", "origin.example.com"
CF, DOCKER = "cloudflare:index/x:", "docker:index/x:"


def secret(value: Any) -> dict[str, Any]:
    """The engine's form of a secret."""
    return {SIGNATURE: SECRET, "value": value}


@dataclass
class Entry:
    """One resource to be; `uses` names others by their key in the draft."""

    type: str
    inputs: dict[str, Any]
    uses: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False


@dataclass
class Draft:
    """Resources by a short name, to be changed before they are judged."""

    entries: dict[str, Entry]
    stack: str = "prod"

    def __getitem__(self, name: str) -> dict[str, Any]:
        """The inputs of a resource."""
        return self.entries[name].inputs

    def urn(self, name: str) -> str:
        """The URN that a resource will have."""
        return f"urn:pulumi:{self.stack}::mbgate::{self.entries[name].type}::{name}"

    def build(self) -> Stack:
        """The stack as the guardrails see it."""
        return Stack(
            Resource(
                urn=self.urn(name),
                type=entry.type,
                inputs=read_value(entry.inputs),
                protect=entry.protect,
                uses={key: frozenset(map(self.urn, names)) for key, names in entry.uses.items()},
            )
            for name, entry in self.entries.items()
        )

    def add(self, name: str, type_: str, inputs: dict[str, Any], **uses: list[str]) -> None:
        """One more resource."""
        self.entries[name] = Entry(type_, inputs, uses)

    def render(self, change: Callable[[dict[str, Any]], Any], *, table: Callable[[Any], Any] | None = None) -> None:
        """Makes the gateway's modules from a changed configuration and table."""
        config, policy = copy.deepcopy(CONFIG), copy.deepcopy(compiled())
        change(config)
        if table is not None:
            table(policy)
        self["gateway-version"]["modules"] = gateway_modules(config, policy)


CONFIG: dict[str, Any] = {
    "stack": "prod",
    "public_url": f"https://{HOSTNAME}",
    "identity": {
        "mode": "access",
        "issuer": "https://id.example.com",
        "client_id": "mbgate",
        "authorization_endpoint": "https://id.example.com/auth",
        "token_endpoint": "https://id.example.com/token",
        "jwks_uri": "https://id.example.com/jwks",
        "algorithms": ["RS256"],
        "jwks": {"keys": [{"kty": "RSA", "kid": "1"}]},
        "bearer_audience": None,
        "access": {
            "issuer": "https://acme.cloudflareaccess.com",
            "audience": "a" * 64,
            "jwks_uri": "https://acme.cloudflareaccess.com/certs",
        },
        "issuers": [],
    },
    "session": {"idle_seconds": 3600, "absolute_seconds": 43200},
    "origin": {"url": "http://metabase.internal:3000", "hostname": ORIGIN},
    "assertion": {"audience": "metabase", "lifetime_seconds": 60},
}


@cache
def compiled() -> Any:
    """The decision table of the project's own policies."""
    return compile_table(load_policies(ROOT / "policies"))


def gateway_modules(config: dict[str, Any], table: Any) -> list[dict[str, str]]:
    """As the deployment renders and uploads them."""
    bundle = gateway_bundle(ROOT, "export default {};\n", config, canonical_json(table), digest(table))
    return uploads(bundle)


def uploads(bundle: Any) -> list[dict[str, str]]:
    """A bundle's modules with the names that the engine has for their properties."""
    renamed = {"name": "name", "content_type": "contentType", "content_base64": "contentBase64"}
    return [{renamed[key]: value for key, value in module.as_upload().items()} for module in bundle.modules]


def secret_text(name: str) -> dict[str, Any]:
    """A secret binding."""
    return {"name": name, "type": "secret_text", "text": secret(f"{name}-{KEY}")}


def _worker(name: str, bindings: list[Any], modules: list[dict[str, str]]) -> dict[str, Entry]:
    logs = {"enabled": True, "headSamplingRate": 1}
    inputs = {
        "name": f"mbgate-prod-{name}",
        "observability": {**logs, "logs": logs},
        "subdomain": {"enabled": False, "previewsEnabled": False},
    }
    version = {"bindings": bindings, "modules": modules, "workerId": UNKNOWN}
    return {
        name: Entry(CF + "Worker", inputs),
        f"{name}-version": Entry(CF + "WorkerVersion", version, {"workerId": [name]}),
    }


def _private(name: str, hostname: str) -> dict[str, Entry]:
    policy = {"name": f"mbgate-prod-{name}", "decision": "non_identity"}
    app = {"name": f"mbgate-prod-{name}", "domain": hostname, "policies": [{"id": UNKNOWN, "precedence": 1}]}
    record = {"name": hostname, "type": "CNAME", "proxied": True, "content": UNKNOWN}
    return {
        f"{name}-token": Entry(CF + "ZeroTrustAccessServiceToken", {"name": f"mbgate-prod-{name}"}),
        f"{name}-policy": Entry(
            CF + "ZeroTrustAccessPolicy", {**policy, "includes": [{"serviceToken": {"tokenId": UNKNOWN}}]}
        ),
        f"{name}-app": Entry(CF + "ZeroTrustAccessApplication", app, {"policies": [f"{name}-policy"]}),
        f"{name}-record": Entry(CF + "DnsRecord", record, {"content": ["tunnel"]}),
    }


def _container(*, envs: list[Any], networks: list[str], user: str = "2000:2000", **more: Any) -> Entry:
    inputs = {
        "image": UNKNOWN,
        "user": user,
        "envs": envs,
        "labels": [{"label": "mbgate", "value": "prod"}],
        "readOnly": True,
        "capabilities": {"drops": ["ALL"]},
        "securityOpts": ["no-new-privileges:true"],
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m", "max-file": "5"},
        "networksAdvanced": [{"name": f"mbgate-prod-{name}"} for name in networks],
        **more,
    }
    return Entry(DOCKER + "Container", inputs, {"image": ["image"], "networksAdvanced": networks, "volumes": ["data"]})


def good() -> Draft:
    """Mode `access`, a Tunnel hostname, and Metabase in a container with a database of its own."""
    labels = [{"label": "mbgate", "value": "prod"}]
    access = {"required": True, "teamName": "acme", "audTags": [UNKNOWN]}
    ingress = {"hostname": ORIGIN, "service": "http://metabase:3000", "originRequest": {"access": access}}
    gateway = ["SESSION_KEY_CURRENT", "OIDC_CLIENT_SECRET", "ORIGIN_CLIENT_SECRET"]
    groups = {"name": "GROUPS", "type": "json", "json": '{"analyst": [3]}'}
    broker = uploads(broker_bundle(ROOT, "export default {};\n", {"assertion": CONFIG["assertion"], "stack": "prod"}))
    files = {"file": "/files/token", "content": secret(KEY)}
    entries = {
        "cloudflare": Entry("pulumi:providers:cloudflare", {"version": "6.23.1"}),
        **_worker("gateway", [secret_text(name) for name in gateway], gateway_modules(CONFIG, compiled())),
        **_worker("broker", [secret_text("METABASE_API_KEY"), groups], broker),
        "domain": Entry(
            CF + "WorkersCustomDomain", {"hostname": HOSTNAME, "service": UNKNOWN}, {"service": ["gateway"]}
        ),
        "tunnel": Entry(CF + "ZeroTrustTunnelCloudflared", {"name": "mbgate-prod-tunnel"}),
        "tunnel-config": Entry(
            CF + "ZeroTrustTunnelCloudflaredConfig",
            {"config": {"ingresses": [ingress, {"service": "http_status:404"}]}},
        ),
        **_private("origin", ORIGIN),
        "people": Entry(
            CF + "ZeroTrustAccessPolicy",
            {"name": "mbgate-prod-people", "decision": "allow", "includes": [{"loginMethod": {"id": UNKNOWN}}]},
        ),
        "gateway-app": Entry(
            CF + "ZeroTrustAccessApplication",
            {
                "name": "mbgate-prod-gateway",
                "domain": HOSTNAME,
                "policies": [{"id": UNKNOWN}],
                "sessionDuration": "12h",
            },
            {"policies": ["people"]},
        ),
        "encryption-key": Entry("mbgate:index:GeneratedKey", {"kind": "aes256"}, protect=True),
        "private": Entry(DOCKER + "Network", {"name": "mbgate-prod-private", "internal": True, "labels": labels}),
        "egress": Entry(DOCKER + "Network", {"name": "mbgate-prod-egress", "internal": False, "labels": labels}),
        "data": Entry(DOCKER + "Volume", {"name": "mbgate-prod-data", "labels": labels}, protect=True),
        "image": Entry(DOCKER + "RemoteImage", {"name": f"metabase/metabase@{IMAGE_ID}"}),
        "metabase": _container(
            envs=["MB_DB_TYPE=postgres", f"MBGATE_FILES={'0' * 64}"],
            networks=["private"],
            volumes=[{"volumeName": "mbgate-prod-data", "containerPath": "/metabase-data"}],
        ),
        "connector": _container(
            envs=["TUNNEL_TOKEN_FILE=/run/mbgate/token"],
            networks=["private", "egress"],
            command=["tunnel", "run"],
            uploads=[files],
        ),
    }
    return Draft(entries)
