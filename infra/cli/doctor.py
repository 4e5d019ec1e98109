"""`mbgate doctor`: what would make `pulumi up` fail, all at once and before it."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from infra.environments.doctor import CHECKS, Finding, open_subject, run_checks
from infra.environments.doctor.registry import FAMILIES
from infra.errors import MbgateError
from infra.project import find_root

STYLES = {"ok": "green", "warning": "yellow", "error": "bold red", "skipped": "dim"}
INDENT = " " * 11
# What a reader takes for a line, whatever the terminal's width.
WIDEST = 120


def doctor(
    stack: Annotated[
        str | None, typer.Option(help="the stack to look at; without it the selected one, else `local`")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for programs")] = False,
) -> None:
    """Find everything that would make a deployment fail, each with its fix. Changes nothing.

    Exits with 1 where something is wrong; warnings do not count.
    Example: mbgate doctor --stack prod
    """
    console, started = Console(highlight=False), time.monotonic()
    try:
        subject = open_subject(find_root(), stack)
    except MbgateError as problem:
        if not as_json:
            raise
        finding = Finding(name="project", status="error", message=problem.message, help=problem.help, code=problem.code)
        _print_json([finding])
        raise typer.Exit(1) from None
    with Console(stderr=True).status(f"looking at stack {subject.stack}"):
        findings = run_checks(CHECKS, subject)
    if as_json:
        _print_json(findings)
    else:
        for line in _lines(findings, min(console.width, WIDEST) if console.is_terminal else None):
            console.print(line, soft_wrap=True)
        console.print(_summary(subject.stack, findings, time.monotonic() - started), soft_wrap=True)
    if not _is_well(findings):
        raise typer.Exit(1)


def _is_well(findings: list[Finding]) -> bool:
    return not any(finding.status == "error" for finding in findings)


def _print_json(findings: list[Finding]) -> None:
    document = {
        "ok": _is_well(findings),
        "checks": [
            {"name": finding.name, **{k: v for k, v in asdict(finding).items() if k != "name"}} for finding in findings
        ],
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _lines(findings: list[Finding], width: int | None) -> Iterator[Text]:
    """A heading a family, a line a finding, and below it what to do; what was skipped for one reason shares a line."""
    for family, members in groupby(findings, key=lambda finding: finding.name.partition(".")[0]):
        yield Text(FAMILIES.get(family, family), style="bold")
        found = list(members)
        for finding in (f for f in found if f.status != "skipped"):
            yield from _finding(finding.status, _short(finding), finding.message, finding.code, width)
            if finding.help:
                yield from _wrapped(Text(), f"-> {finding.help}", width, "")
        skipped: dict[str, list[str]] = {}
        for finding in (f for f in found if f.status == "skipped"):
            skipped.setdefault(finding.message, []).append(_short(finding))
        for message, names in skipped.items():
            yield from _finding("skipped", _joined(names), message, None, width)


def _joined(names: list[str]) -> str:
    """The names, the many permissions as one word."""
    shown = dict.fromkeys("permissions" if name.startswith("permission-") else name for name in names)
    return ", ".join(names if len(names) == 1 else shown)


def _short(finding: Finding) -> str:
    return finding.name.partition(".")[2] or finding.name


def _finding(status: str, name: str, message: str, code: str | None, width: int | None) -> Iterator[Text]:
    head = Text(f"  {status:<9}", style=STYLES[status])
    text = f"{name}: {message}" + (f" [{code}]" if code else "")
    return _wrapped(head, text, width, "dim" if status == "skipped" else "")


def _wrapped(head: Text, text: str, width: int | None, style: str) -> Iterator[Text]:
    """Lines under a hanging indent; words are never broken, so that commands and paths can be copied."""
    room = max((width or 10**6) - len(INDENT) - 1, 30)
    lines = textwrap.wrap(" ".join(text.split()), room, break_long_words=False, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        first = head if number == 0 and head.plain else Text(INDENT)
        yield first + Text(line, style=style)


def _summary(stack: str, findings: list[Finding], seconds: float) -> Text:
    errors = sum(finding.status == "error" for finding in findings)
    warnings = sum(finding.status == "warning" for finding in findings)
    noted = f", {warnings} warning{'s' if warnings != 1 else ''}" if warnings else ""
    next_step = "make demo" if stack == "local" else f"pulumi up --stack {stack}"
    if errors:
        text = f"\n{errors} error{'s' if errors != 1 else ''}{noted}: stack {stack} is not ready ({seconds:.1f} s)"
        return Text(text, style="bold red")
    return Text(f"\nNothing is wrong{noted}. Next: {next_step} ({seconds:.1f} s)", style="bold green")
