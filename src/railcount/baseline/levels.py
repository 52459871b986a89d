"""Comparison of a count with what the site has shown before.

The window is the time up to the day before the image, five years unless told otherwise. It rolls with
the image: a count that was unprecedented last year is part of the record this year. History at such
sites is short, mostly zeros, and made of published figures, so nothing here uses a mean or a standard
deviation: only the maximum, the median and two order statistics.

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
    used from 9 days on, whatever statements there are: below that only the maximum speaks, ``normal``
    says no more than "not above the maximum", and the words beside it say so. A day with several counts
    is one day, and the highest of them stands for it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from railcount.baseline.basis import basis_of
from railcount.baseline.figures import MIN_DAYS, median_of, quantile_of
from railcount.baseline.selection import select
from railcount.baseline.windows import FIVE_YEARS, MAX_GAP_DAYS, n_days
from railcount.baseline.words import explain
from railcount.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from railcount.baseline.basis import Basis
    from railcount.baseline.observations import Method, Observation
    from railcount.baseline.selection import Selection
    from railcount.baseline.windows import Window
    from railcount.counts import Interval

__all__ = ["LEVELS", "MAX_GAP_DAYS", "MIN_DAYS", "Comparison", "Level", "compare", "judged", "weighed"]

Level = Literal["unprecedented", "record", "elevated", "normal", "quiet", "insufficient_history"]
LEVELS: tuple[Level, ...] = ("insufficient_history", "quiet", "normal", "elevated", "record", "unprecedented")
"""From the least to the most unusual."""

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
    """Of the dated counts alone, each day once."""
    ratio_to_max: float | None
    """None where there is no maximum, or it is 0."""
    level: Level
    why: str
    """The level in a sentence, with the numbers it rests on."""
    n_dated: int = 0
    """How many of ``n`` are dated counts."""
    n_days: int = 0
    """On how many days."""
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
    window: Window = FIVE_YEARS,
    without: Collection[Method] = (),
    exclude: Collection[str] = (),
) -> Comparison:
    """Set ``count``, of an image of the local day ``date``, against the observations before it.

    ``zones`` are the zones whose counts may be compared with this one; None takes all, and an
    observation without a zone is always taken. An image whose day is uncertain is used where all
    its possible days lie in the window. ``without`` leaves out what was counted by these methods;
    ``exclude`` names passes (`Observation.id`) to be left out, such as the one that is judged.
    The day of the image itself and later days are never used. Order of the observations does not matter.

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
    day = date.date() if isinstance(date, dt.datetime) else date
    selection = select(observations, day=day, window=window, zones=zones, without=without, exclude=exclude)
    return judged(count, selection=selection, baseline=baseline)


def judged(count: Interval, *, selection: Selection, baseline: str) -> Comparison:
    """`compare` with observations that are already sorted out."""
    known = weighed(count, basis=basis_of(selection), baseline=baseline)
    return replace(known, observations=selection.used, not_used=selection.not_used)


def weighed(count: Interval, *, basis: Basis, baseline: str) -> Comparison:
    """`judged` by the figures alone; the observations are not listed."""
    if not 0 <= count.low <= count.best <= count.high:
        raise InputError(f"0 <= low <= best <= high is required, got {count.low}, {count.best}, {count.high}")
    doubt, most = thin(basis), basis.most
    ranked = basis.values if basis.n_days >= MIN_DAYS else []
    p90 = _p90(ranked, basis)
    level: Level = "insufficient_history"
    if not doubt:
        level = _judge(count, basis=basis, values=ranked, p90=p90)
    return Comparison(
        baseline=baseline,
        window=basis.span,
        n=basis.n_used,
        max=most,
        median=median_of(basis.values),
        ratio_to_max=count.best / most if most else None,
        level=level,
        why=explain(
            count,
            level=level,
            basis=basis,
            doubt=doubt,
            n_needed=None if p90 is not None else MIN_DAYS,
        ),
        n_dated=basis.n_dated,
        n_days=basis.n_days,
    )


def thin(basis: Basis) -> str:
    """Why the history is too thin for a judgement, in words; empty where it is enough."""
    share, limit, gap = basis.period_share, basis.max_gap_days, basis.gap
    reasons = []
    if basis.n_days < MIN_DAYS and share < MIN_PERIOD_SHARE:
        covered = f", and statements about periods cover {share:.0%} of it" if basis.n_periods else ""
        reasons.append(
            f"it has {basis.n_days} of the {MIN_DAYS} days with a count that a judgement needs{covered}"
        )
    if gap is not None and basis.n_used:
        reasons.append(
            f"nothing is known from {gap[0]} to {gap[1]}, {n_days(gap)} days (at most {limit} may be)"
        )
    return ", and ".join(reasons)


def _p90(values: Sequence[float], basis: Basis) -> float | None:
    """The 90th percentile, or a bound that it cannot exceed; None where neither is known."""
    candidates = [quantile_of(values, tenths=9)] if values else []
    if basis.period_share >= 0.9 and basis.period_ceiling is not None:
        candidates.append(float(basis.period_ceiling))
    return min(candidates, default=None)


def _judge(count: Interval, *, basis: Basis, values: Sequence[float], p90: float | None) -> Level:
    median = median_of(values)
    if count.low > (basis.ceiling or 0):
        return "unprecedented"
    if count.best > (basis.most or 0):
        return "record"
    if p90 is not None and count.best > p90:
        return "elevated"
    if median is not None and count.best <= quantile_of(values, tenths=1) and count.best < median:
        return "quiet"
    return "normal"
