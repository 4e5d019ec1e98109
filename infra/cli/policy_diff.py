"""`mbgate policy diff` and `review`: what a change of the policies changes, for reviewers and for pull requests."""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.errors import PolicyError
from infra.project import find_root
from infra.review.consent import read_consents

from .policy import AsJson, policy_app
from .policy_matrix import write_output

PREVIEW_CHARACTERS = 2000


class ReviewFormat(enum.StrEnum):
    """How a review is written."""

    text = "text"
    markdown = "markdown"
    json = "json"


SideArgument = typer.Argument(help="a git ref, a folder of policies, or a roles.yaml")
Folder = Annotated[str, typer.Option("--folder", help="where the policies are in a ref")]


@policy_app.command()
def diff(
    before: Annotated[str, SideArgument],
    after: Annotated[str, SideArgument],
    folder: Folder = "policies",
    as_json: AsJson = False,
) -> None:
    """Say exactly who gains and who loses what between two policies, and prove that the list is complete.

    Exits with 1 where the proof fails. With --json: gains, losses, unreachable and proof (unsat: proven), those of
    the policies without an overlay; environments has the others where they differ.

    Example: mbgate policy diff origin/main policies
    """
    from infra.review.report import review as make_review
    from infra.review.sides import open_side
    from infra.review.written import text

    root = find_root()
    with open_side(before, root, folder) as old, open_side(after, root, folder) as new:
        found = make_review(old, new)
    record = found.record()
    keys = ("base", "head", "gains", "losses", "unreachable", "proof", "proof_example", "digests", "same_in")
    told = {**{key: record[key] for key in keys}, "environments": record["environments"]}
    typer.echo(json.dumps(told, indent=2) if as_json else text(found), nl=as_json)
    if not found.is_proven:
        raise typer.Exit(1)


@policy_app.command()
def review(
    base: Annotated[str, typer.Option(help="what the change is compared with: a git ref, a folder or a file")],
    head: Annotated[str | None, typer.Option(help="the change; the working tree's policies by default")] = None,
    form: Annotated[ReviewFormat, typer.Option("--format", help="how it is written")] = ReviewFormat.text,
    output: Annotated[Path | None, typer.Option(help="a file to write; standard output by default")] = None,
    replay: Annotated[Path | None, typer.Option(help="audit lines: which recent accesses would change")] = None,
    preview: Annotated[Path | None, typer.Option(help="what `pulumi preview --json` printed")] = None,
    guardrails: Annotated[Path | None, typer.Option(help="what the guardrails found, as JSON")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="gains need somebody else's consent")] = False,
    consent: Annotated[Path | None, typer.Option(help="who agreed, as JSON; see docs/reviewing.md")] = None,
    folder: Folder = "policies",
) -> None:
    """Review a change of the policies: gains, losses, what nobody reaches any longer, policy tests, and a proof.

    The policies of both sides are read as data; the code that runs is this checkout's. Exits with 1 where something
    is objectionable: a fault, a failing policy test, a guardrail, a list that isn't proven, gains without consent.

    Example: mbgate policy review --base origin/main --format markdown
    """
    from infra.review.report import Faulty, Review
    from infra.review.report import review as make_review
    from infra.review.sides import open_side
    from infra.review.written import FORMATS

    root, changed = find_root(), head or os.path.relpath(find_root() / folder)
    more: dict[str, Any] = {
        "lines": replay,
        "guardrails": None if guardrails is None else _json(guardrails, list),
        "preview": None if preview is None else _preview(preview),
        "consent": _consent(consent) if strict else None,
    }
    found: Review | Faulty
    with open_side(base, root, folder) as old:
        try:
            with open_side(changed, root, folder) as new:
                found = make_review(old, new, **more)
        except PolicyError as error:
            if not error.faults:
                raise
            found = Faulty(base=old.name, head=changed, faults=error.faults)
    if form is ReviewFormat.json:
        write_output(json.dumps(found.record(), indent=2) + "\n", output)
    else:
        write_output(FORMATS[form.value](found), output)
    if found.objections:
        raise typer.Exit(1)


def _consent(file: Path | None) -> Mapping[str, Any]:
    """Whether somebody else agreed. Without a file nobody has."""
    if file is None:
        return {"given": False, "why": "there is no --consent file"}
    found = read_consents(_json(file, dict))
    refused = "; ".join(f"{one.by or 'somebody'}'s {one.how}: {one.why}" for one in found.refused)
    return {"given": bool(found.consents), "why": refused or "nobody did", **found.record()}


def _json(file: Path, kind: type) -> Any:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PolicyError(f"`{file}` can't be read as JSON: {error}", code="review-input-unreadable") from None
    if not isinstance(found, kind):
        raise PolicyError(f"`{file}` is no JSON {kind.__name__}", code="review-input-unreadable")
    return found


def _preview(file: Path) -> str:
    """`3 to create, 1 to update` from `pulumi preview --json`."""
    changes = _json(file, dict).get("changeSummary")
    if not isinstance(changes, dict):
        help = "give what `pulumi preview --json` printed"
        raise PolicyError(f"`{file}` has no `changeSummary`", code="review-input-unreadable", help=help)
    told = ", ".join(f"{count} to {step}" for step, count in sorted(changes.items()) if step != "same")
    return (told or "no change of resources")[:PREVIEW_CHARACTERS]
