"""Measures the Worker's decision with a large table against the same with the project's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from infra.access.decide import Table
from tests.bench.figures import ratio, spread
from tests.bench.mix import Group, common_mix
from tests.bench.report import DECISION, Row
from tests.bench.workerd import Deciders, deciders

SAMPLE = "sample"
REQUEST_SECONDS = 0.08
"""Long enough that a request's own cost doesn't show."""
REQUESTS = 4
"""Timed requests of one group in one start of workerd."""
COMPILATIONS = 3
REASONS_EVERY = 3
"""Single reasons have no limit, and are timed in every third start only."""
Times = dict[tuple[str, str], list[float]]
"""(table, group) → seconds for one decision, one entry a start."""


def measure_decisions(
    tables: Mapping[str, Table], starts: int, say: Callable[[str], None], seconds: float = REQUEST_SECONDS
) -> tuple[list[Row], dict[str, Any]]:
    """Ratios to the sample's table, which `tables` holds under SAMPLE.

    Each start of workerd is one sample: how its compiler happens to optimise makes a tenth more or less, and stays so.
    """
    mixes, missing = common_mix(list(tables.values()))
    groups = dict(zip(tables, mixes, strict=True))
    names = list(mixes[0])
    times: Times = {}
    starting: dict[str, list[float]] = {table: [] for table in tables}
    for at in range(starts):
        say(f"decisions: start {at + 1} of {starts}")
        order = list(tables)[at % len(tables) :] + list(tables)[: at % len(tables)]
        with deciders({table: tables[table] for table in order}, groups) as workers:
            verify(workers, groups)
            for group in reversed(names) if at % REASONS_EVERY == 0 else ["mix"]:
                for table, one in _measure(workers, order, group, seconds).items():
                    times.setdefault((table, group), []).append(one)
            for table in order:
                taken = workers.seconds(table, f"/compile?count={COMPILATIONS}")
                starting[table].append(taken / COMPILATIONS)
    rows: list[Row] = []
    data: dict[str, Any] = {"reasons that not every table can give": missing}
    for table in tables:
        if table != SAMPLE:
            rows += _rows(table, names, times, starting)
    for (table, group), found in times.items():
        data.setdefault(table, {})[group] = {
            "seconds": spread(found),
            "ratio": vars(ratio(found, times[SAMPLE, group])),
        }
    for table, found in starting.items():
        data[table]["start"] = spread(found)
    left_out = Row(what="reasons left out", figure=", ".join(missing) or "none", limit="")
    return [*rows, left_out], data


def verify(workers: Deciders, groups: Mapping[str, Group]) -> None:
    """Every decision that will be timed is the one that Python makes; raises RuntimeError for the first other."""
    for table, mix in groups.items():
        for case, decision in zip(mix["mix"], workers.decisions(table, "mix"), strict=True):
            if case["expected"] != decision:
                raise RuntimeError(f"the Worker decides {decision}, and Python {case['expected']}, on {case}")


def _measure(workers: Deciders, order: Sequence[str], group: str, seconds: float) -> dict[str, float]:
    """Table → seconds for one decision, the median of requests that go to the tables by turns."""
    counts = {table: _calibrated(workers, table, group, seconds) for table in order}
    found: dict[str, list[float]] = {table: [] for table in order}
    for at in range(REQUESTS):
        for table in order if at % 2 == 0 else reversed(order):
            taken = workers.seconds(table, f"/decide?group={group}&count={counts[table]}")
            found[table].append(taken / counts[table])
    return {table: median(one) for table, one in found.items()}


def _calibrated(workers: Deciders, table: str, group: str, seconds: float) -> int:
    """How many decisions take so long; warms the code up by the way, for about three times as long."""
    count = 500
    while (taken := workers.seconds(table, f"/decide?group={group}&count={count}")) < seconds:
        count *= 2
    taken = workers.seconds(table, f"/decide?group={group}&count={count}")
    return max(int(count * seconds / taken), 1)


def _rows(table: str, names: Sequence[str], times: Times, starting: Mapping[str, list[float]]) -> list[Row]:
    found = ratio(times[table, "mix"], times[SAMPLE, "mix"])
    rows = [
        Row(
            what=f"decision, {table} to sample",
            figure=f"{found.value:.2f} times ({found.low:.2f} to {found.high:.2f}): "
            f"{median(times[table, 'mix']) * 1e6:.2f} µs to {median(times[SAMPLE, 'mix']) * 1e6:.2f} µs",
            limit=f"{DECISION} times",
            verdict=found.verdict(DECISION),
        )
    ]
    for group in names:
        if group != "mix":
            one = ratio(times[table, group], times[SAMPLE, group])
            micro = f"{median(times[table, group]) * 1e6:.2f} µs"
            rows.append(
                Row(what=f"  {group}", figure=f"{one.value:.2f} times ({one.low:.2f} to {one.high:.2f}): {micro}")
            )
    start, small = median(starting[table]) * 1e3, median(starting[SAMPLE]) * 1e3
    rows.append(Row(what="  start-up, table read and compiled", figure=f"{start:.2f} ms to {small:.2f} ms"))
    return rows
