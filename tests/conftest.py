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


# The stand-ins' own tests start many processes, and so do those of commands that wait for others; the last walk far.
SLOW = {"localcloud", "edge", "metabase", "metabase_standin", "doctor", "init", "recovery"}
SLOW_FILES = {
    "test_bench.py",
    "test_changes.py",
    "test_corpus_js.py",
    "test_fuzz.py",
    "test_matrix.py",
    "test_overlay_edits.py",
    "test_policies_page.py",
}
SLOW_TESTS = {"test_every_harmless_example_runs", "test_long_tables_are_folded_and_cut"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow is left out of `make check`."""
    for item in items:
        name = item.name.partition("[")[0]
        if SLOW & set(item.path.parts) or item.path.name in SLOW_FILES or name in SLOW_TESTS:
            item.add_marker(pytest.mark.slow)
