"""`mbgate init`: the settings of a new deployment, from questions or options."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from infra.environments.doctor.identity import redirect_uri
from infra.environments.scaffold.answers import (
    Answers,
    Draft,
    complete,
    draft_of,
    is_needless,
    known_answers,
    merged,
)
from infra.environments.scaffold.overlay_choice import checked, overlays, suggestion
from infra.environments.scaffold.questions import BY_KEY, QUESTIONS, Question, conflict, suggest
from infra.environments.scaffold.stack_file import StackFile, read_stack_file
from infra.environments.scaffold.writer import render, write
from infra.environments.world import STACK
from infra.errors import Fault, RenderError, SettingsError
from infra.project import find_root
from infra.render.discovery import discover
from infra.settings import Settings

STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
INTERRUPTED = 130
notes = Console(stderr=True, highlight=False, soft_wrap=True)


def _answer(key: str) -> Any:
    question = BY_KEY[key]
    return typer.Option(question.flag, help=f"{question.title}, as {question.example}", show_default=False)


def init(
    stack: Annotated[str, typer.Argument(help="the stack's name")] = "dev",
    account_id: Annotated[str | None, _answer("account_id")] = None,
    zone_id: Annotated[str | None, _answer("zone_id")] = None,
    hostname: Annotated[str | None, _answer("hostname")] = None,
    identity: Annotated[str | None, _answer("identity")] = None,
    issuer: Annotated[str | None, _answer("issuer")] = None,
    client_id: Annotated[str | None, _answer("client_id")] = None,
    team_domain: Annotated[str | None, _answer("team_domain")] = None,
    admin_hostname: Annotated[str | None, _answer("admin_hostname")] = None,
    runtime: Annotated[str | None, _answer("runtime")] = None,
    brand: Annotated[str | None, _answer("brand")] = None,
    environment: Annotated[
        str | None, typer.Option(help="the overlay of the policies, or base for none; as the stack by default")
    ] = None,
    no_input: Annotated[bool, typer.Option("--no-input", help="ask nothing; what is missing is an error")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="do not ask the issuer whether it is there")] = False,
    force: Annotated[bool, typer.Option("--force", help="write over a complete file, keeping its secrets")] = False,
    as_text: Annotated[bool, typer.Option("--print", help="print the file instead of writing it")] = False,
) -> None:
    """Write the settings of a new deployment, Pulumi.STACK.yaml, each setting with what it means.

    Asks what it is not told. Secrets are never asked: it ends with how to set them.
    Example: mbgate init prod
    """
    given = {
        "account_id": account_id,
        "zone_id": zone_id,
        "hostname": hostname,
        "identity": identity,
        "issuer": issuer,
        "client_id": client_id,
        "team_domain": team_domain,
        "admin_hostname": admin_hostname,
        "runtime": runtime,
        "brand": brand,
    }
    root = find_root()
    path = root / f"Pulumi.{_checked_name(stack)}.yaml"
    file = read_stack_file(path, stack) if path.exists() else None
    if file is not None and not (force or as_text) and file.is_complete():
        raise SettingsError(
            f"`{path.name}` is complete already; it is left as it is",
            code="stack-file-complete",
            help=f"edit it, or answer again: mbgate init {stack} --force (its secrets stay, its own comments go)",
        )
    draft = draft_of(root, stack, os.environ)
    if no_input or not _is_interactive():
        answers = _without_asking(given, file, offline=offline)
        overlay = _overlay(root, stack, file, environment, asks=False)
    else:
        answers = _by_asking(given, file, draft, offline=offline)
        overlay = _overlay(root, stack, file, environment, asks=True)
    text = render(stack, {**merged(file, answers), **({"environment": overlay} if overlay else {})}, file)
    settings = _usable(StackFile(path=path, stack=stack, document=yaml.safe_load(text)))
    if as_text:
        typer.echo(text, nl=False)
        return
    write(path, text)
    draft.drop()
    _print_guide(settings, path)


def _overlay(root: Path, stack: str, file: StackFile | None, given: str | None, *, asks: bool) -> str | None:
    """The policies' overlay in this stack; asked where there are some and nothing says which."""
    names = overlays(root, file)
    if given is not None:
        return checked(names, given)
    suggested = suggestion(names, stack, file)
    if not names or not asks or (file is not None and "environment" in file.values):
        return suggested
    notes.print("\n[bold]Environment of the policies[/bold]")
    notes.print("  the overlay that holds in this stack, or base for the policies as they are", style="dim")
    while True:
        try:
            return checked(names, str(typer.prompt("  environment", default=suggested, type=str, err=True)))
        except SettingsError as problem:
            notes.print(f"  {problem.message}; {problem.help}", style="red", markup=False)
        except (typer.Abort, KeyboardInterrupt):
            raise typer.Exit(INTERRUPTED) from None


