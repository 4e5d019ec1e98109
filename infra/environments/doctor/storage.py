"""Folders, disk, the engine's backend, the stack in it, and its passphrase."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from infra.environments.world import STACK

from .model import Found, error, ok, skipped, warning
from .programs import ask
from .subject import Subject, backend_url
from .tools import CLI

GIB = 1024**3
LEAST_BYTES = GIB // 4
SOME_BYTES = 2 * GIB
COMPILE_BYTES = 5 * GIB
NEW = "does not exist yet: the first `pulumi up` makes it"


def cache(subject: Subject) -> Found:
    """Where the Pulumi CLI is kept."""
    return _folder(subject.cache, "MBGATE_CACHE")


def world(subject: Subject) -> Found:
    """Where the local world keeps itself."""
    if subject.world is None:
        return skipped("stack `local` only")
    return _folder(subject.world.folder, "MBGATE_STATE")


def _folder(folder: Path, variable: str) -> Found:
    reason = why_not_writable(folder)
    if reason:
        return error("folder-not-writable", f"`{folder}` can't be written: {reason}", f"mend it, or set {variable}")
    return ok(str(folder))


def why_not_writable(folder: Path) -> str | None:
    """What keeps the folder, or the first one above it that exists, from being written; None where nothing does."""
    existing = folder
    try:
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir():
            return f"`{existing}` is no folder"
        with tempfile.TemporaryFile(dir=existing):
            return None
    except OSError as problem:
        return (problem.strerror or type(problem).__name__).lower()


def disk(subject: Subject) -> Found:
    """Room for what is written: bundles, logs, state, and the CLI where it must be compiled."""
    places = [subject.root, subject.cache, *([subject.world.folder] if subject.world else [])]
    free = {place: _free_bytes(place) for place in places}
    tightest = min(free, key=lambda place: free[place])
    room = f"{free[tightest] / GIB:.1f} GiB are free at `{tightest}`"
    if free[tightest] < LEAST_BYTES:
        return error("disk-full", room, "make room: a deployment needs 0.25 GiB")
    if CLI not in subject.notes and free[subject.cache] < COMPILE_BYTES:
        return warning("disk-low", room, "compiling the Pulumi CLI needs 5 GiB; make room, or install it")
    if free[tightest] < SOME_BYTES:
        return warning("disk-low", room, "make room: 2 GiB leave space for images and logs")
    return ok(room)


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def backend(subject: Subject) -> Found:
    """Where the engine keeps its state: whether it answers, and lets us write."""
    if subject.world is not None:
        return ok(f"files in `{subject.world.folder / 'pulumi'}`, which `make demo` makes")
    url = backend_url(subject.root, subject.environ)
    if url and url.startswith("file://"):
        return _file_backend(subject, url)
    answer = ask([str(subject.notes[CLI]), "whoami", "--non-interactive"], subject.environ, seconds=7, cwd=subject.root)
    if answer.code is None:
        text = f"the backend `{_shown(url)}` does not answer: {answer.last_line}"
        return error("backend-unreachable", text, "see whether the network lets it through, then run this again")
    if answer.code != 0:
        return error(
            "backend-refused",
            f"no Pulumi backend can be used: {answer.last_line.removeprefix('error: ')}",
            "run `pulumi login`, or for state in files: export PULUMI_BACKEND_URL=file://$HOME/pulumi-state",
        )
    return ok(f"{_shown(url)}, as {answer.out.strip()}")


def _file_backend(subject: Subject, url: str) -> Found:
    text = url.removeprefix("file://")
    folder = subject.home / text[1:].lstrip("/") if text.startswith("~") else subject.root / text
    if not folder.is_dir():
        return error("backend-missing", f"the backend's folder `{folder}` does not exist", f"mkdir -p {folder}")
    reason = why_not_writable(folder)
    if reason:
        return error("folder-not-writable", f"the backend's folder `{folder}` can't be written: {reason}", "mend it")
    return ok(f"files in `{folder}`")


def _shown(url: str | None) -> str:
    """A backend's address without what may be secret in it (S3 and PostgreSQL URLs take credentials)."""
    if not url:
        return "Pulumi Cloud"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def stack(subject: Subject) -> Found:
    """Whether the backend knows the stack; a new one is fine."""
    if subject.world is not None:
        stored = subject.world.folder / "pulumi" / ".pulumi" / "stacks" / "mbgate" / f"{STACK}.json"
        return ok("exists" if stored.exists() else "does not exist yet: `make demo` makes it")
    command = [str(subject.notes[CLI]), "stack", "ls", "--json", "--non-interactive"]
    answer = ask(command, subject.environ, seconds=7, cwd=subject.root)
    if answer.code != 0:
        text = f"the stacks can't be listed: {answer.last_line.removeprefix('error: ')}"
        return error("backend-refused", text, "run `pulumi stack ls` to see more")
    try:
        names = [str(entry["name"]).split("/")[-1] for entry in json.loads(answer.out)]
    except (ValueError, KeyError, TypeError):
        return error("backend-refused", "`pulumi stack ls --json` printed no JSON", "run it to see more")
    return ok("exists" if subject.stack in names else f"does not exist yet: pulumi stack init {subject.stack}")


def passphrase(subject: Subject) -> Found:
    """The passphrase under which secrets are kept, where the stack uses one."""
    if subject.world is not None:
        return ok("the local world keeps its own")
    if subject.file is None or not subject.file.is_encrypted:
        return skipped("the stack's settings have no `encryptionsalt`")
    env = subject.environ
    if "PULUMI_CONFIG_PASSPHRASE" in env:
        return ok("PULUMI_CONFIG_PASSPHRASE is set")
    named = env.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if not named:
        return error(
            "passphrase-missing",
            f"`{subject.file.path.name}` has secrets under a passphrase, and none is set",
            "export PULUMI_CONFIG_PASSPHRASE_FILE=/path/to/it (or PULUMI_CONFIG_PASSPHRASE)",
        )
    try:
        Path(named).read_bytes()
    except OSError as problem:
        text = f"PULUMI_CONFIG_PASSPHRASE_FILE names `{named}`: {(problem.strerror or 'unreadable').lower()}"
        return error("passphrase-missing", text, "name a file that you can read")
    return ok(f"in `{named}`")
