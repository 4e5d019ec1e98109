"""`mbgate policy`: check, explain, test and print the access policies; nothing here touches a cloud."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from infra.access.actions import ACTIONS
from infra.access.cases import TESTS_FILE, Coverage, Verdict, load_cases, measure, run_cases
from infra.access.explain import explain as explain_decision
from infra.access.load import load_policies
from infra.access.matrix import build
from infra.access.table import canonical_json, compile_table, digest
from infra.access.who import who_can as ask_who_can
from infra.errors import PolicyError
from infra.project import find_root

from .policy_matrix import Format, matrix_as, who_text, write_output

policy_app = typer.Typer(help="Check, explain and test the access policies.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)

Folder = Annotated[Path | None, typer.Argument(help="folder of the policies; the project's own by default")]
Policies = Annotated[
    Path | None, typer.Option("--policies", help="folder of the policies; the project's own by default")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for programs")]


def _folder(given: Path | None) -> Path:
    """The policies' folder, written as shortly as it can be for messages."""
    folder = given or find_root() / "policies"
    shorter = os.path.relpath(folder)
    return Path(shorter if len(shorter) < len(str(folder)) else folder)


@policy_app.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Read the policies and list every fault.

    Example: mbgate policy check
    """
    where = _folder(folder)
    try:
        policies = load_policies(where)
        tests = where / TESTS_FILE
        cases = load_cases(tests)[1] if tests.exists() else []
    except PolicyError as error:
        if as_json:
            typer.echo(json.dumps({"ok": False, "faults": [asdict(fault) for fault in error.faults]}, indent=2))
        else:
            for fault in error.faults:
                typer.echo(str(fault))
            typer.echo(error.message, err=True)
        raise typer.Exit(1) from None
    table = compile_table(policies)
    counts = {"roles": len(policies.roles), "routes": len(policies.catalogue.routes), "tests": len(cases)}
    if as_json:
        typer.echo(json.dumps({"ok": True, "digest": digest(table), **counts}, indent=2))
    else:
        names = ", ".join(role.name for role in policies.roles)
        typer.echo(f"ok: {counts['roles']} roles ({names}), {counts['routes']} routes, {counts['tests']} policy tests")
        typer.echo(f"digest {digest(table)}")


@policy_app.command()
def explain(
    method: Annotated[str, typer.Argument(help="HTTP method, as GET")],
    path: Annotated[str, typer.Argument(help="path without query string, as /api/dashboard/3")],
    person: Annotated[str | None, typer.Option("--as", help="a person of policies/tests.yaml")] = None,
    claims: Annotated[str | None, typer.Option(help='claims as JSON, as {"groups":["bi-analysts"]}')] = None,
    issuer: Annotated[str, typer.Option(help="the issuer's name, with --claims")] = "workforce",
    query: Annotated[str | None, typer.Option(help='what the body asks, as {"native":true,"database":"1"}')] = None,
    folder: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Say why a request is allowed or denied, and what would change that. Exits with 0 in both cases.

    Example: mbgate policy explain --claims '{"groups":["bi-analysts"]}' GET /api/dashboard/3
    """
    where = _folder(folder)
    principal = _principal(where, person, claims, issuer)
    request: dict[str, Any] = {"method": method.upper(), "path": path}
    if query is not None:
        asked = _json_object(query, "--query")
        # Metabase's bodies have a number, the table's ids are texts: either is meant.
        request["query"] = {k: str(v) if type(v) is int else v for k, v in asked.items()}
    explanation = explain_decision(compile_table(load_policies(where)), principal, request)
    typer.echo(json.dumps(asdict(explanation), indent=2) if as_json else explanation.text())


def _principal(folder: Path, person: str | None, claims: str | None, issuer: str) -> dict[str, Any]:
    if (person is None) == (claims is None):
        raise typer.BadParameter("give either --as or --claims")
    if claims is not None:
        return {"issuer": issuer, "claims": _json_object(claims, "--claims")}
    people = load_cases(folder / TESTS_FILE)[0]
    if person not in people:
        raise typer.BadParameter(f"`{person}` isn't among the people of {folder / TESTS_FILE}: {', '.join(people)}")
    return people[person]


