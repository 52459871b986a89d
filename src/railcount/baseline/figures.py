"""The figures of a window: plain order statistics, which zeros and a single high count cannot upset.

Spread
    The distance from the 10th to the 90th percentile, within which eight tenths of the days lie. The
    median absolute deviation and the interquartile range are 0 wherever more than a half, or three
    quarters, of the days are empty, as in most windows of a quiet yard; this one is 0 only where nine
    tenths of the days are alike.

Chance of a count this high
    The share of days, this one included, with a count at least as high: ``(1 + k) / (1 + n)``, where
    ``k`` of ``n`` earlier days are as high. Were all days alike (exchangeable: no trend, no season, no
    spells), a count would reach a stated chance ``a`` with probability at most ``a``, whatever the
    distribution, with any number of zeros and ties: the rank of the new value among ``n + 1`` is as
    likely to be any other. It is what conformal prediction calls the p-value of a new example (Shafer
    and Vovk 2008, Journal of Machine Learning Research 9, 371-421), and never 0 (Phipson and Smyth 2010,
    Statistical Applications in Genetics and Molecular Biology 9, 39). With ``n`` days it cannot fall
    below ``1 / (n + 1)``: a short history cannot show that anything is rare. A fitted distribution
    would claim more, and be wrong more often than it says: see docs/BASELINE.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from railcount.baseline.windows import n_days

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from railcount.baseline.observations import Observation
    from railcount.baseline.selection import DayCount, Selection
    from railcount.baseline.windows import Span
    from railcount.counts import Interval

MIN_DAYS = 9
"""With a count, for percentiles and for a judgement: see `railcount.baseline.levels`."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the used observations of a window say together."""

    n: int
    """Observations used."""
    n_dated: int
    """Of these, counts of one image each; the others are statements about periods."""
    n_days: int
    """Days with a dated count, each once. The figures below are of these days, but for ``max``."""
    first: dt.date | None
    last: dt.date | None
    max: int | None
    """Statements about periods included."""
    median: float | None
    p10: float | None
    """None below MIN_DAYS days, as all percentiles but the median."""
    p90: float | None
    """The smallest count with at least 90 % of the days at or below it."""
    spread: float | None
    """``p90 - p10``."""
    zero_share: float | None
    """Of the days, 0-1."""
    longest_gap: Span | None
    """About which nothing is known; an image that was not counted does not end it."""

    @property
    def longest_gap_days(self) -> int:
        """Length of the gap."""
        return n_days(self.longest_gap) if self.longest_gap else 0


@dataclass(frozen=True, kw_only=True)
class Chance:
    """How often so high a count is to be expected, were all days alike."""

    best: float
    """For the count itself."""
    low: float
    """For the low end of its interval: how large the chance may be."""
    n_as_high: int
    """Earlier days with a count at least as high."""
    n_days: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """The difference to the last day with a count."""

    since: dt.date
    count: float
    """Of that day."""
    difference: float
    days: int
    certain: bool
    """True where the two intervals do not meet."""
    n_uncounted: int
    """Images since then that were seen but not counted."""


def figures(selection: Selection) -> Figures:
    """The figures of a selection."""
    days, dated = selection.days, selection.dated
    values = sorted(one.value for one in days)
    ranked = len(values) >= MIN_DAYS
    p10 = quantile_of(values, tenths=1) if ranked else None
    p90 = quantile_of(values, tenths=9) if ranked else None
    return Figures(
        n=len(selection.used),
        n_dated=len(dated),
        n_days=selection.n_days,
        first=min((one.first for one in dated), default=None),
        last=max((one.last for one in dated), default=None),
        max=max((n for one in selection.used if (n := one.most) is not None), default=None),
        median=median_of(values),
        p10=p10,
        p90=p90,
        spread=None if p10 is None or p90 is None else p90 - p10,
        zero_share=sum(value == 0 for value in values) / len(values) if values else None,
        longest_gap=selection.longest_gap,
    )


def chance(count: Interval, *, days: Sequence[DayCount]) -> Chance | None:
    """How often a count this high is to be expected; None without an earlier day."""
    if not days:
        return None

    def of(n: int) -> tuple[float, int]:
        as_high = sum(one.value >= n for one in days)
        return (1 + as_high) / (1 + len(days)), as_high

    best, n_as_high = of(count.best)
    return Chance(best=best, low=of(count.low)[0], n_as_high=n_as_high, n_days=len(days))


def step(count: Interval, *, day: dt.date, selection: Selection) -> Step | None:
    """The change since the last day with a count; None where there is none in the window."""
    if not selection.days:
        return None
    last = max(selection.days, key=lambda one: (one.last, one.first))
    seen: Observation = last.observation
    ceiling = last.value if seen.ceiling is None else seen.ceiling
    floor = last.value if seen.low is None else seen.low
    return Step(
        since=last.last,
        count=last.value,
        difference=count.best - last.value,
        days=(day - last.last).days,
        certain=count.low > ceiling or count.high < floor,
        n_uncounted=len({one.first for one in selection.uncounted if one.first > last.last}),
    )


def median_of(values: Sequence[float]) -> float | None:
    """Of values in order of size; None where there are none."""
    if not values:
        return None
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


def quantile_of(values: Sequence[float], *, tenths: int) -> float:
    """The smallest of the ordered values with at least so many tenths of them at or below it."""
    return values[-(-tenths * len(values) // 10) - 1]
