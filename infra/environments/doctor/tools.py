"""Programs and packages that this machine needs."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

from infra.environments.toolchain import OLDEST_USABLE, VERSION

from .model import Finding, Found, error, ok, skipped, warning
from .programs import ask
from .subject import Subject

SETUP = "run `make setup`"
OLDEST_PYTHON = (3, 11)
PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)")
CLI = "cli"
CLI_VERSION = "cli-version"


def python(subject: Subject) -> Found:
    """The Python that runs this, and the one that the engine will run."""
    version = tuple(sys.version_info[:3])
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return error("python-old", f"this is Python {text}; 3.11 or newer is needed", "PYTHON=python3.12 make setup")
    program = subject.venv / "bin" / "python"
    if ask([str(program), "--version"], subject.environ).code != 0:
        return error("venv-broken", f"`{program}`, which the engine will run, does not run", f"delete .venv, {SETUP}")
    return ok(f"Python {text}")


def packages(subject: Subject) -> Found:
    """The packages that `pyproject.toml` pins, as the virtual environment has them."""
    if not (subject.root / ".venv").exists():
        return error("venv-missing", f"there is no virtual environment `{subject.root / '.venv'}`", SETUP)
    pins = _pins(subject.root / "pyproject.toml")
    folders = [str(path) for path in subject.venv.glob("lib*/python*/site-packages")]
    found = {
        dist.metadata["Name"].lower().replace("_", "-"): dist.version
        for dist in importlib.metadata.distributions(path=folders)
    }
    missing = [name for name in pins if name not in found]
    if missing or not (subject.venv / "bin" / "pulumi-resource-mbgate").exists():
        what = ", ".join(missing) or "the project itself"
        return error("venv-incomplete", f"the virtual environment lacks {what}", SETUP)
    other = [f"{name} {found[name]} instead of {pin}" for name, pin in pins.items() if found[name] != pin]
    if other:
        return warning("package-version", f"other versions than pinned: {', '.join(other)}", SETUP)
    return ok(f"{len(pins)} packages as pinned")


def _pins(file: Path) -> dict[str, str]:
    try:
        wanted = tomllib.loads(file.read_text("utf-8"))["project"]["dependencies"]
    except (OSError, KeyError, ValueError):
        return {}
    return {m.group(1).lower().replace("_", "-"): m.group(2) for m in map(PIN.match, wanted) if m}


def node(subject: Subject) -> Found:
    """The Node.js of the virtual environment, which bundles the Workers."""
    program = subject.venv / "bin" / "node"
    answer = ask([str(program), "--version"], subject.environ)
    match = re.match(r"v(\d+)\.", answer.out)
    if answer.code != 0 or match is None:
        return error("node-missing", f"`{program}` does not run: {answer.last_line}", SETUP)
    oldest = _oldest_node(subject.root)
    if int(match.group(1)) < oldest:
        return error("node-old", f"Node.js {answer.out.strip()}; {oldest} or newer is needed", SETUP)
    return ok(f"Node.js {answer.out.strip()}")


def _oldest_node(root: Path) -> int:
    try:
        text = str(json.loads((root / "package.json").read_text())["engines"]["node"])
        return int(re.sub(r"\D.*", "", text.lstrip(">= ")))
    except (OSError, ValueError, KeyError, TypeError):
        return 20


def node_parts(subject: Subject) -> Found:
    """The npm packages: esbuild and jose for every stack, the others for the local world."""
    try:
        wanted: dict[str, str] = json.loads((subject.root / "package.json").read_text())["dependencies"]
    except (OSError, ValueError, KeyError):
        wanted = {"esbuild": "", "jose": ""}
    needed = wanted if subject.is_local else {name: wanted.get(name, "") for name in ("esbuild", "jose")}
    found = {name: _npm_version(subject.root, name) for name in needed}
    missing = [name for name, version in found.items() if version is None]
    esbuild = subject.root / "node_modules" / ".bin" / "esbuild"
    if missing or not esbuild.exists():
        return error("node-parts-missing", f"the Node parts lack {', '.join(missing) or 'esbuild'}", SETUP)
    path = f"{subject.venv / 'bin'}:{subject.environ.get('PATH', '')}"
    answer = ask([str(esbuild), "--version"], {**subject.environ, "PATH": path})
    if answer.code != 0:
        return error("esbuild-broken", f"esbuild does not run: {answer.last_line}", f"delete node_modules, {SETUP}")
    other = [f"{name} {found[name]} instead of {pin}" for name, pin in needed.items() if pin and found[name] != pin]
    if other:
        return warning("node-part-version", f"other versions than pinned: {', '.join(other)}", SETUP)
    return ok(f"esbuild {answer.out.strip()} and {len(needed) - 1} more")


def _npm_version(root: Path, name: str) -> str | None:
    try:
        return str(json.loads((root / "node_modules" / name / "package.json").read_text())["version"])
    except (OSError, ValueError, KeyError):
        return None


def pulumi(subject: Subject) -> Found:
    """The Pulumi CLI: the one that our commands take, and the one that a person's `pulumi up` takes."""
    on_path = shutil.which("pulumi", path=subject.environ.get("PATH"))
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(subject.cache.glob(f"pulumi-{VERSION}/**/pulumi"))
    versions = {path: _cli_version(subject, path) for path in candidates if path.is_file()}
    usable = next((path for path, version in versions.items() if version and version >= OLDEST_USABLE), None)
    oldest = ".".join(map(str, OLDEST_USABLE))
    if usable is None:
        return _no_cli(subject, on_path, versions, oldest)
    version = versions[usable] or ()
    text = ".".join(map(str, version))
    subject.notes[CLI], subject.notes[CLI_VERSION] = usable, text
    if on_path is None and not subject.is_local:
        return warning(
            "pulumi-not-on-path",
            f"Pulumi CLI {text} is not on PATH, so `pulumi up` will not be found",
            f'export PATH="$PATH:{usable.parent}"',
        )
    if on_path and usable != Path(on_path):
        return _old_on_path(Path(on_path), versions.get(Path(on_path)), usable, oldest)
    return ok(f"Pulumi CLI {text}: {usable}")


