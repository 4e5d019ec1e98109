"""What `mbgate policy who-can` and `mbgate policy matrix` print: words, a table for terminals, and files."""

from __future__ import annotations

import csv
import enum
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from infra.access.decide import Table
from infra.access.matrix import Answer, Matrix, Row
from infra.access.who import RoleAnswer, Scope, WhoCan
from infra.access.wording import visible, ways_words
from infra.errors import PolicyError

from .matrix_page import page

WIDTH = 100
HEADINGS = ("role", "action", "resource", "effect", "reason", "rule")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ROLES_A_GRID = 3
"""More columns would break the rules' ids; further roles get a table of their own."""
MARKS = {"allowed": ("✓", "green"), "held": ("?", "yellow"), "denied": ("✗", "red"), "not-granted": ("·", "dim")}


class Format(enum.StrEnum):
    """How the matrix is written."""

    text = "text"
    csv = "csv"
    html = "html"


def who_text(found: WhoCan) -> str:
    """The answer for a person: the roles that may first, each with how one gets it."""
    target = f" on {found.resource}" if found.resource else ""
    lines = [f"{found.action}{target}"]
    for role in sorted(found.roles, key=lambda role: not _may_something(role)):
        lines += _role_lines(role, found.resource or "")
    if found.also:
        lines.append(f"some of its requests need more than this action: {' or '.join(found.also)}")
    lines.append("somebody who matches two roles has neither")
    return "\n".join(lines)


def _may_something(role: RoleAnswer) -> bool:
    if role.answer:
        return role.answer.effect == "allowed"
    return any(scope.may != "none" for scope in role.scopes)


def _role_lines(role: RoleAnswer, resource: str) -> Iterator[str]:
    if role.answer:
        yield f"  {visible(role.role)}: {_effect(role.answer)}, {_reason(role.answer, resource)}"
    elif len(role.scopes) == 1:
        yield f"  {visible(role.role)}: {_scope_words(role.scopes[0])}"
    else:
        yield f"  {visible(role.role)}"
        for scope in role.scopes:
            yield f"    {f'{scope.kind}s' if scope.kind else 'no single one'}: {_scope_words(scope)}"
    yield f"    {'whatever machine' if role.audience == 'machines' else 'whoever'} has {ways_words(role.get)}"


def _effect(answer: Answer) -> str:
    if answer.effect == "held":
        return "only once approved" if answer.reason == "approval-required" else "only with locked parameters"
    return answer.effect.replace("-", " ")


def _reason(answer: Answer, resource: str) -> str:
    if answer.rule:
        return visible(f"by rule `{answer.rule}`")
    words = {
        "action-not-granted": "no rule of the role allows the action",
        "resource-not-granted": f"rules of the role allow the action, but not on {resource}",
        "resource-id-unsettled": "a deny rule lists numbers, and the policies don't know this entity id's",
    }
    return f"{words.get(answer.reason, answer.reason)} ({answer.reason})"


def _scope_words(scope: Scope) -> str:
    ids = f": {', '.join(scope.ids)}" if scope.ids else ""
    rules = [f"by rule {_quoted(scope.rules)}"] if scope.rules else []
    held = [f"with an approval or locked parameters {_quoted(scope.held)}"] if scope.held else []
    others = [f"else {_quoted(scope.denials)}" if scope.rules else _quoted(scope.denials)] if scope.denials else []
    words = f"{scope.may.replace('-', ' ')}{ids}"
    if not scope.unsettled:
        words += f", and {'no' if scope.may.startswith('all') else 'any'} entity id without a known number"
    return visible(f"{words} ({'; '.join(rules + held + others)})")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def matrix_as(form: Format, matrix: Matrix, table: Table, output: Path | None) -> str:
    """The matrix in a format; colours only for a terminal."""
    if form is Format.csv:
        return matrix_csv(matrix)
    if form is Format.html:
        return page(matrix, {name: role["match"] for name, role in table["roles"].items()})
    return matrix_text(matrix, colour=output is None and sys.stdout.isatty() and "NO_COLOR" not in os.environ)


def matrix_csv(matrix: Matrix) -> str:
    """One line for each role, action and class of resources (`dashboard/1`, `dashboard/other`, …)."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADINGS)
    for row in matrix.rows:
        for cell in row.cells:
            values = (cell.role, row.action, row.subjects[0].name, cell.effect, cell.reason, cell.rule or "")
            writer.writerow([_harmless(value) for value in values])
    return stream.getvalue()


def _harmless(value: str) -> str:
    """A spreadsheet would run a value that starts like a formula; no name that the policies allow does."""
    return f"'{value}" if value.startswith(FORMULA) else value


def write_output(text: str, output: Path | None) -> None:
    """To a file, or to standard output."""
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8", newline="")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        help = "name a file in a folder that exists and that you may write to"
        raise PolicyError(f"`{output}` can't be written: {reason}", code="output-unwritable", help=help) from None
    typer.echo(f"written: {output}", err=True)


def matrix_text(matrix: Matrix, *, colour: bool = False) -> str:
    """Tables of at most 100 columns, three roles each, one section for each prefix of actions."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=WIDTH,
        highlight=False,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    for start in range(0, len(matrix.roles), ROLES_A_GRID):
        console.print(_grid(matrix, slice(start, start + ROLES_A_GRID)))
    console.print("✓ allowed, ✗ denied, each by the rule named; · not granted: no rule allows it")
    if any(cell.effect == "held" for row in matrix.rows for cell in row.cells):
        console.print("? allowed by the rule named only when somebody approves, or with locked parameters")
    console.print("no single one: requests that name no resource, such as lists and pages")
    console.print(f"digest {matrix.digest}")
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _grid(matrix: Matrix, some: slice) -> Grid:
    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=WIDTH)
    grid.add_column("action", no_wrap=True)
    grid.add_column("on", ratio=3, overflow="fold")
    for role in matrix.roles[some]:
        grid.add_column(Text(visible(role)), ratio=4, overflow="fold")
    for prefix, rows in matrix.groups().items():
        grid.add_row(Text(f"{prefix}:", "bold"))
        last = ""
        for row in rows:
            name = "" if row.action == last else f"  {row.action.partition(':')[2]}"
            grid.add_row(Text(name), Text(row.label), *_marks(row, some))
            last = row.action
        grid.add_section()
    return grid


def _marks(row: Row, some: slice) -> Iterator[Text]:
    for cell in row.cells[some]:
        mark, style = MARKS[cell.effect]
        why = cell.rule or (cell.reason if cell.effect == "denied" else "")
        yield Text(visible(f"{mark} {why}".rstrip()), style)
