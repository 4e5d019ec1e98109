"""`mbgate reference`: the parts of the documentation that are made from the code, so that they can't be out of date."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.errors import SettingsError
from infra.project import find_root
from infra.settings import SECTIONS, Settings
from infra.settings.sections import camel

SETTINGS_HEAD = """\
# Settings

Each section is one key of `Pulumi.STACK.yaml` in the namespace `mbgate`; unknown keys are faults, and every fault is
told at once.
Three values stand outside the sections: `mbgate:policies` names the folder of the policies, `mbgate:environment` the
overlay in it that holds in this stack (`environments/NAME.yaml`; `base` for none, and where there are overlays it must
be said which), and the secret
`mbgate:oidcClientSecret` is set with `pulumi config set --secret mbgate:oidcClientSecret`.
This page is made by `mbgate reference`.
"""
COMMANDS_HEAD = """\
# Commands

Every command prints help with `--help`, and an expected failure as one message with a code. It exits with 0, with 1
where something is wrong, with 2 where it was called wrongly. `--json` prints for programs. Shell completion:
`mbgate --install-completion`.
This page is made by `mbgate reference`.
"""


def reference(
    check: Annotated[
        bool, typer.Option("--check", help="change nothing; exit with 1 where a page is out of date")
    ] = False,
) -> None:
    """Write the documentation's pages of settings and commands anew.

    Example: mbgate reference --check
    """
    folder = find_root() / "docs"
    stale = [name for name, make in PAGES.items() if _read(folder / name) != make()]
    if check and stale:
        raise SettingsError(
            f"out of date: {', '.join(f'docs/{name}' for name in stale)}",
            code="reference-stale",
            help="run `mbgate reference` and commit what it writes",
        )
    for name in stale:
        (folder / name).write_text(PAGES[name]())
    typer.echo(f"written: {', '.join(stale)}" if stale else "up to date")


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def settings_page() -> str:
    """Markdown of every section: key, type, default, meaning."""
    parts = [SETTINGS_HEAD]
    for name, section in SECTIONS.items():
        about = (section.__doc__ or "").split(": ", 1)
        needed = " (required)" if Settings.model_fields[name].is_required() else ""
        parts.append(f"## `mbgate:{camel(name)}`{needed}\n")
        if len(about) > 1:
            parts.append(f"{about[1][:1].upper()}{about[1][1:]}.\n")
        parts.append("| key | type | default | meaning |\n|---|---|---|---|")
        parts += [_row(camel(key), field) for key, field in section.model_fields.items()]
        parts.append("")
    return "\n".join(parts)


def _row(key: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field)
    return f"| `{key}` | {_type(field.annotation)} | {default} | {(field.description or '').replace('|', '&#124;')} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value) or "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value != "" else "empty"


def _type(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(a) for a in typing.get_args(annotation) if a is not type(None))
    if origin is tuple:
        return f"list of {_type(typing.get_args(annotation)[0])}"
    return {str: "text", int: "number", bool: "true or false"}.get(annotation, "text")


def commands_page() -> str:
    """Markdown of every command: what it does, its arguments and options."""
    from .app import app

    root = typer.main.get_command(app)
    parts = [COMMANDS_HEAD]
    for path, command in _commands(root, "mbgate"):
        parts += [f"## `{path}`\n", _prose(command.help or ""), ""]
        context = command.context_class(command, info_name=path)
        records = [p.get_help_record(context) for p in command.params if p.name != "help"]
        rows = [_parameter(record) for record in records if record]
        if rows:
            parts += ["| argument or option | meaning |\n|---|---|", *rows, ""]
    return "\n".join(parts)


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in sorted(command.commands.items()):
        if not inner.hidden:
            yield from _commands(inner, f"{path} {name}")


def _prose(text: str) -> str:
    """The help with its example as code."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\n".join(f"Example: `{line[9:]}`" if line.startswith("Example: ") else line for line in lines)


def _parameter(record: tuple[str, str]) -> str:
    name, meaning = (text.replace("|", "\\|") for text in record)
    return f"| `{name}` | {meaning} |"


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "commands.md": commands_page}
