"""Files that a container is given before it starts."""

from __future__ import annotations

import base64
import io
import re
import tarfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from localcloud.plugins.docker.resource import Inputs, State
from localcloud.plugins.serving import PluginError
from localcloud.plugins.values import UNKNOWN

FIELDS = ("content", "contentBase64", "executable", "file", "permissions", "source", "sourceHash")

_MODE = re.compile("0[0-7]{3}")
_SOURCES = ("content", "contentBase64", "source")


def faults(path: str, upload: Inputs) -> list[tuple[str, str]]:
    """What is wrong with one upload."""
    found = []
    if sum(bool(upload.get(name)) for name in _SOURCES) != 1:
        found.append((path, f"give exactly one of {', '.join(_SOURCES)}, and not empty"))
    file = upload.get("file", "")
    if file != UNKNOWN and not file.startswith("/"):
        found.append((f"{path}.file", "must be an absolute path in the container"))
    mode = upload.get("permissions", "0644")
    if mode != UNKNOWN and not _MODE.fullmatch(mode):
        found.append((f"{path}.permissions", "must be four octal digits that begin with 0, as `0644`"))
    return found


def with_digest(upload: State) -> State:
    """The upload with its file's digest, by which a change of the file is seen."""
    if upload.get("source", UNKNOWN) == UNKNOWN or "sourceHash" in upload:
        return upload
    return upload | {"sourceHash": sha256(_read(upload["source"])).hexdigest()}


def archive(uploads: Iterable[Inputs]) -> bytes:
    """A tar of the files, rooted at `/`, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for upload in uploads:
            content = _content(upload)
            entry = tarfile.TarInfo(upload["file"].lstrip("/"))
            entry.size = len(content)
            entry.mode = _mode(upload)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _mode(upload: Inputs) -> int:
    if "permissions" in upload:
        return int(upload["permissions"], 8)
    return 0o744 if upload.get("executable") else 0o644


def _content(upload: Inputs) -> bytes:
    if "content" in upload:
        return str(upload["content"]).encode()
    if "contentBase64" in upload:
        return base64.b64decode(upload["contentBase64"])
    return _read(upload["source"])


def _read(source: str) -> bytes:
    try:
        return Path(source).expanduser().read_bytes()
    except OSError as error:
        raise PluginError(f"can't read the upload's source `{source}`: {error.strerror or error}") from None
