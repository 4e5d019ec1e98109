"""A stack's settings: frozen, typed, documented; this package is the only reader of `pulumi.Config`.

Each section is one structured key of `Pulumi.<stack>.yaml` in the namespace `mbgate`; the documentation of each field
is its `description`, from which the settings table is made.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi
import pulumi.runtime.config as engine
from pydantic import ValidationError

from infra.errors import Fault, SettingsError

from .sections import ContainerSettings, MetabaseSettings, RotationSettings, Section, Settings, camel

__all__ = [
    "KEYS",
    "SECRET",
    "SECTIONS",
    "TEXTS",
    "ContainerSettings",
    "MetabaseSettings",
    "RotationSettings",
    "Settings",
    "hint",
    "parse",
    "read",
    "require_secret",
]

NAMESPACE = "mbgate"
TEXTS = ("policies", "environment")
"""Settings outside of the sections; each is a text."""
SECRET = "oidcClientSecret"  # noqa: S105 - the name of a setting, not its value

SECTIONS: dict[str, type[Section]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
KEYS = (*(f"{NAMESPACE}:{camel(name)}" for name in (*SECTIONS, *TEXTS)), f"{NAMESPACE}:{SECRET}")
"""Every key of our namespace that is read."""


def parse(stack: str, values: Mapping[str, Any]) -> Settings:
    """Settings from plain values by section; every fault at once, each with its key and what to do."""
    try:
        return Settings.model_validate({"stack": stack, **values})
    except ValidationError as error:
        raise SettingsError(
            f"the settings of stack `{stack}` can't be used",
            faults=[_fault(stack, detail) for detail in error.errors(include_url=False)],
        ) from None


def _fault(stack: str, detail: Any) -> Fault:
    path = ".".join(str(part) for part in detail["loc"])
    message = {"missing": "is missing", "extra_forbidden": "is no setting"}.get(
        detail["type"], detail["msg"].removeprefix("Value error, ")
    )
    return Fault(
        code="setting-" + {"missing": "missing", "extra_forbidden": "unknown"}.get(detail["type"], "invalid"),
        message=f"`{NAMESPACE}:{path}` {message}" if path else message,
        file=f"Pulumi.{stack}.yaml",
        path=f"$.config.{NAMESPACE}:{path}" if path else "$.config",
    )


def read(config: pulumi.Config | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the running stack; that the API token is there is checked too."""
    _refuse_unknown(pulumi.get_stack(), {**engine.get_config_env(), **engine.CONFIG.get()})
    source = config or pulumi.Config(NAMESPACE)
    values = {camel(name): source.get_object(camel(name)) for name in SECTIONS}
    values |= {name: source.get(name) or None for name in TEXTS}
    settings = parse(pulumi.get_stack(), {k: v for k, v in values.items() if v is not None})
    if not environ.get("CLOUDFLARE_API_TOKEN"):
        raise SettingsError(
            "the environment variable CLOUDFLARE_API_TOKEN is not set",
            code="token-missing",
            help="make an API token with the permissions that the README lists and export it",
        )
    return settings


def hint(key: str) -> str:
    """What to write instead of a key that is no setting."""
    prefix = f"{NAMESPACE}:"
    near = difflib.get_close_matches(key.removeprefix(prefix), [known.removeprefix(prefix) for known in KEYS], 1)
    return f"did you mean `{prefix}{near[0]}`?" if near else f"there are: {', '.join(KEYS)}"


def _refuse_unknown(stack: str, keys: Iterable[str]) -> None:
    """A misspelt key would be a setting that silently isn't set."""
    faults = [
        Fault(
            code="setting-unknown",
            message=f"`{key}` is no setting",
            file=f"Pulumi.{stack}.yaml",
            path=f"$.config.{key}",
            help=hint(key),
        )
        for key in sorted(keys)
        if key.startswith(f"{NAMESPACE}:") and key not in KEYS
    ]
    if faults:
        raise SettingsError(f"the settings of stack `{stack}` can't be used", faults=faults)


def require_secret(name: str, config: pulumi.Config | None = None) -> pulumi.Output[str]:
    """A secret setting, which stays a secret Output; a missing one is a fault that says how to set it."""
    source = config or pulumi.Config(NAMESPACE)
    getter: Callable[[str], pulumi.Output[str] | None] = source.get_secret
    value = getter(name)
    if value is None:
        raise SettingsError(
            f"the secret setting `{NAMESPACE}:{name}` is not set",
            code="setting-missing",
            help=f"run `pulumi config set --secret {NAMESPACE}:{name}` and paste the value",
        )
    return value
