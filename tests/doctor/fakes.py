"""Small servers and projects that checks look at: what they answer is what the test wrote."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.environments.doctor import Subject, open_subject

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, ZONE, OTHER = "a" * 32, "b" * 32, "c" * 32
TOKEN = "cfut_" + "T0kenOfTheTest" * 3 + "abcd"
_NUMBERS = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers()


def _b64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


JWK = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": _b64(_NUMBERS.n), "e": "AQAB"}


@dataclass(kw_only=True)
class Fake:
    """A server whose answers are in `routes`: path → (status, JSON); `clock` shifts its Date, `hangs` never answers."""

    routes: dict[str, tuple[int, Any]] = field(default_factory=dict)
    clock: float = 0.0
    hangs: bool = False
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ok(self, path: str, result: Any) -> None:
        """Answers in Cloudflare's envelope."""
        self.routes[f"/client/v4/{path}"] = (200, {"success": True, "errors": [], "result": result})

    def refuse(self, path: str, status: int = 403, code: int = 10000, message: str = "Authentication error") -> None:
        """Refuses as Cloudflare does."""
        errors = [{"code": code, "message": message}]
        self.routes[f"/client/v4/{path}"] = (status, {"success": False, "errors": errors, "result": None})

    def start(self) -> ThreadingHTTPServer:
        """Serves on a free port until the caller shuts it down."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.asked.append(self.path)
                if fake.hangs:
                    time.sleep(30)
                    return
                missing = (404, {"success": False, "errors": [{"code": 7003, "message": "no route"}], "result": None})
                status, body = fake.routes.get(self.path, missing)
                text = json.dumps(body).encode()
                self.send_response_only(status)
                self.send_header("Date", formatdate(time.time() + fake.clock, usegmt=True))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_HEAD = do_GET

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


def cloudflare(fake: Fake) -> None:
    """An account with the zone example.com and a token that may do everything."""
    fake.ok("user/tokens/verify", {"id": "x", "status": "active"})
    fake.ok(f"accounts/{ACCOUNT}", {"id": ACCOUNT, "name": "Acme"})
    fake.ok(f"zones/{ZONE}", {"id": ZONE, "name": "example.com", "status": "active", "account": {"id": ACCOUNT}})
    for path in ("workers/scripts", "storage/kv/namespaces", "cfd_tunnel", "connectivity/directory/services"):
        fake.ok(f"accounts/{ACCOUNT}/{path}", [])
    for path in ("apps", "identity_providers", "service_tokens"):
        fake.ok(f"accounts/{ACCOUNT}/access/{path}", [])
    fake.ok(f"zones/{ZONE}/dns_records", [])
    fake.ok(f"zones/{ZONE}/workers/routes", [])
    fake.routes["/cdn-cgi/access/certs"] = (200, {"keys": [JWK]})


def provider(fake: Fake) -> None:
    """An OpenID provider."""
    fake.routes["/.well-known/openid-configuration"] = (
        200,
        {
            "issuer": fake.url,
            "authorization_endpoint": f"{fake.url}/auth",
            "token_endpoint": f"{fake.url}/token",
            "jwks_uri": f"{fake.url}/jwks",
            "scopes_supported": ["openid", "profile", "email", "groups"],
        },
    )
    fake.routes["/jwks"] = (200, {"keys": [JWK]})


def docker(fake: Fake) -> None:
    """A Docker engine."""
    fake.routes["/version"] = (200, {"Version": "28.2.2", "ApiVersion": "1.50", "MinAPIVersion": "1.24"})
    v = "/v1.50"
    fake.routes[f"{v}/version"] = fake.routes["/version"]
    info = {"OSType": "linux", "Architecture": "x86_64", "MemTotal": 8 * 1024**3, "Plugins": {"Network": ["bridge"]}}
    fake.routes[f"{v}/info"] = (200, info)
    fake.routes[f"{v}/containers/json?limit=-1&all=1&size=0&trunc_cmd=0"] = (200, [])
    fake.routes[f"{v}/networks?filters=%7B%7D"] = (200, [{"Name": "warehouse", "Labels": {}}])
    fake.routes[f"{v}/volumes"] = (200, {"Volumes": []})


def values(url: str) -> dict[str, Any]:
    """Settings of a stack that finds everything at one address."""
    digest = "sha256:" + "d" * 64
    return {
        "mbgate:cloudflare": {"accountId": ACCOUNT, "zoneId": ZONE, "teamUrl": url, "baseUrl": f"{url}/client/v4"},
        "mbgate:environment": "base",
        "mbgate:gateway": {"hostname": "bi.example.com"},
        "mbgate:identity": {"issuer": url, "clientId": "mbgate"},
        "mbgate:docker": {"host": url.replace("http", "tcp")},
        "mbgate:metabase": {"adminHostname": "bi-admin.example.com", "digest": digest},
        "mbgate:connector": {"digest": digest},
        "mbgate:sidecar": {"digest": digest},
        "mbgate:oidcClientSecret": {"secure": "v1:abc"},
    }


@dataclass(kw_only=True)
class Project:
    """A checkout in a folder of its own."""

    root: Path
    config: dict[str, Any]
    environ: dict[str, str]
    salt: bool = False

    def change(self, section: str, **more: Any) -> None:
        """Sets keys of a section; None removes one."""
        merged = {**self.config.get(f"mbgate:{section}", {}), **more}
        self.config[f"mbgate:{section}"] = {k: v for k, v in merged.items() if v is not None}

    def write(self, stack: str = "dev") -> None:
        """Writes the stack's file."""
        document = {"config": self.config, **({"encryptionsalt": "v1:x"} if self.salt else {})}
        (self.root / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document))

    def open(self, stack: str | None = "dev") -> Subject:
        """Writes the file and opens it for checks."""
        self.write()
        return open_subject(self.root, stack, self.environ)


def program(folder: Path, name: str, script: str) -> Path:
    """A shell script as an executable."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return folder / name
