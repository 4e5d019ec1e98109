"""`make bench-policy`: how the policies' checks and the Worker's decision bear large policies, as ratios of one run."""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.access.decide import Table
from infra.access.load import load_policies
from infra.access.table import canonical_json, compile_table
from tests.bench.checking import check_rows, measure_checks, sizes_of
from tests.bench.deciding import SAMPLE, measure_decisions
from tests.bench.generator import FULL, SKEWED, Size
from tests.bench.report import MET, MIB, NOT_MET, Row, is_failed, records, text_of

ROOT = Path(__file__).parents[2]
SHAPES = {"even": FULL, "skewed": SKEWED}
"""All roles alike, and one role with a fifth of the rules."""


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints, writes the JSON file; 1 where a limit isn't met."""
    parser = argparse.ArgumentParser(prog="bench-policy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="of check at each size (9), at least 2")
    parser.add_argument("--starts", type=int, default=11, help="of workerd, for decisions (11), at least 6")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench-policy.json")
    given = parser.parse_args(arguments)
    rows, data = run(SHAPES, given.rounds, given.starts)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps({"rows": records(rows), **data}, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(text_of(f"bench-policy: {_described(FULL)}; skewed: one role has {SKEWED.skew:.0%} of the rules", rows))
    print(f"\nall figures: {given.output}")
    return int(is_failed(rows))


def run(shapes: Mapping[str, Size], rounds: int, starts: int) -> tuple[list[Row], dict[str, Any]]:
    """All measurements: rows for people, and everything as data."""
    started = time.time()
    with tempfile.TemporaryDirectory(prefix="mbgate-bench-") as made:
        folder = Path(made)
        rows, checks = check_rows(shapes, measure_checks(folder, sizes_of(shapes), rounds, _say))
        tables = {shape: compile_table(load_policies(folder / f"{shape}-1")) for shape in shapes}
    sized, sizes = _table_rows(tables)
    tables[SAMPLE] = compile_table(load_policies(ROOT / "policies"))
    decided, decisions = measure_decisions(tables, starts, _say)
    data = {
        "commit": _commit(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": time.time() - started,
        "machine": platform.platform(),
        "rounds": {"check": rounds, "starts of workerd": starts},
        "sizes": {shape: vars(size) for shape, size in shapes.items()},
        "check": checks,
        "table": sizes,
        "decisions": decisions,
    }
    return [*rows, *sized, *decided], data


def _table_rows(tables: Mapping[str, Table]) -> tuple[list[Row], dict[str, Any]]:
    rows, data = [], {}
    for shape, table in tables.items():
        raw = canonical_json(table).encode()
        packed = len(gzip.compress(raw, mtime=0))
        data[shape] = {"bytes": len(raw), "gzipped": packed}
        figure = f"{packed / 1024:.0f} KiB gzipped, {len(raw) / 1024:.0f} KiB plain"
        verdict = MET if packed < MIB else NOT_MET
        rows.append(Row(what=f"table, {shape}", figure=figure, limit="1 MiB gzipped", verdict=verdict))
    return rows, data


def _described(size: Size) -> str:
    return f"{size.roles} roles, {size.rules} rules, {size.resources} resources"


def _commit() -> str:
    """The commit that was measured, with a plus sign where the checkout differs from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _say(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
