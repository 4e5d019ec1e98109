"""A container's root file system as a tar stream, the same bytes for the same files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from localcloud.images.closure import is_dynamic, libraries
from localcloud.images.failure import ImageError

_RUNNABLE, _READABLE = 0o755, 0o644


class RootFs:
    """Files owned by root and readable by all, with their folders; what is there already stays."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - see `close`
        self._made: set[PurePosixPath] = {PurePosixPath("/")}
        self._dynamic: list[Path] = []

    def close(self) -> None:
        """Adds the libraries of all programs, and ends the stream. Raises ImageError."""
        for path in sorted(libraries(self._dynamic)):
            self.copy(path, _RUNNABLE)
        cache = Path("/etc/ld.so.cache")
        if cache.exists():
            self.copy(cache)
        self._tar.close()

    def folder(self, path: str | PurePosixPath, mode: int = 0o755) -> None:
        """A folder and those above it."""
        path = PurePosixPath(path)
        if path in self._made:
            return
        self.folder(path.parent)
        self._made.add(path)
        entry = tarfile.TarInfo(str(path).lstrip("/"))
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self._tar.addfile(entry)

    def text(self, path: str, content: str, mode: int = _READABLE) -> None:
        """A file of this text."""
        data = content.encode()
        self._add(path, mode, len(data), lambda: io.BytesIO(data))

    def program(self, source: Path, target: str | None = None) -> None:
        """A program of this machine, and later the libraries it needs."""
        if is_dynamic(source):
            self._dynamic.append(source.resolve())
        self.copy(source, _RUNNABLE, target)

    def copy(self, source: Path, mode: int = _READABLE, target: str | None = None) -> None:
        """A file of this machine, at its own absolute path unless told otherwise; links are followed."""
        try:
            self._add(target or str(source), mode, source.stat().st_size, lambda: source.open("rb"))
        except OSError as error:
            raise ImageError(f"`{source}` can't be read: {error.strerror}") from None

    def module(self, source: Path, target: str) -> None:
        """A file that Python imports or reads; modules in machine code bring their libraries."""
        if ".so" in source.suffixes and is_dynamic(source):
            self._dynamic.append(source)
        self.copy(source, _READABLE, target)

    def tree(self, source: Path, target: str, names: Iterable[Path]) -> None:
        """Files below `source`, given relative to it, as modules."""
        for name in sorted(names):
            self.module(source / name, f"{target}/{name}")

    def _add(self, path: str, mode: int, size: int, content: Callable[[], IO[bytes]]) -> None:
        place = PurePosixPath(path)
        if place in self._made:
            return
        self.folder(place.parent)
        self._made.add(place)
        entry = tarfile.TarInfo(str(place).lstrip("/"))
        entry.size, entry.mode = size, mode
        with content() as file:
            self._tar.addfile(entry, file)
