"""Since when traffic is different: one change-point in the counts of a window.

Is there a change?
    For every place in the row of days the counts before and after are given to two separate negative
    binomial distributions, which allow for many zeros and for a few very high counts; the evidence for
    a change is summed over the places. Level and steadiness of each side are not fitted but integrated
    out: with the steadiness ``k`` given, the beta distribution is conjugate to the negative binomial, so
    the sum is exact (Smith 1975, Biometrika 62, 407-416, for the change-point; ``k`` on a grid). How much
    evidence chance alone can give is not read from the model but from the data: the same counts are
    shuffled SHUFFLES times, and the stated chance is the share of shuffles with as much evidence, the
    data themselves included (Phipson and Smyth 2010). Were all days alike, "found" would be said in at
    most MAX_CHANCE of histories, whatever their distribution. Shuffles come from a fixed seed and the
    ordered counts, so the same counts give the same answer.

When?
    Given that there is one, the place has a probability: the same model, with one steadiness for both
    sides, since a few days on one side cannot tell their own; every place is as likely beforehand. The
    most probable gap between two days is stated with its probability, and the shortest run of days that
    holds the change with RANGE_LEVEL.

What it cannot do
    It finds one step. Spells of busy and quiet days that last longer than the time between images look
    like steps, and are found more often than the stated chance says: docs/BASELINE.md has the figures.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import gammaln

from railcount.baseline.figures import median_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.baseline.selection import DayCount
    from railcount.baseline.windows import Span

    _Floats = NDArray[np.float64]
    _Counts = NDArray[np.int64]

MIN_DAYS = 8
"""With 7 days even the clearest change, 3 days against 4, comes by chance more than once in 20 times."""
MAX_CHANCE = 0.05
RANGE_LEVEL = 0.9
SHUFFLES = 999
SEED = 20231005

STEADINESS = (0.3, 0.6, 1.2, 2.5, 5.0, 10.0)
"""Grid of the negative binomial's ``k``: from mostly zeros with rare high counts to a spread of a third."""
PRIOR = (1.0, 1.0)
"""Of the beta distribution of ``k / (k + mean)``: all values alike."""
_CELLS = 200_000
"""Counts that are worked on at once, to bound memory."""

Status = Literal["found", "none", "too_few"]


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """Whether, since when and from what to what traffic changed."""

    status: Status
    """too_few: below MIN_DAYS days with a count."""
    n_days: int
    chance: float | None = None
    """Of so clear a change in as many days that are all alike; None for ``too_few``."""
    between: Span | None = None
    """The most probable place: the first day on which traffic can have been different, and the first
    that shows it. None, as all that follows, where no change was found."""
    probability: float | None = None
    """That it lies there, given that there is one."""
    range: Span | None = None
    """Holds it with RANGE_LEVEL."""
    before: float | None = None
    """Median of the days before."""
    after: float | None = None
    n_before: int = 0
    n_after: int = 0


def change_point(days: Sequence[DayCount]) -> ChangePoint:
    """The one change in the counts, each of another day, in order of time."""
    n = len(days)
    if n < MIN_DAYS:
        return ChangePoint(status="too_few", n_days=n)
    counts = np.array([[int(one.value + 0.5) for one in days]], dtype=np.int64)
    p = _chance(counts)
    if p > MAX_CHANCE:
        return ChangePoint(status="none", n_days=n, chance=p)
    places = _evidence(counts, own_steadiness=False)[0]
    weights = np.exp(places - places.max())
    weights /= weights.sum()
    best = int(np.argmax(weights))
    low, high = _shortest(weights)
    return ChangePoint(
        status="found",
        n_days=n,
        chance=p,
        between=_days_between(days, best, best),
        probability=float(weights[best]),
        range=_days_between(days, low, high),
        before=median_of(sorted(one.value for one in days[: best + 1])),
        after=median_of(sorted(one.value for one in days[best + 1 :])),
        n_before=best + 1,
        n_after=n - best - 1,
    )


def _days_between(days: Sequence[DayCount], low: int, high: int) -> Span:
    """From the day after day ``low`` to the day after the place ``high``."""
    last = days[high + 1].last
    return min(days[low].first + timedelta(days=1), last), last


def _shortest(weights: _Floats) -> tuple[int, int]:
    """First and last place of the shortest run that holds RANGE_LEVEL; of equals the most probable."""
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    target = min(RANGE_LEVEL, float(sums[-1]))
    runs = []
    for low in range(len(weights)):
        high = int(np.searchsorted(sums, sums[low] + target - 1e-12))
        if high < len(sums):
            runs.append((high - low, float(sums[low] - sums[high]), low, high - 1))
    _, _, first, last = min(runs)
    return first, last


def _chance(counts: _Counts) -> float:
    """Share of shuffles, the data included, with as much evidence for a change."""
    ordered, n = np.sort(counts[0]), counts.shape[1]
    seen = _total(_evidence(counts, own_steadiness=True))[0]
    dice = random.Random(SEED)
    as_clear, left, size = 1, SHUFFLES, max(1, _CELLS // n)
    while left > 0:
        rows = min(size, left)
        # Python's own generator: its stream of random() is the same in every version.
        keys = np.array([dice.random() for _ in range(rows * n)]).reshape(rows, n)
        shuffled = ordered[np.argsort(keys, axis=1, kind="stable")]
        as_clear += int((_total(_evidence(shuffled, own_steadiness=True)) >= seen - 1e-9).sum())
        left -= rows
    return as_clear / (SHUFFLES + 1)


def _evidence(counts: _Counts, *, own_steadiness: bool) -> _Floats:
    """Log evidence of a change at each place, (rows, n) counts to (rows, n - 1), up to one constant.

    The rows must be orders of the same counts.
    """
    n = counts.shape[1]
    values, at = np.unique(counts, return_inverse=True)
    at = at.reshape(counts.shape)
    sums = np.cumsum(counts, axis=1)
    before = sums[:, :-1]
    after = sums[:, -1:] - before
    n_before = np.arange(1, n, dtype=np.float64)
    level = gammaln(PRIOR[1] + before) + gammaln(PRIOR[1] + after)
    both: Any = -np.inf
    left: Any = -np.inf
    right: Any = -np.inf
    for k in STEADINESS:
        ways = np.cumsum((gammaln(values + k) - gammaln(k) - gammaln(values + 1))[at], axis=1)
        one = ways[:, :-1] + _integral(before, n_before * k)
        other = ways[:, -1:] - ways[:, :-1] + _integral(after, (n - n_before) * k)
        both = np.logaddexp(both, one + other)
        left, right = np.logaddexp(left, one), np.logaddexp(right, other)
    found: _Floats = level + (left + right if own_steadiness else both)
    return found


def _integral(sums: _Counts, shape: _Floats) -> _Floats:
    """Log of the beta integral over the level of a side, but for the part that has no ``k`` in it.

    ``shape`` is the number of days of the side times ``k``.
    """
    value: _Floats = gammaln(PRIOR[0] + shape) - gammaln(sum(PRIOR) + shape + sums)
    return value


def _total(evidence: _Floats) -> _Floats:
    """Log of the sum over the places."""
    top = evidence.max(axis=1)
    value: _Floats = top + np.log(np.exp(evidence - top[:, None]).sum(axis=1))
    return value
