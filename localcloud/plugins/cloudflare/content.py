"""Files named by inputs: their bytes, base64 and digest."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from localcloud.plugins.serving import PluginError


def read_content(path: str) -> bytes:
    """The file's bytes; `~/` is the home folder. Raises PluginError if it can't be read."""
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise PluginError(f"can't read the content file `{path}`: {error.strerror or error}") from None


def sha256(content: bytes) -> str:
    """The hex digest that `content_sha256` holds."""
    return hashlib.sha256(content).hexdigest()


def to_base64(content: bytes) -> str:
    """Standard base64 text, as `content_base64` holds it."""
    return base64.b64encode(content).decode("ascii")
