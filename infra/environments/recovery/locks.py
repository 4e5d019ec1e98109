"""The file backend's locks: who holds the stack, whether the holder is provably dead, and a lock of our own.

The engine writes `locks/…/STACK/<uuid>.json` with pid, hostname, username and timestamp (pulumi,
pkg/backend/diy/lock.go) and refuses to work while another such file is there.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.environments import processes
from infra.environments.world import write_private
from infra.errors import DeployError

from .model import when

TORN_SECONDS = 2.0
# A clock set forward makes a living holder look younger than its lock; no id comes round again so soon.
START_SLACK = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One lock file. A torn one (`is_torn`) names nobody. `program` is the holder's: `pulumi`, or ours."""

    file: Path
    pid: int = 0
    hostname: str = ""
    username: str = ""
    since: datetime | None = None
    program: str = "pulumi"
    is_torn: bool = False

    @property
    def is_engines(self) -> bool:
        """True for an update's lock, False for one of a recovery."""
        return self.program == "pulumi"

    def __str__(self) -> str:
        if self.is_torn:
            return f"torn lock file `{self.file.name}`"
        since = self.since.strftime("%Y-%m-%d %H:%M:%S UTC") if self.since else "an unknown time"
        return f"{self.username}@{self.hostname}, process {self.pid}, since {since}"


def read_locks(folder: Path, stack: str) -> list[Lock]:
    """The stack's locks in a file backend's `.pulumi` folder."""
    return [_read(file) for file in sorted((folder / "locks").glob("**/*.json")) if file.parent.name == stack]


def _read(file: Path) -> Lock:
    try:
        holder = json.loads(file.read_text())
        return Lock(
            file=file,
            pid=int(holder["pid"]),
            hostname=str(holder["hostname"]),
            username=str(holder["username"]),
            since=when(holder["timestamp"]).astimezone(UTC),
            program=str(holder.get("program", "pulumi")),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return Lock(file=file, is_torn=True)


def is_dead(lock: Lock) -> bool:
    """True only where it is proven: made on this host by this user, and its process no longer runs."""
    if lock.is_torn or lock.hostname != socket.gethostname() or lock.username != _user():
        return False
    return not _is_running(lock)


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _is_running(lock: Lock) -> bool:
    """Whether this host runs the holder; a process that began after the lock was made has only its recycled id."""
    if not Path("/proc/self/stat").exists():
        # macOS: without start times any living process of that id counts, which errs on the safe side.
        return subprocess.run(["ps", "-p", str(lock.pid)], capture_output=True, check=False).returncode == 0
    if not processes.is_running(lock.pid, lock.program):
        return False
    started = _started(lock.pid)
    return started is None or lock.since is None or started <= lock.since + START_SLACK


def _started(pid: int) -> datetime | None:
    """When a process began (`man 5 proc`: field 22 of stat, in ticks since boot); None where it is gone."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
        boot = next(
            int(line.split()[1]) for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime")
        )
    except (OSError, IndexError, ValueError, StopIteration):
        return None
    return datetime.fromtimestamp(boot + ticks / os.sysconf("SC_CLK_TCK"), UTC)


def dead_locks(folder: Path, stack: str) -> list[Lock]:
    """The stack's locks, all of them proven dead. Raises DeployError where one may be alive.

    A torn lock counts as dead once it is older than any write takes, if it is a file of this user.
    """
    locks = [_patient(lock) if lock.is_torn else lock for lock in read_locks(folder, stack)]
    living = [lock for lock in locks if not lock.is_torn and not is_dead(lock)]
    if living:
        raise _locked(stack, living)
    foreign = [lock for lock in locks if lock.is_torn and _owner(lock.file) not in (None, os.getuid())]
    if foreign:
        raise DeployError(
            f"stack `{stack}` has a torn lock of another user: {', '.join(str(lock.file) for lock in foreign)}",
            code="stack-locked",
            help="ask its owner; when no update runs anywhere: pulumi cancel",
        )
    return [lock for lock in locks if lock.file.exists()]


def _patient(lock: Lock) -> Lock:
    """The lock read again until it is whole, gone, or too old to be still in writing."""
    while lock.is_torn and lock.file.exists():
        try:
            if time.time() - lock.file.stat().st_mtime > TORN_SECONDS:
                break
        except FileNotFoundError:
            break
        time.sleep(0.1)
        lock = _read(lock.file)
    return lock


def _owner(file: Path) -> int | None:
    try:
        return file.stat().st_uid
    except FileNotFoundError:
        return None


def _locked(stack: str, living: list[Lock]) -> DeployError:
    running = [lock for lock in living if lock.hostname == socket.gethostname() and _is_running(lock)]
    help_text = (
        f"wait until it ends; if it hangs, end process {running[0].pid}, then run this again"
        if len(running) == len(living)
        else "it can't be proven from here that this process is gone: ask its owner; only when you are sure that no "
        f"update runs: pulumi cancel --stack {stack}"
    )
    return DeployError(
        f"stack `{stack}` is locked by {'; '.join(map(str, living))}", code="stack-locked", help=help_text
    )


def remove(lock: Lock) -> None:
    """Removes a lock file, and the attributes that the backend keeps beside it."""
    lock.file.unlink(missing_ok=True)
    lock.file.with_name(lock.file.name + ".attrs").unlink(missing_ok=True)


@contextmanager
def hold(folder: Path, project: str, stack: str) -> Iterator[None]:
    """Keeps updates and other recoveries out meanwhile, by a lock like the engine's own.

    As the engine does: the lock is written first, then others are looked for, so that of two at most one goes on.
    Raises DeployError where somebody else holds the stack.
    """
    file = folder / "locks" / "organization" / project / stack / f"{uuid.uuid4()}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    holder = {
        "pid": os.getpid(),
        "username": _user(),
        "hostname": socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "program": _program(),
    }
    write_private(file, json.dumps(holder))
    try:
        others = [lock for lock in read_locks(folder, stack) if lock.file != file]
        living = [lock for lock in others if not lock.is_torn and not is_dead(lock)]
        if living:
            raise _locked(stack, living)
        yield
    finally:
        file.unlink(missing_ok=True)


def _program() -> str:
    try:
        return Path("/proc/self/comm").read_text().strip()
    except OSError:
        return "mbgate"
