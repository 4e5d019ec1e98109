"""`mbgate policy explain`: why a request is allowed or denied, for claims, a person of the tests, or an audit line."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from infra.access.cases import TESTS_FILE, load_cases
from infra.access.decide import AUDIENCES, Table
from infra.access.explain import explain as explain_decision
from infra.access.load import load_policies
from infra.access.recorded import EVENT, Recorded, explain_recorded
from infra.access.table import compile_table
from infra.access.wording import visible
from infra.errors import PolicyError

from .policy import AsJson, Environment, Policies, folder_of, policy_app

MAX_LINE = 1 << 20
"""Characters; what is longer is no line of the gateway."""
ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
PROVIDER = "workforce"


@policy_app.command()
def explain(
    method: Annotated[str | None, typer.Argument(help="HTTP method, as GET; not with --audit")] = None,
    path: Annotated[str | None, typer.Argument(help="path, as /api/dashboard/3, or a whole address")] = None,
    person: Annotated[str | None, typer.Option("--as", help="a person of policies/tests.yaml")] = None,
    claims: Annotated[str | None, typer.Option(help='claims as JSON, as {"groups":["bi-analysts"]}')] = None,
    issuer: Annotated[
        str | None, typer.Option(help="the issuer's name, with --claims; workforce by default", show_default=False)
    ] = None,
    kind: Annotated[str | None, typer.Option(help="person or machine, with --claims; person by default")] = None,
    query: Annotated[str | None, typer.Option(help='what the body asks, as {"native":true,"database":"1"}')] = None,
    audit: Annotated[Path | None, typer.Option(help="a file of audit lines; `-` is standard input")] = None,
    request_id: Annotated[str | None, typer.Option(help="which of the lines; the last by default")] = None,
    folder: Policies = None,
    environment: Environment = None,
    as_json: AsJson = False,
) -> None:
    """Say why a request is allowed or denied, and what would change that. Exits with 0 in both cases.

    With --audit, the request is one that the gateway recorded: what was decided then, and what it is answered today.

    Example: mbgate policy explain --claims '{"groups":["bi-analysts"]}' GET /api/dashboard/3
    """
    where = folder_of(folder)
    table = compile_table(load_policies(where, environment))
    found: Any
    if audit is not None:
        if any(value is not None for value in (method, path, person, claims, query, issuer, kind)):
            given = "METHOD, PATH, --as, --claims, --issuer, --kind, --query"
            raise typer.BadParameter(f"--audit has the whole request: leave {given} out")
        found = _recorded(table, audit, request_id)
    else:
        if not method or not path:
            raise typer.BadParameter("give METHOD and PATH, or --audit")
        if request_id is not None:
            raise typer.BadParameter("--request-id chooses a line of --audit, which isn't given")
        principal = _principal(where, person, claims, issuer, kind)
        _warn_of_issuer(table, issuer)
        found = explain_decision(table, principal, _request(method, _path(path), query))
    typer.echo(json.dumps(asdict(found), indent=2) if as_json else found.text())


def _request(method: str, path: str, query: str | None) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method.upper(), "path": path}
    if query is not None:
        asked = _json_object(query, "--query")
        # Metabase's bodies have a number, the table's ids are texts: either is meant.
        request["query"] = {k: str(v) if type(v) is int else v for k, v in asked.items()}
    return request


def _path(given: str) -> str:
    """What the gateway looks at of an address: neither the origin nor the query string; what goes is told."""
    path = re.split("[?#]", ORIGIN.sub("", given, count=1), maxsplit=1)[0] or "/"
    if path != given:
        typer.echo(f"asked as {visible(path)}: origin and query string take no part in a decision", err=True)
    return path


def _warn_of_issuer(table: Table, issuer: str | None) -> None:
    """A misspelt name matches no role, which reads as if the claims were wrong."""
    roles = table["roles"].values()
    known = sorted(table["issuers"] or {entry["issuer"] for role in roles for entry in role["match"]})
    if issuer is not None and issuer not in known:
        typer.echo(f"note: `{visible(issuer)}` is no issuer of these policies: {', '.join(known)}", err=True)


def _principal(
    folder: Path, person: str | None, claims: str | None, issuer: str | None, kind: str | None
) -> dict[str, Any]:
    if (person is None) == (claims is None):
        raise typer.BadParameter("give either --as or --claims")
    if claims is not None:
        if kind is not None and kind not in AUDIENCES:
            raise typer.BadParameter(f"--kind is {' or '.join(AUDIENCES)}")
        told = _json_object(claims, "--claims")
        return {"kind": kind or "person", "issuer": issuer or PROVIDER, "claims": told}
    if issuer is not None or kind is not None:
        raise typer.BadParameter("--issuer and --kind go with --claims: a person of the tests has both")
    people = load_cases(folder / TESTS_FILE)[0]
    if person not in people:
        raise typer.BadParameter(f"`{person}` isn't among the people of {folder / TESTS_FILE}: {', '.join(people)}")
    return people[person]


def _json_object(text: str, option: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} is no JSON: {error}") from None
    except RecursionError:
        raise typer.BadParameter(f"{option} is nested too deeply") from None
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{option} must be a JSON object")
    return value


def _recorded(table: Table, file: Path, request_id: str | None) -> Recorded:
    """The wanted event of a file, which may hold other lines too."""
    chosen: dict[str, Any] | None = None
    for line in _lines(file):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.get("type") == EVENT and request_id in (None, event.get("request_id")):
            chosen = event
    if chosen is None:
        which = f" with the request id `{request_id}`" if request_id else ""
        help = "give lines of the gateway's log as they are, one JSON object each"
        raise PolicyError(f"`{file}` holds no access event{which}", code="audit-line-missing", help=help)
    return explain_recorded(table, chosen)


def _lines(file: Path) -> Iterator[str]:
    try:
        if str(file) == "-":
            if isinstance(sys.stdin, io.TextIOWrapper):
                sys.stdin.reconfigure(encoding="utf-8", errors="replace")
            yield from _bounded(sys.stdin)
            return
        with file.open(encoding="utf-8", errors="replace") as opened:
            yield from _bounded(opened)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        help = "name a file of audit lines, or `-`"
        raise PolicyError(f"`{file}` can't be read: {reason}", code="audit-unreadable", help=help) from None


def _bounded(stream: TextIO) -> Iterator[str]:
    """The lines, of which none is held whole that is too long."""
    is_start = True
    while line := stream.readline(MAX_LINE):
        is_end = line.endswith("\n")
        if is_start and (is_end or len(line) < MAX_LINE):
            yield line
        is_start = is_end
