"""Comparison of a count with what the site has shown before.

The window is the five years up to the day before the image. It rolls with the image: a count that was
unprecedented last year is part of the record this year. History at such sites is short, mostly zeros,
and made of published figures, so nothing here uses a mean or a standard deviation: only the maximum,
the median and two order statistics.

What counts as an observation of railcars standing in the yard
    An observation in the unit ``cars``, which states all cars seen in its zone. Not used, but listed:
    ``trains`` and ``metres`` (cars were not counted), ``set`` (cars of one set on the move, or of a
    partial view from the ground: a part of what stood there), and observations without a number, such
    as images in which a count could not be confirmed. Zero is a number.

A statement about a period ("never more than about 20 in five years")
    is no image but a summary of many. It says two things, and is used for these two alone: on no day of
    the period did the count exceed its bound, and the period was watched. So its bound enters the
    maximum of every window that it overlaps (in a part of the period the true maximum can only be
    smaller, so this never makes a count look more unusual than it is), and its days count as known. It
    has no place in the median: it says nothing about a common day. Where such statements bound at least
    nine tenths of the window's days, the 90th percentile over time cannot lie above their bound, and is
    cut there. A dated count above the bound wins.

How much history is enough
    Were all days alike, a count would exceed ``n`` earlier ones by chance with probability
    1 / (n + 1); with fewer than 9 that is more than one time in ten. So 9 days with a count are
    required, or period statements over half the window; and no stretch of more than a year without
    either, the window's ends included, since a yard has seasons. Percentiles of the dated counts are
    used from 9 days on, whatever statements there are: below that only the maximum speaks.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from railcount.baseline.windows import MAX_GAP_DAYS, window_before
from railcount.baseline.words import explain
from railcount.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from railcount.baseline.observations import Observation
    from railcount.counts import Interval

Level = Literal["unprecedented", "record", "elevated", "normal", "quiet", "insufficient_history"]
LEVELS: tuple[Level, ...] = ("insufficient_history", "quiet", "normal", "elevated", "record", "unprecedented")
"""From the least to the most unusual."""

MIN_DAYS = 9
"""Days with a count, see the module's text."""
MIN_PERIOD_SHARE = 0.5
"""Of the window, covered by period statements, in place of MIN_DAYS."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A count set against the window of observations before it."""

    baseline: str
    """What the observations are, in words."""
    window: tuple[dt.date, dt.date]
    """First and last day, both included; the last is the day before the image."""
    n: int
    """Number of observations in the window that have a count and were used: dated counts and statements
    about periods."""
    max: int | None
    median: float | None
    """Of the dated counts alone."""
    ratio_to_max: float | None
    """None where there is no maximum, or it is 0."""
    level: Level
    why: str
    """The level in a sentence, with the numbers it rests on."""
    n_dated: int = 0
    """How many of ``n`` are dated counts."""
    observations: tuple[Observation, ...] = ()
    """Those used, by date."""
    not_used: tuple[tuple[Observation, str], ...] = ()
    """Those in the window that were not used, each with the reason."""


def compare(
    count: Interval,
    *,
    date: dt.date,
    observations: Iterable[Observation],
    zones: Collection[str] | None = None,
    baseline: str = "earlier counts",
) -> Comparison:
    """Set ``count``, of an image of the local day ``date``, against the observations before it.

    ``zones`` are the zones whose counts may be compared with this one; None takes all, and an
    observation without a zone is always taken. An image whose day is uncertain is used where all
    its possible days lie in the window. Order of the observations does not matter.

    Levels, the first that holds:

    - ``insufficient_history``: see the module's text;
    - ``unprecedented``: ``low`` is above the most that any observation allows (its ``high``);
    - ``record``: ``best`` is above the maximum, but ``low`` or the doubt in the earlier count leave it open;
    - ``elevated``: ``best`` is above the 90th percentile, where it or a bound of it is known;
    - ``quiet``: ``best`` is at or below the 10th percentile and below the median, so that 0 in a yard that
      is mostly empty is ``normal``;
    - ``normal``: none of these.

    The 90th percentile is the smallest dated count with at least 90 % of the dated counts at or below
    it; the 10th in the same way. Published counts are of days that somebody found worth printing, so
    percentiles lie high and alarms come late rather than early.

    Raises InputError where the numbers of ``count`` are not in order.
    """
    if not 0 <= count.low <= count.best <= count.high:
        raise InputError(f"0 <= low <= best <= high is required, got {count.low}, {count.best}, {count.high}")
    day = date.date() if isinstance(date, dt.datetime) else date
    window = window_before(day)
    used, not_used = _select(observations, window=window, zones=zones)
    dated = [one for one in used if one.statement == "image"]
    periods = [one for one in used if one.statement == "period_maximum"]
    values = sorted(value for one in dated if (value := one.typical) is not None)
    most = max((n for one in used if (n := one.most) is not None), default=None)
    median = _median(values)
    doubt = _doubt(dated, periods, window=window)
    ranked = values if len({one.first for one in dated}) >= MIN_DAYS else []
    p90 = _p90(ranked, periods, window=window)
    level: Level = "insufficient_history"
    if not doubt:
        level = _judge(count, used=used, values=ranked, p90=p90)
    return Comparison(
        baseline=baseline,
        window=window,
        n=len(used),
        max=most,
        median=median,
        ratio_to_max=count.best / most if most else None,
        level=level,
        why=explain(
            count,
            level=level,
            used=used,
            values=values,
            window=window,
            doubt=doubt,
            has_p90=p90 is not None,
        ),
        n_dated=len(dated),
        observations=tuple(used),
        not_used=tuple(not_used),
    )


