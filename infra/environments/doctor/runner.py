"""Runs checks side by side, each within its own time, those that build on others after them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue

from infra.errors import MbgateError

from .model import Check, Finding, error, from_error, skipped
from .subject import Subject

Inbox = SimpleQueue[tuple[str, list[Finding]]]
HIDDEN = "[hidden]"
AGAIN = "run `mbgate doctor` again; if it stays, report it with this text"


def run_checks(checks: Sequence[Check], subject: Subject) -> list[Finding]:
    """Every finding, in the order of the checks. Never raises: a check that fails or hangs is a finding itself."""
    results: dict[str, list[Finding]] = {}
    waiting, running = list(checks), dict[str, tuple[Check, float]]()
    inbox: Inbox = SimpleQueue()
    names = {check.name for check in checks}
    while waiting or running:
        for check in [c for c in waiting if {*c.needs, *c.after} & names <= results.keys()]:
            waiting.remove(check)
            blocker = next((name for name in check.needs if name in names and not _is_good(results[name])), None)
            if blocker is not None:
                results[check.name] = [_not_looked_at(blocker, results[blocker])]
                continue
            if unsound := subject.unsound(check.uses):
                results[check.name] = [skipped(f"mend {unsound} first", "not-checked")]
                continue
            running[check.name] = (check, time.monotonic() + check.seconds)
            # A daemon: one that hangs must not keep the command from ending.
            threading.Thread(target=_run, args=(check, subject, inbox), daemon=True).start()
        if running:
            _collect(inbox, running, results)
    secrets = subject.secrets()
    return [_clean(replace(f, name=check.name), secrets) for check in checks for f in results[check.name]]


def _collect(inbox: Inbox, running: dict[str, tuple[Check, float]], results: dict[str, list[Finding]]) -> None:
    """Takes the next answer, or gives up those whose time is over."""
    nearest = min(deadline for _, deadline in running.values())
    try:
        name, findings = inbox.get(timeout=max(nearest - time.monotonic(), 0.001))
    except Empty:
        for name, (check, deadline) in list(running.items()):
            if deadline <= time.monotonic():
                del running[name]
                results[name] = [_timed_out(check)]
        return
    if name in running:
        del running[name]
        results[name] = findings


def _run(check: Check, subject: Subject, inbox: Inbox) -> None:
    try:
        found = check.run(subject)
    except MbgateError as failure:
        found = from_error(failure, AGAIN)
    except Exception as failure:
        text = f"this check failed itself: {type(failure).__name__}: {str(failure)[:200]}"
        found = error("check-failed", text, AGAIN)
    inbox.put((check.name, found if isinstance(found, list) else [found]))


def _is_good(findings: list[Finding]) -> bool:
    return not any(finding.status in ("error", "skipped") for finding in findings)


def _not_looked_at(blocker: str, findings: list[Finding]) -> Finding:
    """A check that does not apply takes those that build on it along; one that failed puts them off."""
    worst = next(finding for finding in findings if finding.status in ("error", "skipped"))
    if worst.status == "skipped":
        return skipped(worst.message, worst.code or "not-needed")
    return skipped(f"mend `{blocker}` first", "not-checked")


def _timed_out(check: Check) -> Finding:
    return error(
        "timed-out",
        f"no answer within {check.seconds:g} s",
        "see whether what it asks answers and the network lets it through (proxy, VPN, firewall)",
    )


def _clean(finding: Finding, secrets: list[str]) -> Finding:
    message, help = finding.message, finding.help
    for secret in secrets:
        message = message.replace(secret, HIDDEN)
        help = help.replace(secret, HIDDEN) if help else help
    return replace(finding, message=message, help=help)
