"""What is examined: the checkout, one stack, its settings, and for stack `local` its world."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.access.load import load_policies
from infra.access.overlay import BASE
from infra.environments.choices import Choices, last_choices
from infra.environments.scaffold.stack_file import StackFile, read_stack_file
from infra.environments.toolchain import cache_folder
from infra.environments.world import STACK, World, open_world
from infra.errors import LocalCloudError, MbgateError, SettingsError
from infra.settings import NAMESPACE, Settings
from infra.settings.environment import overlay_of
from infra.settings.identity import REQUIRED, agreed
from infra.settings.sections import camel

from .lenient import lenient_settings

TOKEN = "CLOUDFLARE_API_TOKEN"  # noqa: S105 - a variable's name


@dataclass(kw_only=True)
class Subject:
    """Everything that checks look at. `notes` is what one check found out for those that need it."""

    root: Path
    stack: str
    environ: Mapping[str, str] = field(repr=False)
    venv: Path
    cache: Path
    world: World | None = None
    file: StackFile | None = field(default=None, repr=False)
    settings: Settings | None = None
    replaced: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    problem: MbgateError | None = None
    notes: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_local(self) -> bool:
        """True for the stack of `make demo`."""
        return self.world is not None

    @property
    def has_world(self) -> bool:
        """True where `make demo` ran already."""
        return self.world is not None and (self.world.folder / "world.json").exists()

    @property
    def token(self) -> str | None:
        """Cloudflare's API token: the environment's, or the local world's own."""
        if self.world is None:
            return self.environ.get(TOKEN)
        try:
            return self.world.token_file.read_text().strip()
        except (OSError, ValueError):
            return None

    @property
    def choices(self) -> Choices:
        """What the local world was started with."""
        return last_choices(self.world) if self.world is not None and self.has_world else Choices()

    @property
    def pulumi_home(self) -> Path:
        """Where the engine keeps plugins, credentials and the selected stack."""
        return Path(self.environ.get("PULUMI_HOME") or self.home / ".pulumi")

    @property
    def home(self) -> Path:
        """The user's home folder."""
        return Path(self.environ.get("HOME") or Path.home())

    @property
    def policies(self) -> Path:
        """The folder of the policies, as short as it can be written."""
        folder = self.root / (self.text("policies") or "policies")
        shorter = os.path.relpath(folder)
        return Path(shorter) if len(shorter) < len(str(folder)) else folder

    def text(self, name: str) -> str | None:
        """A setting outside of the sections, also where other settings can't be used."""
        if self.settings is not None:
            found = getattr(self.settings, name)
        else:
            found = self.file.values.get(name) if self.file is not None else None
        return found if isinstance(found, str) else None

    def overlay(self) -> str | None:
        """The overlay that holds in this stack. Raises SettingsError where the stack must say so and doesn't."""
        if self.settings is None:
            named = self.text("environment")
            return None if named == BASE else named
        return overlay_of(self.settings, self.policies)

    def has_stand_ins(self, section: str) -> bool:
        """Whether something of the section is none of the stack's own."""
        return any(key.partition(".")[0] == section and key not in self.lacking for key in self.replaced)

    def given(self) -> Settings:
        """The settings, for checks that say which of them they use."""
        assert self.settings is not None  # noqa: S101 - the runner asks `unsound` first
        return self.settings

    def unsound(self, keys: tuple[str, ...] | None) -> str | None:
        """What keeps a check that uses these settings from running; None where nothing does."""
        if keys is None:
            return None
        if self.settings is None:
            return "the settings"
        bad = [key for key in keys if key in self.replaced or key.partition(".")[0] in self.replaced]
        return f"`{NAMESPACE}:{bad[0]}`" if bad else None

    def secrets(self) -> list[str]:
        """What no output may show."""
        named = (TOKEN, "PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN")
        values = [self.token or "", *(self.environ.get(name, "") for name in named)]
        return [value for value in {text.strip() for text in values} if len(value) >= 6]


def open_subject(root: Path, stack: str | None, environ: Mapping[str, str] | None = None) -> Subject:
    """Reads what can be read without waiting; what is wrong with the stack is kept for the checks that tell it.

    Raises MbgateError where not even the place of the local world is known.
    """
    env = dict(os.environ if environ is None else environ)
    name = stack or selected_stack(root, env) or STACK
    world = _local_world(root, env) if name == STACK else None
    subject = Subject(root=root, stack=name, environ=env, venv=_environment(root), cache=cache_folder(env), world=world)
    own = world is not None and (world.folder / f"Pulumi.{name}.yaml").exists()
    folder = world.folder if world is not None and own else root
    try:
        if name in (".", "..") or "/" in name:
            raise SettingsError(f"`{name}` is no stack's name", code="stack-invalid", help="as in: --stack dev")
        subject.file = read_stack_file(folder / f"Pulumi.{name}.yaml", name)
        subject.settings, subject.replaced = lenient_settings(subject.file)
        _complete(subject)
        subject.file.settings()
    except MbgateError as problem:
        subject.problem = problem
    return subject


def _complete(subject: Subject) -> None:
    """Adds what only the policies say of identity; where they don't, no check uses it, and `policies.load` tells it."""
    settings = subject.settings
    lacking = [name for name in REQUIRED if settings is not None and getattr(settings.identity, name) is None]
    if settings is None or not lacking:
        return
    try:
        subject.settings = agreed(settings, load_policies(subject.policies, subject.overlay()))
    except MbgateError:
        subject.lacking = frozenset(f"identity.{camel(name)}" for name in lacking)
        subject.replaced |= subject.lacking


def _local_world(root: Path, environ: dict[str, str]) -> World:
    try:
        return open_world(root, environ)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise LocalCloudError(
            f"the local world's `world.json` can't be read: {type(problem).__name__}",
            code="world-unreadable",
            help="remove the world's folder (MBGATE_STATE, or ~/.local/state/mbgate), then run `make demo`",
        ) from None


def _environment(root: Path) -> Path:
    """The virtual environment that `Pulumi.yaml` names, as `make setup` makes it."""
    return root / ".venv" if (root / ".venv").exists() else Path(sys.prefix)


def selected_stack(root: Path, environ: Mapping[str, str]) -> str | None:
    """The stack that `pulumi stack select` chose for this checkout, without asking the backend."""
    if environ.get("PULUMI_STACK"):
        return environ["PULUMI_STACK"].split("/")[-1]
    home = Path(environ.get("PULUMI_HOME") or Path(environ.get("HOME") or Path.home()) / ".pulumi")
    digest = hashlib.sha1(str(root / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    try:
        saved = json.loads((home / "workspaces" / f"mbgate-{digest}-workspace.json").read_text())
        chosen = saved.get("stack") or saved.get("stacks", {}).get(backend_url(root, environ) or "")
    except (OSError, ValueError, AttributeError):
        return None
    return str(chosen).split("/")[-1] if chosen else None


def backend_url(root: Path, environ: Mapping[str, str]) -> str | None:
    """The backend that the CLI would take: the environment's, the project's, the one logged in to."""
    import yaml

    if environ.get("PULUMI_BACKEND_URL"):
        return environ["PULUMI_BACKEND_URL"]
    home = Path(environ.get("PULUMI_HOME") or Path(environ.get("HOME") or Path.home()) / ".pulumi")
    try:
        named = (yaml.safe_load((root / "Pulumi.yaml").read_text()).get("backend") or {}).get("url")
        if named:
            return str(named)
        current = json.loads((home / "credentials.json").read_text()).get("current")
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        return None
    return str(current) if current else None
