"""State documents as the local API hands them to the edge."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

Json = dict[str, Any]
ACCOUNT = "0123456789abcdef0123456789abcdef"
TUNNEL = "11111111-2222-4333-8444-555555555555"
WORKERS = Path(__file__).parent / "workers"
TYPES = {".js": "application/javascript+module", ".json": "application/json", ".txt": "text/plain"}


def module(name: str, text: str | bytes) -> Json:
    """A module as the API keeps it."""
    content = text.encode() if isinstance(text, str) else text
    return {
        "name": name,
        "content_type": TYPES[Path(name).suffix],
        "content_base64": base64.b64encode(content).decode(),
    }


def version(modules: list[Json], *, bindings: list[Json] | None = None, percentage: float = 100, **more: Any) -> Json:
    """A version; the first module is the main one."""
    return {
        "percentage": percentage,
        "id": secrets.token_hex(8),
        "number": 1,
        "main_module": modules[0]["name"],
        "modules": list(reversed(modules)),
        "bindings": bindings or [],
        "compatibility_date": "2026-11-01",
        "compatibility_flags": [],
        **more,
    }


def text_worker(name: str, text: str) -> Json:
    """A Worker that answers one text, slowly where asked for `/slow`."""
    code = (
        f'export default {{ async fetch(r) {{ if (r.url.endsWith("/slow")) await scheduler.wait(1500); '
        f'return new Response("{text}"); }} }}'
    )
    return {"id": f"id-{name}", "name": name, "crons": [], "versions": [version([module("m.js", code)])]}


def probe(**changes: Any) -> Json:
    """The Worker that shows what reaches it and uses every binding."""
    names = ("probe.js", "settings.json", "note.txt")
    bindings = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": "ns1"},
        {"name": "HELPER", "type": "service", "service": "helper"},
        {"name": "NAMED", "type": "service", "service": "helper", "entrypoint": "Named"},
        {"name": "AE", "type": "analytics_engine", "dataset": "audit"},
        {"name": "ORIGIN", "type": "vpc_service", "service_id": "svc1"},
        {"name": "VERSION", "type": "version_metadata"},
        {"name": "SECRET", "type": "secret_text", "text": 'ü"\\ \n secret'},
        {"name": "PLAIN", "type": "plain_text", "text": "plain"},
        {"name": "JSON_TEXT", "type": "json", "json": '{"analyst":[5]}'},
        {"name": "JSON_VALUE", "type": "json", "json": {"exec": [6]}},
    ]
    modules = [module(name, (WORKERS / name).read_bytes()) for name in names]
    made = version(modules, bindings=bindings, tag="t1", created_on="2026-11-24T00:00:00Z")
    return {"id": "id-probe", "name": "probe", "crons": ["*/15 * * * *"], "versions": [made], **changes}


def helper() -> Json:
    """The Worker behind the service bindings."""
    code = module("helper.js", (WORKERS / "helper.js").read_bytes())
    return {"id": "id-helper", "name": "helper", "crons": [], "versions": [version([code])]}


def signing_key() -> Json:
    """A private RS256 JWK."""
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    public = numbers.public_numbers
    values = {
        "n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
        "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
    }  # fmt: skip
    encoded = {
        name: base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
        for name, value in values.items()
    }
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": secrets.token_hex(16), **encoded}


def empty() -> Json:
    """An account with nothing in it."""
    return {
        "account_id": ACCOUNT,
        "zone": {"id": "fedcba9876543210fedcba9876543210", "name": "localhost"},
        "workers": [],
        "domains": [],
        "routes": [],
        "kv_namespaces": [{"id": "ns1", "title": "keys"}],
        "tunnels": [],
        "connectivity_services": [],
        "dns_records": [],
        "access": {
            "apps": [],
            "policies": [],
            "groups": [],
            "identity_providers": [],
            "service_tokens": [],
            "signing_keys": [signing_key(), signing_key()],
        },
    }


def domain(hostname: str, service: str) -> Json:
    """A custom domain."""
    return {"hostname": hostname, "service": service, "zone_id": "fedcba9876543210fedcba9876543210"}


def application(name: str, hostname: str, policies: list[Json], **more: Any) -> Json:
    """An Access application with its policies written out."""
    return {
        "id": f"app-{name}",
        "name": name,
        "type": "self_hosted",
        "domain": hostname,
        "destinations": [{"type": "public", "uri": hostname}],
        "policies": [
            {"id": f"{name}-{i}", "precedence": i + 1, "exclude": [], "require": [], **p}
            for i, p in enumerate(policies)
        ],
        "allowed_idps": [],
        "aud": secrets.token_hex(32),
        "session_duration": "24h",
        "service_auth_401_redirect": False,
        **more,
    }
