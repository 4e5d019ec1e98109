"""Names of deployed objects: deterministic, so that recovery can find them, and within Cloudflare's lengths."""

from __future__ import annotations

import hashlib
import re

LABEL_LENGTH = 63
STACK_LENGTH = 40
HASHED = re.compile(r"-[0-9a-f]{8}\Z")


def preview_name(branch: str) -> str:
    """A DNS label (RFC 1035, at most 63 characters) for any branch name: safe, stable, unique.

    A name that had to be changed ends in eight hexadecimal digits of its SHA-256; a name that already ends like that
    is changed too, so that no branch can take the label of another.
    """
    return _label(branch, LABEL_LENGTH)


def resource_name(stack: str, part: str) -> str:
    """`mbgate-STACK-PART`, at most 63 characters; a stack or part that had to be changed ends in its hash."""
    head = f"mbgate-{_label(stack, STACK_LENGTH)}-"
    return head + _label(part, LABEL_LENGTH - len(head))


def docker_name(stack: str, scope: str | None, part: str) -> str:
    """The name on a Docker engine, which two projects may share: `mbgate-STACK-PART`, or `mbgate-STACK-SCOPE-PART`."""
    return resource_name(f"{stack}-{scope}" if scope else stack, part)


def _label(text: str, length: int) -> str:
    safe = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if safe == text and 0 < len(safe) <= length and not HASHED.search(safe):
        return safe
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    head = safe[: length - 9].strip("-") or "b"
    return f"{head}-{digest}"
