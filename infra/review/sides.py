"""The two sides of a comparison: a git ref, a folder of policies, or a roles file, each in every environment.

Policies of a ref are read as data: they are taken out of git's objects into a temporary folder, and nothing of the ref
is run. The code that reads them, and the route catalogue where a side has none of its own, is this checkout's.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.access.cases import TESTS_FILE, Case, load_cases
from infra.access.load import ROLES_FILE, load_policies
from infra.access.overlay import environments
from infra.access.table import compile_table
from infra.errors import PolicyError

Table = dict[str, Any]
MAX_BYTES = 64 << 20
GIT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side, read."""

    name: str
    tables: Mapping[str | None, Table]
    """By environment; None is without an overlay."""
    cases: tuple[Case, ...]
    """Its policy tests; none where there is no such file."""

    def table(self, environment: str | None) -> Table:
        """An environment's table; where this side has no such overlay, the policies hold as they are."""
        return self.tables.get(environment) or self.tables[None]


@contextmanager
def open_side(text: str, root: Path, policies: str = "policies") -> Iterator[Side]:
    """Reads a side; PolicyError where there is none, or with its faults, named as the side was."""
    with tempfile.TemporaryDirectory(prefix="mbgate-") as temporary:
        folder, names = _folder_of(text, root, policies, Path(temporary))
        try:
            yield _read(folder, text)
        except PolicyError as error:
            named = [replace(fault, file=_named(str(fault.file), names)) for fault in error.faults]
            message = _named(error.message, names)
            raise PolicyError(message, code=error.code, help=error.help, faults=named) from None


def _named(words: str, names: Mapping[str, str]) -> str:
    for path, name in names.items():
        words = words.replace(path, name)
    return words


def _read(folder: Path, name: str) -> Side:
    names = (None, *environments(folder))
    tables = {environment: compile_table(load_policies(folder, environment)) for environment in names}
    tests = folder / TESTS_FILE
    cases = tuple(load_cases(tests)[1]) if tests.exists() else ()
    return Side(name=name, tables=tables, cases=cases)


def _folder_of(text: str, root: Path, policies: str, temporary: Path) -> tuple[Path, dict[str, str]]:
    """Where the side's files are, and how messages call those places."""
    path = Path(text)
    if text and path.is_dir():
        nested = path / policies
        found = nested if not (path / ROLES_FILE).exists() and (nested / ROLES_FILE).exists() else path
        return found, {}
    if path.is_file():
        shutil.copy(path, temporary / ROLES_FILE)
        return temporary, {str(temporary / ROLES_FILE): text, str(temporary): str(path.parent)}
    found = _from_git(text, root, policies, temporary)
    return found, {str(found): f"{text}:{policies}"}


def _from_git(ref: str, root: Path, policies: str, temporary: Path) -> Path:
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if commit.returncode != 0 or ref.startswith("-"):
        raise PolicyError(
            f"`{ref}` is no folder, no file and no commit",
            code="side-unknown",
            help="name a git ref that is fetched (as origin/main), a folder with roles.yaml, or such a file",
        )
    listed = _git(root, "ls-tree", "-r", "-z", "-l", commit.stdout.decode().strip(), "--", f"{policies}/")
    files = dict(filter(None, map(_file, listed.stdout.split(b"\0")))) if listed.returncode == 0 else {}
    if not files:
        raise PolicyError(
            f"`{ref}` has no folder `{policies}`", code="side-unknown", help="name another folder with --folder"
        )
    if sum(size for _, size in files.values()) > MAX_BYTES:
        raise PolicyError(f"the policies of `{ref}` are larger than 64 MiB", code="side-unknown")
    _take_out(root, files, temporary)
    return temporary / policies


def _file(line: bytes) -> tuple[str, tuple[bytes, int]] | None:
    """Path, object and size of a line of `git ls-tree -l`; None for links, which could lead out of the folder."""
    if not line.startswith(b"100"):
        return None
    about, _, path = line.partition(b"\t")
    name = path.decode("utf-8", "surrogateescape")
    if ".." in Path(name).parts or name.startswith("/"):
        return None
    _, _, blob, size = about.split()
    return name, (blob, int(size))


def _take_out(root: Path, files: Mapping[str, tuple[bytes, int]], target: Path) -> None:
    """Each file as git keeps it. `git archive` would do what the ref's own .gitattributes say, as leave files out."""
    blobs = b"".join(blob + b"\n" for blob, _ in files.values())
    answers = io.BytesIO(_git(root, "cat-file", "--batch", given=blobs).stdout)
    for name, (blob, size) in files.items():
        if answers.readline().split() != [blob, b"blob", b"%d" % size]:
            raise PolicyError(f"git doesn't have `{name}`", code="git-failed", help="fetch the commit whole")
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answers.read(size))
        answers.readline()


def _git(root: Path, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", *arguments], cwd=root, input=given, capture_output=True, check=False, timeout=GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"git can't be asked: {type(error).__name__}"
        raise PolicyError(message, code="git-failed", help="install git, or name folders") from None
