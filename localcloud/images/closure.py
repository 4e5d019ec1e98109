"""What a program needs to run: the dynamic loader and the shared libraries that it names, as `ldd` finds them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from localcloud.images.failure import ImageError

_LIBRARY = re.compile(r"^\t(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$")
# glibc before 2.34 opens these by name only when a host or user is looked up, so `ldd` doesn't show them.
_LOOKUPS = ("libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")


def libraries(programs: Iterable[Path]) -> set[Path]:
    """Absolute paths of every library and loader that the programs and modules need. Raises ImageError.

    What `ldd` doesn't find is left out: the program or module has it not on this machine either.
    """
    paths = [str(path) for path in programs]
    if not paths:
        return set()
    environment = os.environ | {"LC_ALL": "C"}
    try:
        done = subprocess.run(["ldd", *paths], capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise ImageError(f"`ldd` can't be run ({error.strerror}); images are made on Linux with glibc") from None
    found = {Path(match[1]) for line in done.stdout.splitlines() if (match := _LIBRARY.match(line))}
    return found | _lookups(found)


def _lookups(found: Iterable[Path]) -> set[Path]:
    folders = {path.parent for path in found if path.name == "libc.so.6"}
    return {folder / name for folder in folders for name in _LOOKUPS if (folder / name).exists()}


def is_dynamic(path: Path) -> bool:
    """Whether the file is an ELF one; scripts and data have no libraries."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
