"""One `check` in a process of its own: `python -m tests.bench.child FOLDER` prints what it took, as JSON.

Then a comparison with the same policies, in which one rule of each role lists one resource more, and its proof.
"""

from __future__ import annotations

import copy
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from infra.access.cases import load_cases, run_cases
from infra.access.load import load_policies
from infra.access.table import compile_table, digest
from infra.review.changes import compare


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
    changed = _changed(table)
    wall, processor = time.perf_counter(), time.process_time()
    changes = compare(table, changed)
    diff = {"diff_wall": time.perf_counter() - wall, "diff": time.process_time() - processor}
    if changes.proof.verdict != "unsat" or len({cell.role for cell in changes.cells}) != len(table["roles"]):
        raise SystemExit(f"the comparison is wrong: {changes.proof}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**found, **check, **test, **diff, "memory": memory}))


def _changed(table: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(table)
    for role in made["roles"].values():
        lists = (ids for rule in role["allow"] for ids in rule.get("on", {}).values() if isinstance(ids, list))
        next(lists).append("9999999999")
    return made


if __name__ == "__main__":
    main(Path(sys.argv[1]))
