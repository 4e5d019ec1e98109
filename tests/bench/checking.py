"""Measures `check` over four sizes, each time in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.figures import Growth, growth, spread
from tests.bench.generator import Size, write_policies
from tests.bench.report import GIB, MET, NOT_MET, SECONDS, Row

ROOT = Path(__file__).parents[2]
DIVISORS = (8, 4, 2, 1)
STAGES = {
    "check": ("check", SECONDS),
    "tests": ("check and its policy tests", SECONDS),
    "diff": ("diff, a change in each role, and its proof", 60.0),
}
"""What is measured, and the time that it may take at full size, in seconds."""
LEAST = Size(roles=1, rules=8, resources=80)
"""Next to nothing: what `check` takes for the route catalogue alone."""
Samples = dict[str, list[dict[str, Any]]]


def measure_checks(folder: Path, sizes: Mapping[str, Size], rounds: int, say: Callable[[str], None]) -> Samples:
    """The figures of each size, by name; the rounds go through all sizes by turns."""
    for name, size in sizes.items():
        write_policies(folder / name, size)
    found: Samples = {name: [] for name in sizes}
    for at in range(rounds):
        say(f"check: round {at + 1} of {rounds}")
        names = list(sizes)
        for name in names if at % 2 == 0 else reversed(names):
            found[name].append(_check(folder / name))
    return found


def _check(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.child", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"`check` of {folder} failed:\n{done.stdout}{done.stderr}")
    return dict(json.loads(done.stdout))


def sizes_of(shapes: Mapping[str, Size]) -> dict[str, Size]:
    """Four sizes of each shape, and one that holds next to nothing."""
    parts = {f"{shape}-{divisor}": size.part(divisor) for shape, size in shapes.items() for divisor in DIVISORS}
    return {"least": LEAST, **parts}


def check_rows(shapes: Mapping[str, Size], samples: Samples) -> tuple[list[Row], dict[str, Any]]:
    """Times, growth and memory of each shape, for people and as data."""
    rows: list[Row] = []
    data: dict[str, Any] = {}
    for shape, size in shapes.items():
        counted = {size.part(divisor).rules: samples[f"{shape}-{divisor}"] for divisor in DIVISORS}
        for stage, (label, seconds) in STAGES.items():
            grown = growth(
                {n: [one[stage] for one in found] for n, found in counted.items()},
                [one[stage] for one in samples["least"]],
            )
            rows += _growth_rows(f"{label}, {shape}", counted, stage, grown, seconds)
            data[f"{shape} {stage}"] = {
                "exponent": vars(grown.exponent),
                **{key: value for key, value in vars(grown).items() if key != "exponent"},
                "seconds": {n: spread([one[stage] for one in found]) for n, found in counted.items()},
            }
        memory = max(one["memory"] for one in counted[size.rules])
        data[f"{shape} memory"] = memory
        verdict = MET if memory < GIB else NOT_MET
        rows.append(Row(what=f"memory, {shape}", figure=f"{memory / 2**20:.0f} MiB", limit="1 GiB", verdict=verdict))
    return rows, data


def _growth_rows(
    label: str, counted: Mapping[int, list[dict[str, Any]]], stage: str, grown: Growth, seconds: float
) -> list[Row]:
    times = " / ".join(f"{median(one[stage] for one in found):.2f}" for found in counted.values())
    wall = median(one[f"{stage}_wall"] for one in counted[max(counted)])
    exponent = grown.exponent
    return [
        Row(what=label, figure=f"{times} s at {' / '.join(map(str, counted))} rules (processor)"),
        Row(
            what=f"  at {max(counted)} rules",
            figure=f"{wall:.2f} s",
            limit=f"{seconds:.0f} s",
            verdict=MET if wall <= seconds else NOT_MET,
        ),
        Row(
            what="  grows as n to the",
            figure=f"{exponent.value:.2f} ({exponent.low:.2f} to {exponent.high:.2f}), R² {grown.r2:.4f}",
            limit=f"{grown.nlogn:.2f} (n log n)",
            verdict=exponent.verdict(grown.nlogn),
        ),
        Row(
            what="  time(n) / time(n/2)",
            figure=f"{grown.doubling:.2f}, where n log n gives {grown.doubling_nlogn:.2f}; "
            f"line over n log n: R² {grown.line_r2:.4f}; fixed part {grown.fixed:.3f} s",
        ),
    ]