def _is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _checked_name(stack: str) -> str:
    if not STACK_NAME.fullmatch(stack) or stack in (".", ".."):
        raise SettingsError(
            f"`{stack}` can't be a stack's name", code="stack-invalid", help="use letters, digits, `-`, `_` and `.`"
        )
    if stack == STACK:
        raise SettingsError(
            f"stack `{STACK}` is the one of `make demo`", code="stack-reserved", help="name another: mbgate init dev"
        )
    return stack


def _without_asking(given: Mapping[str, str | None], file: StackFile | None, *, offline: bool) -> Answers:
    answers, faults = complete(given, file)
    issuer = BY_KEY["issuer"]
    told = any(issuer.flag in fault.message for fault in faults)
    if not offline and not told and (problem := _issuer_problem(answers[issuer.key])):
        text = f"{issuer.flag}: {problem}"
        faults.append(Fault(code="issuer-unusable", message=text, help="to write it all the same: --offline"))
    if faults:
        raise SettingsError(
            f"{len(faults)} answer{'s' if len(faults) != 1 else ''} missing or wrong",
            code="answers-missing",
            faults=faults,
            help="give these options, or run it in a terminal without --no-input to be asked",
        )
    return answers


def _by_asking(given: Mapping[str, str | None], file: StackFile | None, draft: Draft, *, offline: bool) -> Answers:
    kept, known = draft.load(), known_answers(file)
    if kept:
        notes.print("going on with what was answered last time; Enter takes what stands in brackets")
    answers: Answers = {}
    try:
        for question in QUESTIONS:
            text = given[question.key]
            if text is None and is_needless(question, file, answers):
                continue
            offered = kept.get(question.key) or known.get(question.key) or suggest(question, answers)
            answers[question.key] = _ask(question, text, offered, answers, offline=offline)
            draft.keep({**kept, **answers})
    except (typer.Abort, KeyboardInterrupt):
        notes.print(f"\nstopped; what you answered is kept in {draft.path}\nrun the same command again to go on")
        raise typer.Exit(INTERRUPTED) from None
    return answers


def _ask(question: Question, text: str | None, offered: str | None, answers: Answers, *, offline: bool) -> str:
    """Asks until the answer holds; one given as an option is not asked, unless it is wrong."""
    if text is None:
        notes.print(f"\n[bold]{question.title}[/bold]")
        notes.print(f"  {question.purpose}\n  {question.form}, as {question.example}", markup=False, style="dim")
    while True:
        # `str` keeps the prompt from making a number of an answer.
        prompt = f"  {question.flag.removeprefix('--')}"
        entered = text if text is not None else typer.prompt(prompt, default=offered, type=str, err=True)
        text = None
        try:
            answer = question.accept(entered)
            problem = conflict({**answers, question.key: answer})
        except ValueError as error:
            problem = str(error)
        if problem is not None:
            notes.print(f"  {problem}", style="red", markup=False)
        elif question.key != "issuer" or offline or _is_there(answer):
            return answer


def _is_there(issuer: str) -> bool:
    """Whether the issuer can be used, or the person takes it all the same."""
    problem = _issuer_problem(issuer)
    return problem is None or _takes_anyway(problem)


def _takes_anyway(problem: str) -> bool:
    notes.print(f"  {problem}", style="red", markup=False)
    return typer.confirm("  take it anyway?", default=False, err=True)


def _issuer_problem(issuer: str) -> str | None:
    try:
        discover(issuer)
    except RenderError as problem:
        return f"{problem.message}{f'; {problem.help}' if problem.help else ''}"
    return None


def _usable(written: StackFile) -> Settings:
    """The settings as the file will say them. What nobody was asked may be wrong: it stood there already."""
    try:
        return written.settings()
    except SettingsError as problem:
        raise SettingsError(
            "what stands in the file already can't be used",
            faults=problem.faults,
            help=f"mend it in `{written.path.name}`, then run this again",
        ) from None


def _print_guide(settings: Settings, path: Path) -> None:
    console, stack = Console(highlight=False, soft_wrap=True), settings.stack
    console.print(f"[bold green]Wrote {path.name}.[/bold green]")
    console.print(
        f"Register this address at your provider: {redirect_uri(settings)}\n"
        "Next:\n"
        f"  pulumi stack select --create {stack}\n"
        f"  pulumi config set --secret mbgate:oidcClientSecret --stack {stack}\n"
        f"  mbgate doctor --stack {stack} && pulumi up --stack {stack}",
        markup=False,
    )
