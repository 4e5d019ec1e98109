"""Names of deployed objects: deterministic, so that recovery can find them, and within Cloudflare's lengths."""

from __future__ import annotations

import hashlib
import re

LABEL_LENGTH = 63
STACK_LENGTH = 40


def preview_name(branch: str) -> str:
    """A DNS label (RFC 1035) for any branch name: safe, stable, unique.

    A name that had to be changed ends in eight hexadecimal digits of its SHA-256, so that two branches never share one.
    """
    return _label(branch, LABEL_LENGTH)


def resource_name(stack: str, part: str) -> str:
    """`mbgate-STACK-PART`, at most 63 characters."""
    return f"mbgate-{_label(stack, STACK_LENGTH)}-{part}"


def _label(text: str, length: int) -> str:
    safe = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if safe == text and 0 < len(safe) <= length:
        return safe
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    head = safe[: length - 9].strip("-")
    return f"{head}-{digest}" if head else f"b-{digest}"
