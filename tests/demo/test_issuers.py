"""A second issuer, and an environment's overlay, through the real deployment to the gateway's answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.demo.test_bad_input import ROOT, assert_refused, deploy
from tests.worker.deployment import Signer

pytestmark = [pytest.mark.demo, pytest.mark.engine]

Demo = Any
AUDIENCE = "https://bi.acme.test/builds"
SUBJECT = "repo:acme/reports"
ISSUERS = """version: 1
issuers:
  workforce: {{}}
  builds: {{url: "{url}", audience: "{audience}"}}
"""
ROLE = """
  build:
    for: machines
    match: [{issuer: builds, claims: {sub: "repo:acme/reports"}}]
    metabase: {group: Builds, collections: {Sales: read, Product: read}}
    allow:
      - {id: build-dashboards, actions: [dashboard:view], on: {dashboards: [1]}}
"""
OVERLAY = """version: 1
roles:
  change:
    build:
      allow:
        add:
          - {id: build-more, actions: [dashboard:view], on: {dashboards: [2]}}
"""


@pytest.fixture
def builds() -> Iterator[tuple[str, Signer]]:
    """An issuer at which nobody signs in: it has keys, and no more addresses."""
    key = Signer("build-1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = f"http://localhost:{self.server.server_address[1]}"  # type: ignore[str-bytes-safe]
            known = {
                "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/jwks"},
                "/jwks": {"keys": [key.public]},
            }
            body = json.dumps(known[self.path]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}", key
    server.shutdown()


@pytest.fixture
def own_policies(demo: Demo, tmp_path: Path, builds: tuple[str, Signer]) -> Iterator[Callable[[str | None], None]]:
    """The stack's settings with these policies, in an environment; as they were at the end."""
    path = demo.folder / "Pulumi.local.yaml"
    before = path.read_text()
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "more.yaml").write_text(OVERLAY)
    (tmp_path / "routes.yaml").write_text((ROOT / "policies" / "routes.yaml").read_text())
    roles = (ROOT / "policies" / "roles.yaml").read_text()
    head = ISSUERS.format(url=builds[0], audience=AUDIENCE)
    (tmp_path / "roles.yaml").write_text(roles.replace("version: 1\n", head).rstrip("\n") + "\n" + ROLE)

    def change(environment: str | None) -> None:
        document = yaml.safe_load(before)
        document["config"]["mbgate:policies"] = str(tmp_path)
        document["config"]["mbgate:environment"] = environment or "base"
        path.write_text(yaml.safe_dump(document))

    yield change
    path.write_text(before)


def ask(demo: Demo, path: str, token: str) -> tuple[int, str | None]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(demo.status["gateway_url"] + path, headers=headers, trust_env=False)
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.status_code, answer.json()["reason"] if is_problem else None


def test_machines_of_another_issuer(
    demo: Demo, own_policies: Callable[[str | None], None], builds: tuple[str, Signer]
) -> None:
    """Deployed, its tokens open what the role may in that environment; behind Access the deployment is refused."""
    if demo.identity == "access":
        own_policies(None)
        assert_refused(demo, "no bearer tokens are read", "role `build`")
        return
    url, key = builds
    now = int(time.time())
    claims = {"iss": url, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 600}
    token, foreign = key.sign(claims), key.sign({**claims, "iss": demo.status["issuer"]})
    more = ["/api/dashboard/1", "/api/dashboard/2"]
    try:
        own_policies(None)
        done = deploy(demo)
        assert done.returncode == 0, done.stderr
        assert [ask(demo, path, token) for path in more] == [(200, None), (403, "resource-not-granted")]
        assert ask(demo, more[0], foreign) == (401, "token-key-unknown")
        own_policies("more")
        done = deploy(demo)
        assert done.returncode == 0, done.stderr
        assert [ask(demo, path, token) for path in more] == [(200, None), (200, None)]
    finally:
        settings = demo.folder / "Pulumi.local.yaml"
        document = yaml.safe_load(settings.read_text())
        document["config"].pop("mbgate:policies", None)
        document["config"]["mbgate:environment"] = "local"
        settings.write_text(yaml.safe_dump(document))
        done = deploy(demo)
    assert done.returncode == 0, done.stderr
    assert ask(demo, more[0], token) == (401, "token-issuer-foreign")


def test_an_unknown_environment_is_refused(demo: Demo, own_policies: Callable[[str | None], None]) -> None:
    """Before anything is changed, with the name that was meant."""
    own_policies("mroe")
    assert_refused(demo, "`mroe`", "environment-unknown", "did you mean `more`")
