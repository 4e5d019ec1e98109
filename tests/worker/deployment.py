"""What a gateway and a broker are deployed with, and the configuration of workerd that runs both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from infra.access.load import load_policies
from infra.access.table import canonical_json, compile_table, digest
from infra.metabase.secrets import generate
from infra.render.bundle import bundle_code, render_module
from infra.render.context import AccessTrust, BrokerContext, GatewayContext, IdentityContext, IssuerTrust
from tests.worker.fake_metabase import API_KEY
from tests.worker.fakes import World

ROOT = Path(__file__).resolve().parents[2]
HOST = "bi.example.com"
PUBLIC = f"https://{HOST}"
ISSUER = "https://idp.example.com"
TEAM = "https://acme.cloudflareaccess.com"
AUDIENCE = "aud-tag"
SECRET = "p@ss:word/+ é"
TEAM_CLAIM = "department"
DATE = "2026-11-01"
PROTO = "x-test-proto"
GROUPS = {"analyst": [5], "engineer": [6], "exec": [7], "bot": [6], "bot-exec": [7]}
CRON = """export default { async fetch(_request, env) {
  return Response.json(await env.GATEWAY.scheduled({ scheduledTime: new Date(), cron: "*/15 * * * *" })); } };"""


SINK = """import entrypoints from "cloudflare-internal:workers";
export default (env) => ({ writeDataPoint(point) {
  const sent = env.sink.fetch("http://sink/", { method: "POST", body: JSON.stringify(point) });
  entrypoints.waitUntil(sent.then((answer) => answer.body?.cancel(), () => {})); } });"""


class Signer:
    """A signing key with a key id, and the public JWK of it."""

    def __init__(self, kid: str, alg: str = "RS256", bits: int = 2048) -> None:
        self.kid, self.alg = kid, alg
        rsa_key = alg.startswith(("RS", "PS"))
        self.key: Any = rsa.generate_private_key(65537, bits) if rsa_key else ec.generate_private_key(ec.SECP256R1())
        algorithm = jwt.algorithms.RSAAlgorithm if rsa_key else jwt.algorithms.ECAlgorithm
        public = json.loads(algorithm.to_jwk(self.key.public_key()))
        public.pop("key_ops", None)
        self.public = {**public, "kid": kid, "alg": alg, "use": "sig"}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A compact JWS over the claims; those that are None are left out."""
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.api_jws.encode(json.dumps(kept).encode(), self.key, self.alg, {"kid": self.kid, **header})


@cache
def signer(kid: str, alg: str = "RS256", bits: int = 2048) -> Signer:
    """One key a name: making RSA keys is slow."""
    return Signer(kid, alg, bits)


@dataclass(frozen=True)
class Deployment:
    """What one gateway is deployed with."""

    mode: str = "oidc"
    session_keys: tuple[str, str] = field(default_factory=lambda: (generate("aes256"), ""))
    assertion_keys: tuple[str, str] = field(default_factory=lambda: (generate("es256"), generate("es256")))
    broker_key: str = field(default_factory=lambda: generate("aes256"))
    public_url: str = PUBLIC
    issuer: str = ISSUER
    session: dict[str, int] = field(default_factory=lambda: {"idle_seconds": 3600, "absolute_seconds": 43200})
    bearer_audience: str | None = PUBLIC
    access_audience: str = AUDIENCE
    hostname: str | None = None
    groups: dict[str, list[int]] = field(default_factory=lambda: dict(GROUPS))
    brand: dict[str, str | None] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    table: dict[str, Any] | None = None
    issuers: tuple[IssuerTrust, ...] = ()
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)

    def decision_table(self) -> dict[str, Any]:
        """`table`, or the tests' own; `roles` are what a role has otherwise, or roles that are there beside."""
        table = self.table or policy_table()
        changed = {name: {**table["roles"].get(name, {}), **change} for name, change in self.roles.items()}
        return {**table, "roles": {**table["roles"], **changed}}

    def kept_claims(self) -> list[str]:
        """The claims that a session of this deployment keeps: those that its table names anywhere, and the team's."""
        roles = self.decision_table()["roles"].values()
        matched = {name for role in roles for entry in role["match"] for name in entry["claims"]}
        given = {name for role in roles for name in ((role["metabase"] or {}).get("attributes") or {}).values()}
        locked = {name for role in roles for rule in role["allow"] for name in (rule.get("locked") or {}).values()}
        return sorted({TEAM_CLAIM} | matched | given | locked)

    def config(self, table: dict[str, Any]) -> dict[str, Any]:
        """The gateway's `config.js`."""
        access = AccessTrust(
            issuer=TEAM,
            audience=self.access_audience,
            jwks_uri=f"{TEAM}/jwks",
            jwks={"keys": [signer("access").public]},
        )
        identity = IdentityContext(
            mode=self.mode,
            provider="workforce",
            issuer=self.issuer,
            client_id="mb gate",
            scopes=("openid", "profile", "email", "groups"),
            authorization_endpoint=f"{ISSUER}/auth",
            token_endpoint=f"{ISSUER}/token",
            end_session_endpoint=f"{ISSUER}/end",
            userinfo_endpoint=None,
            jwks_uri=f"{ISSUER}/jwks",
            algorithms=("RS256", "ES256"),
            jwks={"keys": [signer("idp").public, signer("idp-ec", "ES256").public]},
            bearer_audience=self.bearer_audience,
            access=access if self.mode == "access" else None,
            issuers=self.issuers,
        )
        return GatewayContext(
            stack="test",
            public_url=self.public_url,
            policy_digest=digest(table),
            identity=identity,
            session=self.session,
            origin={"url": "http://metabase.internal:3000", "hostname": self.hostname},
            assertion={"audience": "metabase", "lifetime_seconds": 60},
            team_claim=TEAM_CLAIM,
            brand={"name": "Acme BI", "color": "#2f5bea", **self.brand},
        ).as_dict()


