"""A test that is skipped has shown nothing: a run with one fails."""

from __future__ import annotations

import pytest

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remembers what was skipped."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turns a green run with skipped tests into a failed one."""
    if _skipped and exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says why."""
    for name in _skipped:
        terminalreporter.write_line(f"skipped, which counts as failed: {name}", red=True)


STAND_INS = {"localcloud", "edge", "metabase", "metabase_standin"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The stand-ins' own tests start many processes: they are slow, and left out of `make check`."""
    for item in items:
        if STAND_INS & set(item.path.parts):
            item.add_marker(pytest.mark.slow)
