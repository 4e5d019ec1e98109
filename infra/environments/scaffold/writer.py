"""A stack's settings file as text: every setting, each with what it means."""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from infra.errors import SettingsError
from infra.settings import NAMESPACE, SECTIONS, TEXTS, Settings
from infra.settings.sections import camel

from .stack_file import StackFile

WIDTH = 116
# Settings that only the local cloud has say so in their descriptions.
LOCAL_ONLY = "for the local cloud"


def render(stack: str, values: Mapping[str, Any], file: StackFile | None = None) -> str:
    """The file of `stack` with `values`; secrets and keys of others are taken over from `file` as they are."""
    lines = [
        f"# Settings of stack {stack}. Secrets are not written by hand; to set the client's:",
        f"#   pulumi config set --secret {NAMESPACE}:oidcClientSecret --stack {stack}",
        "# To check everything: " + f"mbgate doctor --stack {stack}",
        *_kept({k: v for k, v in (file.document if file else {}).items() if k != "config"}, 0),
        "config:",
    ]
    for name, model in SECTIONS.items():
        given = values.get(camel(name))
        section = given if isinstance(given, dict) else {}
        fields = list(_fields(model.model_fields, section))
        # A section without a value would be an empty text to the engine.
        is_empty = all(line.lstrip().startswith("#") for line in fields)
        lines += [f"  {'# ' if is_empty else ''}{NAMESPACE}:{camel(name)}:", *fields]
    for name in TEXTS:
        field = Settings.model_fields[name]
        value = values.get(name, field.default)
        key = f"{NAMESPACE}:{name}"
        lines += [
            *_comment(field.description or "", 2),
            f"  # {key}:" if value is None else f"  {key}: {scalar(value)}",
        ]
    ours = {f"{NAMESPACE}:{name}" for name in (*map(camel, SECTIONS), *TEXTS)}
    lines += _kept({k: v for k, v in (file.config if file else {}).items() if k not in ours}, 2)
    return "\n".join(lines) + "\n"


def _fields(fields: Mapping[str, FieldInfo], section: Mapping[str, Any]) -> Iterator[str]:
    for name, field in fields.items():
        key, description = camel(name), field.description or ""
        value = section.get(key, None if field.is_required() else field.default)
        if value is None and LOCAL_ONLY in description:
            continue
        yield from _comment(description, 4)
        # An empty setting is shown where it would go, and stays unset.
        yield f"    # {key}:" if value is None else f"    {key}: {scalar(value)}"
    known = {camel(name) for name in fields}
    yield from _kept({k: v for k, v in section.items() if k not in known}, 4)


def _comment(text: str, indent: int) -> list[str]:
    head = " " * indent + "# "
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=head, break_long_words=False, break_on_hyphens=False
    )


def _kept(values: Mapping[str, Any], indent: int) -> list[str]:
    if not values:
        return []
    text = _dump(dict(values))
    return textwrap.indent(text, " " * indent).rstrip("\n").split("\n")


def scalar(value: Any) -> str:
    """One value on one line."""
    plain = list(value) if isinstance(value, tuple) else value
    return _dump(plain, default_flow_style=True).removesuffix("\n").removesuffix("...").strip()


def _dump(value: Any, **more: Any) -> str:
    """YAML of a value. What can't be printed is escaped: as it is, it would be read back as something else."""
    text = str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10**6, **more))
    if text.replace("\n", "").isprintable() and yaml.safe_load(text) == value and not _has_breaks(value):
        return text
    return str(yaml.safe_dump(value, sort_keys=False, default_style='"', width=10**6, **more))


def _has_breaks(value: Any) -> bool:
    """A text of several lines would not stay on one."""
    return isinstance(value, str) and "\n" in value


def write(path: Path, text: str) -> None:
    """Writes it in one step: an interruption leaves the old file or the new. Raises SettingsError."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".mbgate-", delete=False, encoding="utf-8"
        ) as new:
            new.write(text)
        Path(new.name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(new.name).replace(path)
    except OSError as error:
        raise SettingsError(
            f"`{path}` can't be written: {error.strerror}", code="stack-file-unwritable", help="or use --print"
        ) from None
