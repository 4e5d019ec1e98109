"""One `check` in a process of its own: `python -m tests.bench.child FOLDER` prints what it took, as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from infra.access.cases import load_cases, run_cases
from infra.access.load import load_policies
from infra.access.table import compile_table, digest


def main(folder: Path) -> None:
    """As `mbgate policy check` does, then as `mbgate policy test` goes on."""
    wall, processor = time.perf_counter(), time.process_time()
    policies = load_policies(folder)
    cases = load_cases(folder / "tests.yaml")[1]
    table = compile_table(policies)
    found = {"digest": digest(table), "cases": len(cases)}
    check = {"check_wall": time.perf_counter() - wall, "check": time.process_time() - processor}
    verdicts = run_cases(table, cases)
    test = {"tests_wall": time.perf_counter() - wall, "tests": time.process_time() - processor}
    failed = [verdict.case.line for verdict in verdicts if not verdict.is_met]
    if failed:
        raise SystemExit(f"policy tests fail, in lines {failed[:10]} of {folder / 'tests.yaml'}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**found, **check, **test, "memory": memory}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
