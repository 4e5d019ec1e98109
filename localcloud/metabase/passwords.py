"""Slow hashes of passwords and API keys. Metabase uses bcrypt; the standard library's scrypt is as slow on purpose."""

from __future__ import annotations

import hashlib
import hmac
import secrets

TOO_COMMON = "password is too common."
COMPLEXITY = {
    "weak": {"total": 6},
    "normal": {"total": 8, "digit": 1},
    "strong": {"total": 8, "lower": 2, "upper": 2, "digit": 1, "special": 1},
}
"""`MB_PASSWORD_COMPLEXITY`: how many characters of each kind a password has at least"""
COMMON = frozenset({"password1", "passw0rd", "12345678", "123456789", "qwerty123", "letmein1", "admin123"})
_NOBODY = "00000000000000000000000000000000$" + "0" * 64


def hash_secret(secret: str) -> str:
    """`salt$hash`."""
    salt = secrets.token_hex(16)
    return f"{salt}${_scrypt(secret, salt)}"


def is_secret(secret: str, stored: str | None) -> bool:
    """Compares in constant time; a missing hash costs as much as a wrong secret (no account can be guessed by time)."""
    salt, _, hashed = (stored or _NOBODY).partition("$")
    return hmac.compare_digest(_scrypt(secret, salt), hashed) and stored is not None


def is_complex(password: str, rule: str) -> bool:
    """True where a rule of `COMPLEXITY` is met, and the password is none of the common ones."""
    has = {
        "total": len(password),
        "lower": sum(c.islower() for c in password),
        "upper": sum(c.isupper() for c in password),
        "digit": sum(c.isdigit() for c in password),
        "special": sum(not c.isalnum() for c in password),
    }
    return all(has[kind] >= least for kind, least in COMPLEXITY[rule].items()) and password.lower() not in COMMON


def _scrypt(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=4096, r=8, p=1, dklen=32).hex()
