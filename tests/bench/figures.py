"""Figures from repeated measurements: medians, intervals by bootstrap, and how a time grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import correlation, linear_regression, median, quantiles

RESAMPLES = 2000
Rounds = Mapping[int, Sequence[float]]
"""n → one time for each round."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def verdict(self, limit: float) -> str:
        """`met` or `not met`; `not resolved` where the interval straddles the limit."""
        if self.high <= limit:
            return "met"
        return "not met" if self.low > limit else "not resolved"


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How a time grows with n."""

    exponent: Estimate
    """Of n in the time beyond the fixed part."""
    r2: float
    """Of the line through log(time) over log(n)."""
    nlogn: float
    """The exponent that n log n has between the same sizes."""
    fixed: float
    """Seconds that don't depend on n, by a measurement of their own."""
    line_r2: float
    """Of the line through time over n log n."""
    doubling: float
    """time(n) / time(n/2) at the largest n, beyond the fixed part."""
    doubling_nlogn: float
    """What n log n would give."""


def bootstrap(samples: int, figure: Callable[[Sequence[int]], float]) -> Estimate:
    """A figure of all rounds, with the interval that drawing rounds anew gives it (percentiles)."""
    random = Random(1)  # noqa: S311 - the same interval for the same measurements
    drawn = [figure(random.choices(range(samples), k=samples)) for _ in range(RESAMPLES)]
    cuts = quantiles(drawn, n=40, method="inclusive")
    return Estimate(value=figure(range(samples)), low=cuts[0], high=cuts[-1])


def growth(times: Rounds, fixed: Sequence[float]) -> Growth:
    """The growth over all sizes; `fixed` are the same rounds' times of policies that hold next to nothing."""
    sizes = sorted(times)

    def beyond(rounds: Sequence[int]) -> list[float]:
        base = median(fixed[at] for at in rounds)
        return [max(median(times[n][at] for at in rounds) - base, 1e-6) for n in sizes]

    def exponent(rounds: Sequence[int]) -> float:
        return linear_regression([math.log(n) for n in sizes], [math.log(one) for one in beyond(rounds)]).slope

    every = range(len(fixed))
    nlogn = [n * math.log2(n) for n in sizes]
    found = beyond(every)
    logs = [math.log(n) for n in sizes]
    return Growth(
        exponent=bootstrap(len(fixed), exponent),
        r2=correlation(logs, [math.log(one) for one in found]) ** 2,
        nlogn=linear_regression(logs, [math.log(one) for one in nlogn]).slope,
        fixed=median(fixed),
        line_r2=correlation(nlogn, found) ** 2,
        doubling=found[-1] / found[-2],
        doubling_nlogn=nlogn[-1] / nlogn[-2],
    )


def ratio(big: Sequence[float], small: Sequence[float]) -> Estimate:
    """The median over rounds of one time by another of the same round."""
    return bootstrap(len(big), lambda rounds: median(big[at] / small[at] for at in rounds))


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median, and between what half and all of the measurements lie."""
    low, _, high = quantiles(values, n=4, method="inclusive")
    return {"median": median(values), "q1": low, "q3": high, "min": min(values), "max": max(values)}
