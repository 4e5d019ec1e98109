"""The runner: side by side, each within its time, nothing raised, nothing secret shown."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from infra.environments.doctor import CHECKS, Finding, Subject, run_checks
from infra.environments.doctor.model import Check, error, ok, skipped, warning
from infra.errors import Fault, SettingsError
from tests.doctor.fakes import ROOT, TOKEN, Project


@pytest.fixture
def subject(project: Project) -> Subject:
    return project.open()


def check(name: str, found: Any, **more: Any) -> Check:
    """A check that answers, raises, or calls."""

    def run(_: Subject) -> Any:
        if isinstance(found, BaseException):
            raise found
        return found() if callable(found) else found

    return Check(name=name, run=run, **more)


def test_findings_come_in_the_order_of_the_checks(subject: Subject) -> None:
    def late() -> Finding:
        time.sleep(0.05)
        return ok("late")

    found = run_checks([check("a.one", late), check("a.two", [ok("x"), warning("w", "y", "z")])], subject)
    assert [(f.name, f.status) for f in found] == [("a.one", "ok"), ("a.two", "ok"), ("a.two", "warning")]


def test_what_hangs_is_given_up_and_keeps_nobody_waiting(subject: Subject) -> None:
    """Ten that hang cost the time of one, and one that finishes is told."""
    started = time.monotonic()
    hanging = [check(f"a.hang{i}", lambda: time.sleep(5), seconds=0.3) for i in range(10)]
    found = run_checks([*hanging, check("a.fine", ok("here")), check("a.on", ok("x"), needs=("a.hang0",))], subject)
    assert time.monotonic() - started < 2
    assert [f.code for f in found[:10]] == ["timed-out"] * 10
    assert found[10].message == "here"
    assert (found[11].status, found[11].code) == ("skipped", "not-checked")


def test_a_check_that_fails_is_a_finding(subject: Subject) -> None:
    found = run_checks(
        [
            check("a.bug", ZeroDivisionError("oops")),
            check("a.known", SettingsError("is wrong", code="some-code", help="mend")),
            check("a.faults", SettingsError("x", faults=[Fault(code="f", message="m", file="F", line=3)])),
        ],
        subject,
    )
    assert [(f.status, f.code) for f in found] == [("error", "check-failed"), ("error", "some-code"), ("error", "f")]
    assert found[2].message == "F:3: m"


@pytest.mark.parametrize(
    ("first", "status", "code"),
    [
        (ok("x"), "ok", None),
        (warning("w", "x", "y"), "ok", None),
        (error("e", "x", "y"), "skipped", "not-checked"),
        (skipped("no use"), "skipped", "not-needed"),
    ],
)
def test_one_check_builds_on_another(subject: Subject, first: Finding, status: str, code: str | None) -> None:
    found = run_checks([check("a.second", ok("x"), needs=("a.first",)), check("a.first", first)], subject)
    assert (found[0].status, found[0].code) == (status, code)


def test_after_waits_and_does_not_block(subject: Subject) -> None:
    found = run_checks(
        [check("a.second", ok("x"), after=("a.first",)), check("a.first", error("e", "x", "y"))], subject
    )
    assert found[0].status == "ok"


def test_unsound_settings_keep_only_their_users_from_running(project: Project) -> None:
    project.change("cloudflare", accountId="nonsense")
    subject = project.open()
    uses = ("cloudflare.accountId",)
    found = run_checks(
        [check("a.user", ok("x"), uses=uses), check("a.other", ok("x"), uses=("gateway.hostname",))], subject
    )
    assert [f.status for f in found] == ["skipped", "ok"]
    assert "mbgate:cloudflare.accountId" in found[0].message


def test_no_secret_is_shown(subject: Subject) -> None:
    found = run_checks(
        [check("a.leak", error("e", f"got {TOKEN}", f"use {TOKEN}")), check("a.bug", ValueError(TOKEN))], subject
    )
    assert TOKEN not in repr(found)
    assert TOKEN not in repr(subject)


def test_the_registry_is_sound() -> None:
    """Names are unique, and a check builds only on those before it, so that there is no circle."""
    seen: set[str] = set()
    for one in CHECKS:
        assert one.name not in seen
        assert {*one.needs, *one.after} <= seen, one.name
        assert re.fullmatch(r"[a-z]+\.[a-z0-9-]+", one.name)
        seen.add(one.name)


def test_codes_are_kebab_case() -> None:
    """Whatever a check can say has a code that documentation can name."""
    for file in (ROOT / "infra" / "environments" / "doctor").glob("*.py"):
        for code in re.findall(r"\b(?:error|warning)\(\s*\"([^\"]+)\"", Path(file).read_text()):
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code), code
