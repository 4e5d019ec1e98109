"""Asks one check, with what it builds on."""

from __future__ import annotations

from infra.environments.doctor import CHECKS, Finding, run_checks
from infra.environments.doctor.model import Check
from tests.doctor.fakes import Project

BY_NAME = {check.name: check for check in CHECKS}


def ask(project: Project, name: str, stack: str = "dev") -> list[Finding]:
    """What the check of that name finds; those that it builds on run before it."""
    wanted: dict[str, Check] = {}

    def add(check: Check) -> None:
        for before in (*check.needs, *check.after):
            add(BY_NAME[before])
        wanted[check.name] = check

    add(BY_NAME[name])
    return [finding for finding in run_checks(list(wanted.values()), project.open(stack)) if finding.name == name]


def only(project: Project, name: str, stack: str = "dev") -> Finding:
    """The one finding of a check."""
    found = ask(project, name, stack)
    assert len(found) == 1, found
    return found[0]


def passes(project: Project, name: str, stack: str = "dev") -> str:
    """The check finds nothing wrong; answers its message."""
    found = only(project, name, stack)
    assert found.status == "ok", found
    return found.message


def fails(project: Project, name: str, code: str, status: str = "error", stack: str = "dev") -> Finding:
    """The check finds exactly this, and says what to do."""
    found = only(project, name, stack)
    assert (found.status, found.code) == (status, code), found
    assert found.help, found
    return found
