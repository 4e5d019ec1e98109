"""`mbgate policy consent`: from what a forge says of a request to the file that `mbgate policy review` reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.errors import PolicyError
from infra.project import find_root
from infra.review.consent import SHA, Consents
from infra.review.consent_github import consents_of_github
from infra.review.consent_gitlab import consents_of_gitlab
from infra.review.owners import PLACES, Owners

from .policy import policy_app

TEAMS = ".github/teams.json"


@policy_app.command(hidden=True)
def consent(
    facts: Annotated[Path, typer.Argument(help="what `python -m infra.review.forge` printed")],
    changed: Annotated[
        Path | None, typer.Option(help="changed files of the policies, as `git diff --name-only -z` writes them")
    ] = None,
    codeowners: Annotated[Path | None, typer.Option(help="the checkout's CODEOWNERS by default")] = None,
    teams: Annotated[
        Path | None, typer.Option(help=f"JSON of teams' logins, as {{ORG/TEAM: [LOGIN]}}; {TEAMS} by default")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="a file for the JSON; standard output by default")] = None,
) -> None:
    """Say who accepts what a change of the policies lets people gain, and whose acceptance doesn't count.

    Exits with 0 in both cases. With --output, standard output says it in words.

    Example: mbgate policy consent facts.json --output consent.json
    """
    given = _json(facts)
    try:
        found = _judged(given, _paths(changed), codeowners, teams)
    except (KeyError, TypeError, AttributeError) as error:
        raise _unusable(facts, f"it lacks {error}") from None
    text = json.dumps(found.record(), indent=2)
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise PolicyError(f"`{output}` can't be written: {error.strerror}", code="consent-unwritable") from None
    typer.echo(found.text())


def _judged(given: Any, paths: list[str], codeowners: Path | None, teams: Path | None) -> Consents:
    head = given["head"]
    if not isinstance(head, str) or not SHA.fullmatch(head):
        raise TypeError("a commit's full hash")
    if given["forge"] == "gitlab":
        return consents_of_gitlab(given, head=head, paths=paths)
    root = find_root()
    file = codeowners or next((root / place for place in PLACES if (root / place).is_file()), None)
    listed = teams or root / TEAMS
    members = _json(listed) if teams or listed.is_file() else {}
    return consents_of_github(given, head=head, owners=Owners(_text(file) if file else "", members), paths=paths)


def _paths(file: Path | None) -> list[str]:
    """What changed; without a list, the roles."""
    return [path for path in _text(file).split("\0") if path] if file else ["policies/roles.yaml"]


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise _unusable(file, (error.strerror or str(error)).lower()) from None


def _json(file: Path) -> Any:
    try:
        return json.loads(_text(file))
    except ValueError:
        raise _unusable(file, "it is no JSON") from None


def _unusable(file: Path, why: str) -> PolicyError:
    return PolicyError(f"`{file}` can't be used: {why}", code="consent-invalid")
