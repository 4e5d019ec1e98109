"""Reads an issuer's discovery document and keys at deploy time, and refuses keys that nobody should trust.

Sources: OpenID Connect Discovery 1.0 section 4, RFC 7517 (JWK), RFC 8725 (JWT best current practices).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import httpx

from infra.errors import RenderError

ALGORITHMS_BY_TYPE = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA", "Ed25519"),
}
CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
MIN_MODULUS_BITS = 2048
MAX_DOCUMENT_BYTES = 256 * 1024


SIGN_IN = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def discover(issuer: str, needs: tuple[str, ...] = SIGN_IN) -> dict[str, Any]:
    """The issuer's metadata; its `issuer` must equal the configured one exactly (section 4.3).

    `needs` are addresses that it must name; an issuer at which only machines get tokens has no sign-in.
    """
    document = fetch_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise RenderError(
            f"the discovery document of `{issuer}` names another issuer, `{document.get('issuer')}`",
            code="issuer-mismatch",
            help="copy the issuer exactly as the provider spells it, with or without the trailing slash",
        )
    missing = [k for k in needs if not document.get(k)]
    if missing:
        raise RenderError(f"the discovery document of `{issuer}` lacks {', '.join(missing)}", code="issuer-incomplete")
    return document


def fetch_json(url: str) -> dict[str, Any]:
    """GETs a JSON object; redirects are not followed and the size is capped."""
    try:
        response = httpx.get(url, timeout=15, trust_env=False)
    except httpx.HTTPError as error:
        raise RenderError(
            f"`{url}` can't be reached: {type(error).__name__}",
            code="issuer-unreachable",
            help="check the address and that this machine may reach it",
        ) from None
    if response.status_code != 200 or len(response.content) > MAX_DOCUMENT_BYTES:
        raise RenderError(
            f"`{url}` was answered with status {response.status_code} and {len(response.content)} bytes",
            code="issuer-unreachable",
            help="a JSON document of at most 256 KiB is expected",
        )
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise RenderError(f"`{url}` is no JSON object", code="issuer-incomplete")
    return document


def fetch_jwks(url: str, algorithms: tuple[str, ...]) -> dict[str, Any]:
    """The signing keys at `url` that serve one of `algorithms`, linted; all faults at once."""
    keys = fetch_json(url).get("keys")
    if not isinstance(keys, list):
        raise RenderError(f"`{url}` has no `keys` array", code="jwks-unusable")
    faults = lint_jwks(keys)
    if faults:
        raise RenderError(f"the keys at `{url}` can't be trusted: {'; '.join(faults)}", code="jwks-unusable")
    usable = [dict(k) for k in keys if k.get("use", "sig") == "sig" and _algorithm(k) in algorithms]
    if not usable:
        raise RenderError(
            f"no key at `{url}` serves any of {', '.join(algorithms)}",
            code="jwks-unusable",
            help="set `mbgate:identity.algorithms` to what the provider signs with",
        )
    return {"keys": sorted(usable, key=lambda k: str(k["kid"]))}


def lint_jwks(keys: list[Mapping[str, Any]]) -> list[str]:
    """What is wrong with a key set; empty when nothing is. Encryption keys are left alone."""
    faults: list[str] = []
    seen: set[str] = set()
    for index, key in enumerate(keys):
        where = f"$.keys[{index}]"
        if not isinstance(key, Mapping):
            faults.append(f"{where} is no object")
            continue
        if key.get("use", "sig") != "sig":
            continue
        kid = key.get("kid")
        if not isinstance(kid, str) or not kid:
            faults.append(f"{where} has no `kid`")
        elif kid in seen:
            faults.append(f"{where} repeats the kid `{kid}`")
        else:
            seen.add(kid)
        faults += [f"{where} {fault}" for fault in _lint_key(key)]
    return faults


def _lint_key(key: Mapping[str, Any]) -> list[str]:
    kind = key.get("kty")
    if kind not in ALGORITHMS_BY_TYPE:
        return [f"is of type `{kind}`; only public RSA, EC and OKP keys are trusted"]
    faults = ["holds private material"] if "d" in key else []
    if key.get("alg") is not None and key["alg"] not in ALGORITHMS_BY_TYPE[kind]:
        faults.append(f"is of type `{kind}` but says algorithm `{key['alg']}`")
    if kind == "RSA":
        modulus, exponent = _integer(key.get("n")), _integer(key.get("e"))
        if modulus.bit_length() < MIN_MODULUS_BITS or modulus % 2 == 0:
            faults.append(f"has a weak modulus ({modulus.bit_length()} bits)")
        if exponent < 3 or exponent % 2 == 0:
            faults.append(f"has the exponent {exponent}")
    if kind == "EC" and key.get("crv") not in CURVES:
        faults.append(f"is on the curve `{key.get('crv')}`")
    if kind == "EC" and key.get("alg") not in (None, CURVES.get(str(key.get("crv")))):
        faults.append(f"is on the curve `{key.get('crv')}` but says algorithm `{key['alg']}`")
    return faults


def _algorithm(key: Mapping[str, Any]) -> str:
    """The one algorithm that a key is pinned to (RFC 8725 section 3.1)."""
    fallback = {"RSA": "RS256", "EC": CURVES.get(str(key.get("crv")), ""), "OKP": "EdDSA"}
    return str(key.get("alg") or fallback.get(str(key.get("kty")), ""))


def _integer(value: object) -> int:
    if not isinstance(value, str):
        return 0
    try:
        return int.from_bytes(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)), "big")
    except ValueError:
        return 0
