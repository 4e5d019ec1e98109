"""The Worker's modules as they are deployed, with rendered `config.js` and `table.js`, under Node's test runner."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.access.load import load_policies
from infra.access.table import canonical_json, compile_table, digest
from infra.metabase.secrets import generate
from infra.render.bundle import bundle_code, render_module
from infra.render.context import AccessTrust, GatewayContext, IdentityContext

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NODE = Path(sys.executable).parent / "node"


def node(script: str, cwd: Path) -> str:
    return subprocess.run(
        [NODE, "--input-type=module", "-e", script], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the gateway's modules with a rendered configuration, and the private keys that tests sign with."""
    folder = tmp_path_factory.mktemp("worker")
    for part in ("gateway", "common"):
        shutil.copytree(ROOT / "worker_templates" / part, folder / part)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / "package.json").write_text('{"type":"module"}')
    keys = json.loads(
        node(
            "import {generateKeyPair, exportJWK} from 'jose';"
            "const out = {};"
            "for (const [kid, alg] of [['r1','RS256'],['r2','RS256'],['e1','ES256'],['a1','RS256']]) {"
            "const p = await generateKeyPair(alg, {extractable: true});"
            "const [secret, open] = [await exportJWK(p.privateKey), await exportJWK(p.publicKey)];"
            "out[kid] = {private: {...secret, kid, alg}, public: {...open, kid, alg, use: 'sig'}};"
            "} console.log(JSON.stringify(out));",
            folder,
        )
    )
    policies = load_policies(ROOT / "policies")
    table = compile_table(policies)
    context = GatewayContext(
        stack="test",
        public_url="https://bi.example.com",
        policy_digest=digest(table),
        identity=IdentityContext(
            mode="oidc",
            provider="workforce",
            issuer="https://idp.example.com",
            client_id="mbgate",
            scopes=("openid",),
            authorization_endpoint="https://idp.example.com/auth",
            token_endpoint="https://idp.example.com/token",
            end_session_endpoint="https://idp.example.com/end",
            userinfo_endpoint=None,
            jwks_uri="https://idp.example.com/jwks",
            algorithms=("RS256", "ES256"),
            jwks={"keys": [keys["r1"]["public"], keys["e1"]["public"]]},
            bearer_audience="https://bi.example.com",
            access=AccessTrust(
                issuer="https://acme.cloudflareaccess.com",
                audience="aud-tag",
                jwks_uri="https://acme.cloudflareaccess.com/cdn-cgi/access/certs",
                jwks={"keys": [keys["a1"]["public"]]},
            ),
        ),
        session={"idle_seconds": 3600, "absolute_seconds": 43200},
        origin={"url": "http://metabase.internal:3000", "hostname": None},
        assertion={"audience": "metabase", "lifetime_seconds": 60},
        team_claim="department",
        brand={"name": 'Acme </style><script>"', "color": "#2f5bea"},
    )
    (folder / "gateway" / "config.js").write_text(render_module(ROOT, "config.js.j2", config=context.as_dict()))
    text = render_module(ROOT, "table.js.j2", table_json=canonical_json(table), digest=digest(table))
    (folder / "gateway" / "table.js").write_text(text)
    secrets = {
        "keys": keys,
        "session": [generate("aes256"), generate("aes256"), generate("aes256")],
        "assertion": [generate("es256"), generate("es256")],
    }
    (folder / "secrets.json").write_text(json.dumps(secrets))
    return folder


@pytest.mark.parametrize("suite", sorted(p.name for p in HERE.glob("*.test.mjs")))
def test_suite(deployed: Path, suite: str) -> None:
    environment = {**os.environ, "DEPLOYED": str(deployed)}
    done = subprocess.run([NODE, "--test", HERE / suite], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert re.search(r"\bfail 0$", done.stdout, re.MULTILINE), done.stdout[-2000:]
    assert re.search(r"\bpass [1-9]", done.stdout), "no test ran"


def test_the_rendered_modules_hold_the_values_and_nothing_else(deployed: Path) -> None:
    out = node(
        "import c from './gateway/config.js'; import {table, digest} from './gateway/table.js';"
        "console.log(JSON.stringify({name: c.brand.name, digest, roles: Object.keys(table.roles).sort()}))",
        deployed,
    )
    found = json.loads(out)
    assert found["name"] == 'Acme </style><script>"'
    assert found["roles"] == ["analyst", "engineer", "exec"]
    assert found["digest"] == digest(compile_table(load_policies(ROOT / "policies")))


def test_the_code_is_the_same_for_every_deployment_and_small() -> None:
    first, second = (bundle_code(ROOT, "gateway/main.js") for _ in range(2))
    assert first == second
    assert "localhost" not in first
    import gzip

    size = len(gzip.compress(first.encode()))
    print(f"the gateway's code is {size / 1024:.1f} KiB with gzip")
    assert size < 60 * 1024
