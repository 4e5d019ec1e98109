"""The engine's plugins: official ones wherever they are; stand-ins only for stack `local`."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .model import Finding, Found, error, ok, skipped, warning
from .subject import Subject
from .tools import CLI

LANGUAGE_HOST = "pulumi-language-python"
STAND_INS = ("localcloud", "plugins", "bin")


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An executable, its version where the folder's name tells it, and whether it is one of the local cloud's."""

    path: Path
    version: str | None
    is_stand_in: bool


def language_host(subject: Subject) -> Found:
    """The host of Python programs; it comes with the official CLI."""
    cli = subject.notes.get(CLI)
    beside = [cli.resolve().parent] if cli else []
    found = list(_executables(subject, LANGUAGE_HOST, [*beside, subject.pulumi_home / "bin"]))
    return _judge(
        subject,
        LANGUAGE_HOST,
        found,
        wanted=None,
        absent=error(
            "language-host-missing",
            f"`{LANGUAGE_HOST}` is neither beside the Pulumi CLI nor on PATH",
            "install the official CLI, which brings it (pulumi.com/docs/install): a compiled one lacks it",
        ),
    )


def cloudflare(subject: Subject) -> Found:
    """The provider of every stack."""
    return _provider(subject, "cloudflare")


def docker(subject: Subject) -> Found:
    """The provider of stacks that run Metabase themselves."""
    settings = subject.settings
    if settings is not None and settings.metabase.runtime != "docker" and not subject.is_local:
        return skipped("Metabase runs elsewhere (`metabase.runtime: external`)")
    return _provider(subject, "docker")


def _provider(subject: Subject, package: str) -> Found:
    name = f"pulumi-resource-{package}"
    wanted = _sdk_version(f"pulumi-{package}")
    found = list(_executables(subject, name, [])) + list(_installed(subject.pulumi_home, package, name))
    # On PATH wins over installed; of the installed ones the engine takes the SDK's version.
    found.sort(key=lambda plugin: plugin.version not in (None, wanted))
    if subject.environ.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION") == "true":
        absent = error(
            "plugin-missing",
            f"`{name}` {wanted or ''} is missing, and PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION forbids its download",
            f"unset that, or run: pulumi plugin install resource {package} {wanted or ''}".strip(),
        )
    else:
        absent = ok(f"not here yet: the engine downloads {wanted or 'it'} when it needs it (get.pulumi.com)")
    return _judge(subject, name, found, wanted=wanted, absent=absent)


def _judge(subject: Subject, name: str, found: list[Plugin], *, wanted: str | None, absent: Finding) -> Finding:
    if subject.is_local:
        official = [plugin for plugin in found if not plugin.is_stand_in and plugin.version in (None, wanted)]
        return ok(f"official: {official[0].path}" if official else "a stand-in of the local cloud")
    if not found:
        return absent
    first = found[0]
    if first.is_stand_in:
        return error(
            "plugin-stand-in",
            f"`{first.path}` is the local cloud's stand-in, which works against loopback only",
            "take its folder off PATH; the official one is downloaded or comes with the CLI",
        )
    if first.version is not None and first.version != wanted:
        return warning(
            "plugin-version",
            f"version {first.version} is installed, the SDK is {wanted}: the engine will download another",
            f"pulumi plugin install resource {name.removeprefix('pulumi-resource-')} {wanted}",
        )
    return ok(f"official{f' {first.version}' if first.version else ''}: {first.path}")


def _executables(subject: Subject, name: str, more: list[Path]) -> Iterator[Plugin]:
    folders = [Path(part or ".") for part in subject.environ.get("PATH", "").split(os.pathsep)]
    for folder in [*folders, *more]:
        path = folder / name
        if path.is_file() and os.access(path, os.X_OK):
            yield Plugin(path=path, version=None, is_stand_in=path.resolve().parts[-4:-1] == STAND_INS)


def _installed(home: Path, package: str, name: str) -> Iterator[Plugin]:
    for folder in sorted(home.glob(f"plugins/resource-{package}-v*")):
        match = re.fullmatch(rf"resource-{package}-v(.+)", folder.name)
        if match and (folder / name).is_file():
            yield Plugin(path=folder / name, version=match.group(1), is_stand_in=False)


def _sdk_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
