"""Which observations of a window are used, what they say day by day, and where nothing is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from railcount.baseline.observations import METHODS
from railcount.baseline.windows import n_days

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from railcount.baseline.observations import Method, Observation
    from railcount.baseline.windows import Span, Window

NOT_COUNTED = "no count could be made"


@dataclass(frozen=True, kw_only=True)
class DayCount:
    """The count that stands for one day.

    Counts of one day differ because one saw a part of what the other saw, so the highest stands for
    it; a day that was counted often weighs no more than another.
    """

    first: dt.date
    last: dt.date
    """Later than ``first`` where only the month is known."""
    value: float
    observation: Observation
    """The one that has it."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The observations of a window, sorted out."""

    span: Span
    window: Window
    used: tuple[Observation, ...]
    """By date."""
    not_used: tuple[tuple[Observation, str], ...]
    """By date, each with the reason."""

    @property
    def dated(self) -> tuple[Observation, ...]:
        """Counts of one image each."""
        return tuple(one for one in self.used if one.statement == "image")

    @property
    def periods(self) -> tuple[Observation, ...]:
        """Statements about the maximum of a period."""
        return tuple(one for one in self.used if one.statement == "period_maximum")

    @property
    def uncounted(self) -> tuple[Observation, ...]:
        """Images that were seen but not counted. They are never zeros."""
        return tuple(one for one, reason in self.not_used if reason == NOT_COUNTED)

    @cached_property
    def days(self) -> tuple[DayCount, ...]:
        """The dated counts, one a day, by date; those of which only a bound is known left out."""
        return by_day(self.dated)

    def only(self, method: Method) -> Selection:
        """What was counted by one method."""
        return replace(
            self,
            used=tuple(one for one in self.used if one.method == method),
            not_used=tuple(item for item in self.not_used if item[0].method == method),
        )

    @property
    def n_days(self) -> int:
        """Days with a count, or a bound of one."""
        return len({one.first for one in self.dated})

    @property
    def period_share(self) -> float:
        """The share of the window's days that statements about periods cover."""
        return sum(n_days(run) for run in _runs(_spans(self.periods), span=self.span)) / n_days(self.span)

    @property
    def longest_gap(self) -> Span | None:
        """The longest stretch of the window about which nothing is known; None where there is none."""
        return longest_gap(_spans(self.used), span=self.span)


def select(
    observations: Iterable[Observation],
    *,
    day: dt.date,
    window: Window,
    zones: Collection[str] | None = None,
    without: Collection[Method] = (),
    exclude: Collection[str] = (),
) -> Selection:
    """The observations of the window before ``day``; their order does not matter.

    ``zones`` as in `compare`. ``without`` are methods that are left out, and listed; ``exclude`` are ids
    of passes that are left out as if they were not there.
    """
    span = window.before(day)
    used, not_used = [], []
    # A row that is in the site's table and in a history is one.
    for one in sorted(dict.fromkeys(observations), key=in_order):
        if one.last < span[0] or one.first > span[1] or (one.id and one.id in exclude):
            continue
        reason = reason_against(one, span=span, zones=zones, without=without)
        if reason is None and one.statement == "image" and not window.in_season(one.first, one.last, day=day):
            reason = "another season"
        if reason is None:
            used.append(one)
        else:
            not_used.append((one, reason))
    return Selection(span=span, window=window, used=tuple(used), not_used=tuple(not_used))


def by_day(dated: Iterable[Observation]) -> tuple[DayCount, ...]:
    """One count a day, by date."""
    known = sorted((one for one in dated if one.typical is not None), key=in_order)
    days = []
    for (first, last), group in groupby(known, key=lambda one: (one.first, one.last)):
        top = max(group, key=lambda one: (one.typical or 0.0, METHODS.index(one.method)))
        days.append(DayCount(first=first, last=last, value=top.typical or 0.0, observation=top))
    return tuple(days)


def in_order(one: Observation) -> tuple[dt.date, dt.date, str, str, str, int, int, str]:
    """By date; what it was counted in tells observations of a day apart."""
    return (
        one.first,
        one.last,
        one.zone or "",
        one.source,
        one.id,
        -1 if one.most is None else one.most,
        -1 if one.low is None else one.low,
        one.method,
    )


def reason_against(
    one: Observation, *, span: Span, zones: Collection[str] | None, without: Collection[Method] = ()
) -> str | None:
    """Why an observation is not used, whatever the season; None where it is."""
    reason = None
    if one.method in without:
        reason = f"{one.method} counts are left out"
    elif not one.has_count:
        reason = NOT_COUNTED
    elif one.unit == "set":
        reason = "a part of the cars only"
    elif one.unit != "cars":
        reason = f"counts {one.unit}, not cars"
    elif one.statement == "period_total":
        reason = "a sum over a period"
    elif zones is not None and one.zone is not None and one.zone not in zones:
        reason = f"zone {one.zone} is not compared"
    elif one.statement == "image" and not span[0] <= one.first <= one.last <= span[1]:
        reason = "its day may lie outside the window"
    return reason


def longest_gap(known: Iterable[Span], *, span: Span) -> Span | None:
    """The longest stretch of a span that nothing known touches, the first of equals; None: there is none."""
    gaps, start = [], span[0]
    for first, last in _runs(known, span=span):
        gaps.append((start, first - timedelta(days=1)))
        start = last + timedelta(days=1)
    gaps.append((start, span[1]))
    return max((gap for gap in gaps if gap[0] <= gap[1]), key=n_days, default=None)


def _spans(observations: Iterable[Observation]) -> list[Span]:
    return [(one.first, one.last) for one in observations]


def _runs(known: Iterable[Span], *, span: Span) -> list[Span]:
    """The days of a span on which something is known, as disjoint runs in order."""
    runs: list[Span] = []
    inside = (one for one in known if one[1] >= span[0] and one[0] <= span[1])
    for begin, end in sorted(inside):
        first, last = max(begin, span[0]), min(end, span[1])
        if runs and first <= runs[-1][1] + timedelta(days=1):
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return runs