def _old_on_path(old: Path, version: tuple[int, ...] | None, usable: Path, oldest: str) -> Finding:
    what = f"is version {'.'.join(map(str, version))}" if version else "does not run"
    return warning(
        "pulumi-old-on-path",
        f"`{old}` {what}, and {oldest} or newer is needed; `mbgate` takes `{usable}`, your `pulumi up` would not",
        f'remove the old one, or export PATH="{usable.parent}:$PATH"',
    )


def _no_cli(
    subject: Subject, on_path: str | None, versions: dict[Path, tuple[int, ...] | None], oldest: str
) -> Finding:
    found = versions.get(Path(on_path)) if on_path else None
    text = f"`{on_path}` is version {'.'.join(map(str, found))}; " if found else ""
    help = "run `mbgate setup`: it installs the official one, or compiles it (some minutes, 5 GB of disk, once)"
    if subject.is_local:
        return warning("pulumi-missing", f"{text}no Pulumi CLI of {oldest} or newer yet", help)
    return error("pulumi-missing", f"{text}there is no Pulumi CLI of {oldest} or newer", help)


def _cli_version(subject: Subject, program: Path) -> tuple[int, ...] | None:
    # The program is large: its first start after a while reads it from disk.
    answer = ask([str(program), "version"], {**subject.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}, seconds=6)
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", answer.out.strip())
    return tuple(map(int, match.groups())) if answer.code == 0 and match else None


def git(subject: Subject) -> Found:
    """Git, by which reviews compare policies."""
    program = shutil.which("git", path=subject.environ.get("PATH"))
    if program is None:
        return warning("git-missing", "`git` is not on PATH; policy reviews compare commits", "install git")
    answer = ask([program, "-C", str(subject.root), "rev-parse", "--is-inside-work-tree"], subject.environ)
    if answer.code != 0:
        return skipped("this folder is no git checkout", "not-a-checkout")
    return ok(program)
