"""`mbgate policy`: check, explain, test and print the access policies; nothing here touches a cloud."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from infra.access.actions import ACTIONS
from infra.access.cases import TESTS_FILE, Coverage, Verdict, load_cases, measure, run_cases
from infra.access.decide import Table
from infra.access.load import load_policies
from infra.access.matrix import build
from infra.access.model import Policies as AccessPolicies
from infra.access.overlay import BASE, environments
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
Environment = Annotated[
    str | None, typer.Option("--environment", "-e", help="with this overlay of policies/environments; none by default")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for programs")]


def folder_of(given: Path | None) -> Path:
    """The policies' folder, written as shortly as it can be for messages."""
    folder = given or find_root() / "policies"
    shorter = os.path.relpath(folder)
    return Path(shorter if len(shorter) < len(str(folder)) else folder)


@policy_app.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Read the policies, without an overlay and in every environment, and list every fault.

    Example: mbgate policy check
    """
    where = folder_of(folder)
    try:
        found = {name: load_policies(where, name) for name in (None, *environments(where))}
        tests = where / TESTS_FILE
        cases = load_cases(tests, _issuers(found.values()))[1] if tests.exists() else []
    except PolicyError as error:
        if as_json:
            typer.echo(json.dumps({"ok": False, "faults": [asdict(fault) for fault in error.faults]}, indent=2))
        else:
            for fault in error.faults:
                typer.echo(str(fault))
            typer.echo(error.message, err=True)
        raise typer.Exit(1) from None
    digests = {name: digest(compile_table(policies)) for name, policies in found.items()}
    base = found.pop(None)
    counts = {"roles": len(base.roles), "routes": len(base.catalogue.routes), "tests": len(cases)}
    if as_json:
        others = {name: {"digest": digests[name], "roles": len(policies.roles)} for name, policies in found.items()}
        told = {"ok": True, "digest": digests[None], **counts, "environments": others}
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(f"ok: {_roles_words(base)}, {counts['routes']} routes, {counts['tests']} policy tests")
    typer.echo(f"digest {digests[None]}")
    for name, policies in found.items():
        typer.echo(f"environment {name}: {_roles_words(policies)}")
        typer.echo(f"digest {digests[name]}")


def _issuers(found: Iterable[AccessPolicies]) -> frozenset[str]:
    """Every issuer that policies declare in some environment."""
    return frozenset(issuer.name for policies in found for issuer in policies.issuers)


def _roles_words(policies: AccessPolicies) -> str:
    return f"{len(policies.roles)} roles ({', '.join(role.name for role in policies.roles)})"


@policy_app.command(name="who-can")
def who_can(
    action: Annotated[str, typer.Argument(help="an action of `mbgate policy actions`, as dashboard:view")],
    resource: Annotated[str | None, typer.Argument(help="KIND/ID, as dashboard/3; every resource by default")] = None,
    folder: Policies = None,
    environment: Environment = None,
    as_json: AsJson = False,
) -> None:
    """Say which roles may do an action, by which rule, and how one gets each role; without a resource, on which ones.

    With --json: action, resource, also (other actions that some of its requests need) and roles. Each role has its
    name (role), get (issuer and claims; any entry gives the role), and either answer, for the resource (effect:
    allowed, denied or not-granted; reason; rule), or scopes: kind (null: requests that name none), may (all, all-but,
    some or none) with ids, unsettled (whether that holds for entity ids without a known number too), rules, denials.

    Example: mbgate policy who-can dashboard:view dashboard/3
    """
    found = ask_who_can(compile_table(load_policies(folder_of(folder), environment)), action, resource)
    typer.echo(json.dumps(found.record(), indent=2) if as_json else who_text(found))


@policy_app.command()
def matrix(
    folder: Policies = None,
    environment: Environment = None,
    form: Annotated[Format, typer.Option("--format", help="how it is written")] = Format.text,
    output: Annotated[Path | None, typer.Option(help="a file to write; standard output by default")] = None,
) -> None:
    """Print every role's answer to every action on every resource that the rules tell apart, with the deciding rule.

    Example: mbgate policy matrix --format csv
    """
    compiled = compile_table(load_policies(folder_of(folder), environment))
    write_output(matrix_as(form, build(compiled), compiled, output), output)


@policy_app.command()
def test(folder: Folder = None, environment: Environment = None, as_json: AsJson = False) -> None:
    """Run the policy tests, without an overlay and in every environment, and print which decision cells they cover.

    Example: mbgate policy test
    """
    where = folder_of(folder)
    names = (environment,) if environment else (None, *environments(where))
    found = {name: load_policies(where, name) for name in names}
    tables = {name: compile_table(policies) for name, policies in found.items()}
    cases = load_cases(where / TESTS_FILE, () if environment else _issuers(found.values()))[1]
    runs = {name: Run.of(table, run_cases(table, cases, name)) for name, table in tables.items()}
    if as_json:
        reports = {name or BASE: run.record() for name, run in runs.items()}
        first = reports.pop(environment or BASE)
        typer.echo(json.dumps({**first, "environments": reports}, indent=2))
    else:
        for name, run in runs.items():
            _print_run(where / TESTS_FILE, f"environment {name}: " if name else "", run)
    if any(run.failed for run in runs.values()):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Run:
    """The verdicts in one environment."""

    verdicts: list[Verdict]
    failed: list[Verdict]
    coverage: Coverage

    @staticmethod
    def of(table: Table, verdicts: list[Verdict]) -> Run:
        """From the verdicts on a table."""
        failed = [verdict for verdict in verdicts if not verdict.is_met]
        return Run(verdicts=verdicts, failed=failed, coverage=measure(table, verdicts))

    def record(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "ok": not self.failed,
            "cases": len(self.verdicts),
            "failed": [_failure(verdict) for verdict in self.failed],
            "cells": {
                "total": len(self.coverage.cells),
                "covered": len(self.coverage.covered),
                "granted": len(self.coverage.granted),
                "uncovered_grants": self.coverage.uncovered_grants,
            },
        }


def _failure(verdict: Verdict) -> dict[str, Any]:
    case = {**vars(verdict.case), "environments": sorted(verdict.case.environments)}
    return {**case, "decision": verdict.decision}


def _print_run(file: Path, where: str, run: Run) -> None:
    verdicts, failed, coverage = run.verdicts, run.failed, run.coverage
    for verdict in failed:
        case, decision = verdict.case, verdict.decision
        wanted = case.effect + (f" ({case.reason})" if case.reason else "")
        request = f"{case.request['method']} {case.request['path']}"
        got = f"{decision['effect']} ({decision['reason']})"
        typer.echo(f"{file}:{case.line}: {where}{case.person} {request}: expected {wanted}, got {got}")
    typer.echo(f"{where}{len(verdicts) - len(failed)} of {len(verdicts)} policy tests pass")
    grants = len(coverage.granted) - len(coverage.uncovered_grants)
    typer.echo(
        f"decision cells (role, action): {len(coverage.covered)} of {len(coverage.cells)} covered; "
        f"of those that a rule grants, {grants} of {len(coverage.granted)}"
    )
    for role, action in coverage.uncovered_grants:
        typer.echo(f"  no test decides on {action} for {role}")


@policy_app.command()
def table(folder: Folder = None, environment: Environment = None, as_json: AsJson = False) -> None:
    """Print the canonical decision table, and its digest on standard error.

    Example: mbgate policy table > table.json
    """
    compiled = compile_table(load_policies(folder_of(folder), environment))
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


# Each registers a command of its own, which needs `policy_app` above.
from . import policy_consent, policy_diff, policy_explain, policy_schema  # noqa: E402, F401
