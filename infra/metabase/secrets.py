"""Fresh key material, made where the provider runs and kept only in Pulumi's encrypted state."""

from __future__ import annotations

import base64
import json
import secrets

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

KINDS = ("aes256", "es256", "hex256", "password")


def generate(kind: str) -> str:
    """New material: `aes256` base64url of 32 bytes, `hex256` the same in hexadecimal, `es256` a private JWK (RFC 7517),
    `password` 41 characters."""
    if kind == "aes256":
        return encode(secrets.token_bytes(32))
    if kind == "hex256":
        return secrets.token_bytes(32).hex()
    if kind == "password":
        # Metabase asks for a digit by default, which random text lacks about once in 900 times.
        return encode(secrets.token_bytes(30)) + "1"
    if kind == "es256":
        return _private_jwk()
    raise ValueError(f"key kind `{kind}` is none of {', '.join(KINDS)}")


def public_jwks(*private: str) -> str:
    """The JWK set (RFC 7517) of the public parts of `es256` keys; an empty text, no predecessor, is left out."""
    members = ("kty", "crv", "x", "y", "kid", "alg", "use")
    keys = [{name: jwk[name] for name in members} for jwk in map(json.loads, filter(None, private))]
    return json.dumps({"keys": keys}, sort_keys=True, separators=(",", ":"))


def encode(raw: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _private_jwk() -> str:
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    point = numbers.public_numbers
    public = {
        "crv": "P-256",
        "kty": "EC",
        "x": encode(point.x.to_bytes(32, "big")),
        "y": encode(point.y.to_bytes(32, "big")),
    }
    jwk = {
        **public,
        "alg": "ES256",
        "d": encode(numbers.private_value.to_bytes(32, "big")),
        "kid": thumbprint(public),
        "use": "sig",
    }
    return json.dumps(jwk, sort_keys=True, separators=(",", ":"))


def thumbprint(public: dict[str, str]) -> str:
    """The JWK thumbprint (RFC 7638) that names the key: stable, and says nothing of the private part."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(json.dumps(public, sort_keys=True, separators=(",", ":")).encode())
    return encode(digest.finalize())
