"""Keys that nobody should trust are refused at deploy time (go-oidc, Hono CVE-2026-22817, RFC 8725)."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from infra.errors import RenderError
from infra.render.discovery import discover, fetch_jwks, lint_jwks


def b64(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def rsa_key(bits: int = 2048, **more: Any) -> dict[str, Any]:
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key().public_numbers()
    return {"kty": "RSA", "kid": f"rsa{bits}", "alg": "RS256", "use": "sig", "n": b64(numbers.n), "e": "AQAB", **more}


def ec_key(**more: Any) -> dict[str, Any]:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "kid": "ec", "crv": "P-256", "x": b64(numbers.x), "y": b64(numbers.y), **more}


GOOD = rsa_key()


def test_good_keys_pass() -> None:
    assert lint_jwks([GOOD, ec_key(alg="ES256"), {"kty": "RSA", "use": "enc"}]) == []


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        (rsa_key(1024), "weak modulus"),
        ({**GOOD, "n": b64(1 << 2048)}, "weak modulus"),
        ({**GOOD, "e": "AQ"}, "exponent 1"),
        ({**GOOD, "e": "Ag"}, "exponent 2"),
        ({**GOOD, "kid": ""}, "no `kid`"),
        ({**GOOD, "alg": "HS256"}, "says algorithm `HS256`"),
        ({**GOOD, "d": "AQAB"}, "private material"),
        ({"kty": "oct", "kid": "s", "k": "c2VjcmV0"}, "type `oct`"),
        (ec_key(crv="secp256k1"), "curve `secp256k1`"),
        (ec_key(alg="ES384"), "says algorithm `ES384`"),
    ],
)
def test_a_bad_key_is_named(key: dict[str, Any], fault: str) -> None:
    assert any(fault in text and "$.keys[0]" in text for text in lint_jwks([key]))


def test_a_repeated_kid_is_named() -> None:
    assert "$.keys[1] repeats the kid `rsa2048`" in lint_jwks([GOOD, GOOD])


@pytest.fixture
def issuer() -> Iterator[tuple[str, dict[str, Any]]]:
    documents: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = documents.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode() if not isinstance(body, bytes) else body)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", documents
    server.shutdown()
    server.server_close()


def test_the_issuer_must_name_itself(issuer: tuple[str, dict[str, Any]]) -> None:
    url, documents = issuer
    complete = {"authorization_endpoint": "a", "token_endpoint": "t", "jwks_uri": f"{url}/jwks"}
    documents["/.well-known/openid-configuration"] = {"issuer": url + "/", **complete}
    with pytest.raises(RenderError, match="names another issuer"):
        discover(url)
    documents["/.well-known/openid-configuration"] = {"issuer": url}
    with pytest.raises(RenderError, match="lacks authorization_endpoint, token_endpoint, jwks_uri"):
        discover(url)
    documents["/.well-known/openid-configuration"] = {"issuer": url, **complete}
    assert discover(url)["jwks_uri"] == f"{url}/jwks"
    documents["/.well-known/openid-configuration"] = {"issuer": url, "jwks_uri": f"{url}/jwks"}
    assert discover(url, needs=("jwks_uri",))["jwks_uri"] == f"{url}/jwks"
    with pytest.raises(RenderError, match="lacks authorization_endpoint, token_endpoint"):
        discover(url)


def test_keys_are_chosen_by_algorithm_and_sorted(issuer: tuple[str, dict[str, Any]]) -> None:
    url, documents = issuer
    documents["/jwks"] = {"keys": [GOOD, ec_key(alg="ES256")]}
    assert [k["kid"] for k in fetch_jwks(f"{url}/jwks", ("RS256", "ES256"))["keys"]] == ["ec", "rsa2048"]
    assert [k["kid"] for k in fetch_jwks(f"{url}/jwks", ("RS256",))["keys"]] == ["rsa2048"]
    with pytest.raises(RenderError, match="no key at"):
        fetch_jwks(f"{url}/jwks", ("EdDSA",))
    documents["/jwks"] = {"keys": [GOOD, GOOD]}
    with pytest.raises(RenderError, match="repeats the kid"):
        fetch_jwks(f"{url}/jwks", ("RS256",))


def test_what_is_no_json_object_is_one_clear_message(issuer: tuple[str, dict[str, Any]]) -> None:
    url, documents = issuer
    documents["/jwks"] = b"<html>"
    with pytest.raises(RenderError, match="no JSON object"):
        fetch_jwks(f"{url}/jwks", ("RS256",))
    with pytest.raises(RenderError, match="can't be reached: ConnectError"):
        fetch_jwks("http://127.0.0.1:9/jwks", ("RS256",))