def _json_object(text: str, option: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{option} must be a JSON object")
    return value


@policy_app.command(name="who-can")
def who_can(
    action: Annotated[str, typer.Argument(help="an action of `mbgate policy actions`, as dashboard:view")],
    resource: Annotated[str | None, typer.Argument(help="KIND/ID, as dashboard/3; every resource by default")] = None,
    folder: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Say which roles may do an action, by which rule, and how one gets each role; without a resource, on which ones.

    With --json: action, resource, also (other actions that some of its requests need) and roles. Each role has its
    name (role), get (issuer and claims; any entry gives the role), and either answer, for the resource (effect:
    allowed, denied or not-granted; reason; rule), or scopes: kind (null: requests that name none), may (all, all-but,
    some or none) with ids, unsettled (whether that holds for entity ids without a known number too), rules, denials.

    Example: mbgate policy who-can dashboard:view dashboard/3
    """
    found = ask_who_can(compile_table(load_policies(_folder(folder))), action, resource)
    typer.echo(json.dumps(found.record(), indent=2) if as_json else who_text(found))


@policy_app.command()
def matrix(
    folder: Policies = None,
    form: Annotated[Format, typer.Option("--format", help="how it is written")] = Format.text,
    output: Annotated[Path | None, typer.Option(help="a file to write; standard output by default")] = None,
) -> None:
    """Print every role's answer to every action on every resource that the rules tell apart, with the deciding rule.

    Example: mbgate policy matrix --format csv
    """
    compiled = compile_table(load_policies(_folder(folder)))
    write_output(matrix_as(form, build(compiled), compiled, output), output)


@policy_app.command()
def test(folder: Folder = None, as_json: AsJson = False) -> None:
    """Run the policy tests and print which decision cells they cover.

    Example: mbgate policy test
    """
    where = _folder(folder)
    table = compile_table(load_policies(where))
    verdicts = run_cases(table, load_cases(where / TESTS_FILE)[1])
    failed = [verdict for verdict in verdicts if not verdict.is_met]
    coverage = measure(table, verdicts)
    if as_json:
        typer.echo(json.dumps(_report(verdicts, failed, coverage), indent=2))
    else:
        _print_report(where / TESTS_FILE, verdicts, failed, coverage)
    if failed:
        raise typer.Exit(1)


def _report(verdicts: list[Verdict], failed: list[Verdict], coverage: Coverage) -> dict[str, Any]:
    return {
        "ok": not failed,
        "cases": len(verdicts),
        "failed": [{**asdict(verdict.case), "decision": verdict.decision} for verdict in failed],
        "cells": {
            "total": len(coverage.cells),
            "covered": len(coverage.covered),
            "granted": len(coverage.granted),
            "uncovered_grants": coverage.uncovered_grants,
        },
    }


def _print_report(file: Path, verdicts: list[Verdict], failed: list[Verdict], coverage: Coverage) -> None:
    for verdict in failed:
        case, decision = verdict.case, verdict.decision
        wanted = case.effect + (f" ({case.reason})" if case.reason else "")
        request = f"{case.request['method']} {case.request['path']}"
        got = f"{decision['effect']} ({decision['reason']})"
        typer.echo(f"{file}:{case.line}: {case.person} {request}: expected {wanted}, got {got}")
    typer.echo(f"{len(verdicts) - len(failed)} of {len(verdicts)} policy tests pass")
    grants = len(coverage.granted) - len(coverage.uncovered_grants)
    typer.echo(
        f"decision cells (role, action): {len(coverage.covered)} of {len(coverage.cells)} covered; "
        f"of those that a rule grants, {grants} of {len(coverage.granted)}"
    )
    for role, action in coverage.uncovered_grants:
        typer.echo(f"  no test decides on {action} for {role}")


@policy_app.command()
def table(folder: Folder = None, as_json: AsJson = False) -> None:
    """Print the canonical decision table, and its digest on standard error.

    Example: mbgate policy table > table.json
    """
    compiled = compile_table(load_policies(_folder(folder)))
    if as_json:
        typer.echo(json.dumps({"digest": digest(compiled), "table": compiled}, sort_keys=True))
    else:
        typer.echo(canonical_json(compiled), nl=False)
        typer.echo(f"digest {digest(compiled)}", err=True)


@policy_app.command()
def actions(as_json: AsJson = False) -> None:
    """List the actions that rules can allow or deny.

    Example: mbgate policy actions
    """
    if as_json:
        typer.echo(json.dumps([asdict(action) for action in ACTIONS.values()], indent=2))
        return
    grid = Grid(box=None, pad_edge=False)
    for heading in ("action", "on", "what it allows"):
        grid.add_column(heading, no_wrap=heading != "what it allows")
    for action in ACTIONS.values():
        grid.add_row(action.name, ", ".join(f"{kind}s" for kind in action.kinds), action.doc)
    console.print(grid)


from . import policy_schema  # noqa: E402, F401 - registers `mbgate policy schema`, which needs `policy_app` above
