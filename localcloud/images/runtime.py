"""The Python that runs this, and the few packages that the Metabase stand-in imports."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from localcloud.images.failure import ImageError

PACKAGES = ("starlette", "uvicorn", "python-multipart")

_UNUSED = {
    "__pycache__",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "tkinter",
}
_UNUSED_MODULES = re.compile(r"_tkinter\.|_test|xxlimited|_xx|_ctypes_test")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def interpreter() -> Path:
    """The program itself, not the virtual environment's link to it."""
    return Path(sys.executable).resolve()


def standard_library() -> tuple[Path, list[Path]]:
    """Its folder, and its files relative to that, without tests, tools for windows, and caches."""
    folder = Path(sysconfig.get_path("stdlib"))
    return folder, [name for name in _files(folder) if not _UNUSED_MODULES.match(name.name)]


def _files(folder: Path, inner: Path = Path()) -> Iterator[Path]:
    for entry in sorted((folder / inner).iterdir()):
        if entry.name in _UNUSED or entry.name.startswith("config-"):
            continue
        if entry.is_dir():
            yield from _files(folder, inner / entry.name)
        elif entry.is_file():
            yield inner / entry.name


def packages() -> list[Distribution]:
    """The stand-in's packages and all that they need here, by name. Raises ImageError."""
    found: dict[str, Distribution] = {}
    wanted = [(name, True) for name in PACKAGES]
    while wanted:
        name, is_needed = wanted.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            if is_needed:
                raise ImageError(f"the Python package `{name}` is missing; run `make setup`") from None
        else:
            wanted += _required_by(found[name])
    return [found[name] for name in sorted(found)]


def _required_by(package: Distribution) -> list[tuple[str, bool]]:
    """Name and whether it is needed on every machine; extras are left out."""
    found = []
    for requirement in package.requires or []:
        wanted, _, condition = requirement.partition(";")
        name = _NAME.match(wanted)
        if name and "extra" not in condition:
            found.append((name[0].lower().replace("_", "-"), not condition))
    return found


def files_of(package: Distribution) -> list[tuple[Path, Path]]:
    """(place on this machine, place below site-packages) of each file that is imported. Raises ImageError."""
    if package.files is None:
        raise ImageError(f"the Python package `{package.name}` has no list of its files; run `make setup`")
    kept = []
    for name in package.files:
        parts = name.parts
        if ".." in parts or "__pycache__" in parts or parts[0].endswith((".dist-info", ".egg-info")):
            continue
        kept.append((Path(str(package.locate_file(name))), Path(*parts)))
    return kept