def _select(
    observations: Iterable[Observation], *, window: tuple[dt.date, dt.date], zones: Collection[str] | None
) -> tuple[list[Observation], list[tuple[Observation, str]]]:
    """Observations of the window by date: those to use, and the others with the reason."""
    used, not_used = [], []
    for one in sorted(observations, key=lambda o: (o.first, o.last, o.zone or "", o.source, o.most or 0)):
        if one.last < window[0] or one.first > window[1]:
            continue
        reason = _reason_against(one, window=window, zones=zones)
        if reason is None:
            used.append(one)
        else:
            not_used.append((one, reason))
    return used, not_used


def _reason_against(
    one: Observation, *, window: tuple[dt.date, dt.date], zones: Collection[str] | None
) -> str | None:
    reason = None
    if not one.has_count:
        reason = "no count could be made"
    elif one.unit == "set":
        reason = "a part of the cars only"
    elif one.unit != "cars":
        reason = f"counts {one.unit}, not cars"
    elif one.statement == "period_total":
        reason = "a sum over a period"
    elif zones is not None and one.zone is not None and one.zone not in zones:
        reason = f"zone {one.zone} is not compared"
    elif one.statement == "image" and not window[0] <= one.first <= one.last <= window[1]:
        reason = "its day may lie outside the window"
    return reason


def _median(values: Sequence[float]) -> float | None:
    if not values:
        return None
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


def _p90(
    values: Sequence[float], periods: Sequence[Observation], *, window: tuple[dt.date, dt.date]
) -> float | None:
    """The 90th percentile, or a bound that it cannot exceed; None where neither is known."""
    candidates = [values[-(-9 * len(values) // 10) - 1]] if values else []
    if _n_covered(periods, window=window) * 10 >= 9 * _n_days(window):
        candidates.append(float(max(n for one in periods if (n := one.ceiling) is not None)))
    return min(candidates, default=None)


def _judge(
    count: Interval, *, used: Sequence[Observation], values: Sequence[float], p90: float | None
) -> Level:
    most = max(n for one in used if (n := one.most) is not None)
    ceiling = max(n for one in used if (n := one.ceiling) is not None)
    median = _median(values)
    if count.low > ceiling:
        return "unprecedented"
    if count.best > most:
        return "record"
    if p90 is not None and count.best > p90:
        return "elevated"
    if median is not None and count.best <= values[-(-len(values) // 10) - 1] and count.best < median:
        return "quiet"
    return "normal"


def _n_days(window: tuple[dt.date, dt.date]) -> int:
    return (window[1] - window[0]).days + 1


def _runs(used: Sequence[Observation], *, window: tuple[dt.date, dt.date]) -> list[tuple[dt.date, dt.date]]:
    """The days of the window on which something is known, as disjoint runs in order."""
    runs: list[tuple[dt.date, dt.date]] = []
    for one in sorted(used, key=lambda o: o.first):
        first, last = max(one.first, window[0]), min(one.last, window[1])
        if runs and first <= runs[-1][1] + dt.timedelta(days=1):
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return runs


def _n_covered(used: Sequence[Observation], *, window: tuple[dt.date, dt.date]) -> int:
    return sum(_n_days(run) for run in _runs(used, window=window))


def _longest_gap(
    used: Sequence[Observation], *, window: tuple[dt.date, dt.date]
) -> tuple[dt.date, dt.date] | None:
    """The longest stretch of the window about which nothing is known; None where there is none."""
    gaps, start = [], window[0]
    for first, last in _runs(used, window=window):
        gaps.append((start, first - dt.timedelta(days=1)))
        start = last + dt.timedelta(days=1)
    gaps.append((start, window[1]))
    return max((gap for gap in gaps if gap[0] <= gap[1]), key=_n_days, default=None)


def _doubt(
    dated: Sequence[Observation], periods: Sequence[Observation], *, window: tuple[dt.date, dt.date]
) -> str:
    """Why the history is too thin, in words; empty where it is enough."""
    n_days = len({one.first for one in dated})
    share = _n_covered(periods, window=window) / _n_days(window)
    reasons = []
    if n_days < MIN_DAYS and share < MIN_PERIOD_SHARE:
        covered = f", and statements about periods cover {share:.0%} of it" if periods else ""
        reasons.append(f"it has {n_days} of the {MIN_DAYS} days with a count that a judgement needs{covered}")
    gap = _longest_gap([*dated, *periods], window=window)
    if gap is not None and _n_days(gap) > MAX_GAP_DAYS and (dated or periods):
        reasons.append(
            f"nothing is known from {gap[0]} to {gap[1]}, {_n_days(gap)} days (at most {MAX_GAP_DAYS} may be)"
        )
    return ", and ".join(reasons)