@cache
def policy_table() -> dict[str, Any]:
    """The project's own table, with two roles for machines: by a bearer token's groups, or a name at Access."""
    table = compile_table(load_policies(ROOT / "policies"))
    by = lambda **claims: {"issuer": "workforce", "claims": claims}  # noqa: E731
    roles = {
        **table["roles"],
        "bot": machines(table["roles"]["engineer"], by(common_name="bot.access"), by(groups="bot-engineers")),
        "bot-exec": machines(table["roles"]["exec"], by(groups="bot-execs")),
    }
    return {**table, "roles": roles}


def machines(like: dict[str, Any], *match: dict[str, Any]) -> dict[str, Any]:
    """A role for machines that may do what a role of people may."""
    return {**like, "for": "machines", "landing": None, "session": None, "match": list(match)}


@cache
def code_of(entry: str) -> str:
    """A bundle, made once a test run."""
    return bundle_code(ROOT, entry)


def literal(text: str) -> str:
    """A Cap'n Proto text literal: bytes, those beyond printable ASCII escaped."""
    plain = {byte: chr(byte) for byte in range(0x20, 0x7F)} | {0x22: '\\"', 0x5C: "\\\\"}
    return '"' + "".join(plain.get(byte, f"\\x{byte:02x}") for byte in text.encode()) + '"'


def _worker(name: str, modules: dict[str, str], bindings: list[str], **more: str) -> str:
    parts = ", ".join(f"(name = {literal(n)}, esModule = {literal(text)})" for n, text in modules.items())
    extra = "".join(f", {key} = {value}" for key, value in more.items())
    return (
        f'(name = "{name}", worker = (modules = [{parts}], compatibilityDate = "{DATE}", '
        f"bindings = [{', '.join(bindings)}]{extra}))"
    )


def workerd_config(deployment: Deployment, world: World) -> str:
    table = deployment.decision_table()
    text = lambda name, value: f'(name = "{name}", text = {literal(value)})'  # noqa: E731
    service = lambda name, to: f'(name = "{name}", service = {to})'  # noqa: E731
    outside = {"globalOutbound": '"outside"'}
    told_of_hang_ups = {"compatibilityFlags": '["enable_request_signal"]'}
    origin = [service("ORIGIN", '"origin"'), text("ORIGIN_CLIENT_ID", "id"), text("ORIGIN_CLIENT_SECRET", "of-origin")]
    gateway = [
        text("SESSION_KEY_CURRENT", deployment.session_keys[0]),
        text("SESSION_KEY_PREVIOUS", deployment.session_keys[1]),
        text("ASSERTION_KEY_CURRENT", deployment.assertion_keys[0]),
        text("ASSERTION_KEY_PREVIOUS", deployment.assertion_keys[1]),
        text("OIDC_CLIENT_SECRET", SECRET),
        '(name = "KEYS", kvNamespace = "kv")',
        service("BROKER", '"broker"'),
        '(name = "AUDIT", wrapped = (moduleName = "test:sink", innerBindings = [(name = "sink", service = "sink")]))',
        '(name = "VERSION", json = "{\\"id\\":\\"version-1\\"}")',
        *origin,
    ]
    broker = [
        text("METABASE_API_KEY", API_KEY),
        text("BROKER_KEY", deployment.broker_key),
        text("ASSERTION_KEY", deployment.assertion_keys[0]),
        f'(name = "GROUPS", json = {literal(json.dumps(deployment.groups))})',
        *origin,
    ]
    keep = lambda bindings: [one for one in bindings if not any(f'"{n}"' in one for n in deployment.without)]  # noqa: E731
    config = render_module(ROOT, "config.js.j2", config=deployment.config(table))
    rendered = render_module(ROOT, "table.js.j2", table_json=canonical_json(table), digest=digest(table))
    settings = BrokerContext(
        stack="test",
        public_url=deployment.public_url,
        origin={"url": "http://metabase.internal:3000", "hostname": None},
        assertion={"audience": "metabase", "lifetime_seconds": 60},
    ).as_dict()
    modules = {"gateway.js": code_of("gateway/main.js"), "config.js": config, "table.js": rendered}
    of_broker = {
        "broker.js": code_of("broker/main.js"),
        "config.js": render_module(ROOT, "config.js.j2", config=settings),
    }
    fakes = [
        f'(name = "{name}", external = (address = "127.0.0.1:{world.port}", http = (style = host, '
        f'injectRequestHeaders = [(name = "x-fake", value = "{name}")])))'
        for name in ("origin", "outside", "kv", "sink")
    ]
    services = [
        _worker("gateway", modules, keep(gateway), **outside, **told_of_hang_ups),
        _worker("broker", of_broker, keep(broker), **outside),
        _worker(
            "cron",
            {"cron.js": CRON},
            [service("GATEWAY", '"gateway"')],
            compatibilityFlags='["service_binding_extra_handlers"]',
        ),
        *fakes,
    ]
    http = f'(forwardedProtoHeader = "{PROTO}")'
    sockets = [f'(name = "{name}", http = {http}, service = "{name}")' for name in ("gateway", "broker", "cron")]
    return (
        'using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = (\n  services = [\n    '
        + ",\n    ".join(services)
        + f"\n  ],\n  sockets = [{', '.join(sockets)}],\n  "
        + f'extensions = [(modules = [(name = "test:sink", internal = true, esModule = {literal(SINK)})])],'
        + "\n  logging = (structuredLogging = true),\n);\n"
    )
