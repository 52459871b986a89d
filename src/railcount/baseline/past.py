"""A site's past that grows by one count after another, and is asked for one day after another.

`railcount.baseline.compare` looks through all observations each time, which is right for one question.
A batch asks as often as there are passes, of a past that holds all passes before: here each observation
is looked at when it comes and when the window passes it, so that the price of an answer does not grow
with the history. The answers are the same.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from datetime import date
from operator import sub
from typing import TYPE_CHECKING

from railcount.baseline.basis import Basis, highest
from railcount.baseline.levels import weighed
from railcount.baseline.selection import by_day, in_order, longest_gap, reason_against, select
from railcount.baseline.windows import FIVE_YEARS, n_days

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from railcount.baseline.levels import Comparison
    from railcount.baseline.observations import Observation
    from railcount.baseline.selection import Selection
    from railcount.baseline.windows import Span
    from railcount.counts import Interval

    Days = tuple[int, int]
    """First and last, both included, as ordinals."""


@dataclass(frozen=True)
class _Day:
    """What the counts of one day say together."""

    n: int
    top: Observation
    ceiling: int | None
    value: float | None


class Past:
    """A site's observations, of which `compare` finds the five years before a day."""

    def __init__(self, observations: Iterable[Observation], *, zones: Collection[str] | None = None) -> None:
        """``zones`` as in `railcount.baseline.compare`."""
        self._zones = zones
        self._of_pass: dict[str, Observation] = {}
        self._seen: dict[int, list[Observation]] = {}
        """Used counts of single days."""
        self._loose: list[Observation] = []
        """All that are of no single day, few: sorted out each time."""
        self._days: dict[int, _Day] = {}
        self._order: list[int] = []
        """Keys of ``_days``."""
        self._span: Days = (0, -1)
        """The days that the following speak of."""
        self._n = 0
        self._values: list[float] = []
        self._tops: list[tuple[int, int]] = []
        """The highest count of each day, and the day."""
        self._ceilings: list[int] = []
        for one in dict.fromkeys(observations):
            self._add(one)

    def put(self, pass_id: str, one: Observation | None) -> None:
        """The observation of a pass in place of what was known of it; None: there is none."""
        before = self._of_pass.pop(pass_id, None)
        if before is not None:
            self._take_away(before)
        if one is not None:
            self._add(one)

    def compare(self, count: Interval, *, day: date, baseline: str) -> Comparison:
        """`railcount.baseline.compare` of an image of ``day``, but that the observations are not listed."""
        return weighed(count, basis=self.basis(day), baseline=baseline)

    def basis(self, day: date) -> Basis:
        """The figures of the five years before ``day``."""
        window = FIVE_YEARS
        loose = select(self._loose, day=day, window=window, zones=self._zones)
        span = loose.span
        self._move(_ordinals(span))
        firsts = {one.first.toordinal() for one in loose.dated}
        ceilings = [*self._ceilings[-1:], highest(loose.used)]
        values = [*self._values, *(one.value for one in loose.days)]
        return Basis(
            span=span,
            max_gap_days=window.max_gap_days,
            n_used=self._n + len(loose.used),
            n_dated=self._n + len(loose.dated),
            n_days=len(self._tops) + sum(first not in self._days for first in firsts),
            n_periods=len(loose.periods),
            period_share=loose.period_share,
            period_ceiling=highest(loose.periods),
            values=sorted(values),
            top=self._top(loose),
            ceiling=max((n for n in ceilings if n is not None), default=None),
            gap=self._gap(loose, limit=window.max_gap_days),
        )

    def _top(self, loose: Selection) -> Observation | None:
        best = [*loose.used, *(self._days[day].top for _, day in self._tops[-1:])]
        return max(sorted(best, key=in_order), key=lambda one: (one.most or 0, one.first), default=None)

    def _gap(self, loose: Selection, *, limit: int) -> Span | None:
        """Where days are missing for longer than the limit, and no loose observation fills the gap."""
        first, last = self._span
        known = [first - 1, *self._between(self._span), last + 1]
        steps = list(map(sub, known[1:], known))
        if max(steps) - 1 <= limit:
            return None
        empty = [
            (date.fromordinal(day + 1), date.fromordinal(day + step - 1))
            for day, step in zip(known, steps, strict=False)
            if step - 1 > limit
        ]
        filled = [(one.first, one.last) for one in loose.used]
        gaps = (gap for one in empty if (gap := longest_gap(filled, span=one)) is not None)
        return max((gap for gap in gaps if n_days(gap) > limit), key=n_days, default=None)

    # -- what is known --------------------------------------------------------------------------

    def _add(self, one: Observation) -> None:
        if one.id:
            self._of_pass[one.id] = one
        if not self._is_single(one):
            self._loose.append(one)
        elif self._is_used(one):
            day = one.first.toordinal()
            self._renew(day, [*self._seen.get(day, ()), one])

    def _take_away(self, one: Observation) -> None:
        if not self._is_single(one):
            self._loose.remove(one)
        elif self._is_used(one):
            day = one.first.toordinal()
            left = list(self._seen[day])
            left.remove(one)
            self._renew(day, left)

    @staticmethod
    def _is_single(one: Observation) -> bool:
        return one.statement == "image" and one.first == one.last

    def _is_used(self, one: Observation) -> bool:
        return reason_against(one, span=(one.first, one.last), zones=self._zones) is None

    def _renew(self, day: int, seen: list[Observation]) -> None:
        """Other observations of a day than before."""
        inside = self._span[0] <= day <= self._span[1]
        if inside:
            self._leave(day)
        if seen:
            if day not in self._days:
                insort(self._order, day)
            seen.sort(key=in_order)
            counts = by_day(seen)
            self._seen[day] = seen
            self._days[day] = _Day(
                len(seen),
                max(seen, key=lambda one: one.most or 0),
                highest(seen),
                counts[0].value if counts else None,
            )
            if inside:
                self._enter(day)
        else:
            del self._seen[day], self._days[day], self._order[bisect_left(self._order, day)]

    # -- the window -----------------------------------------------------------------------------

    def _move(self, span: Days) -> None:
        before, self._span = self._span, span
        for day in self._outside(before, of=span):
            self._leave(day)
        for day in self._outside(span, of=before):
            self._enter(day)

    def _between(self, days: Days) -> list[int]:
        return self._order[bisect_left(self._order, days[0]) : bisect_right(self._order, days[1])]

    def _outside(self, days: Days, *, of: Days) -> list[int]:
        """Known days among some that are not among others."""
        (first, last), (other_first, other_last) = days, of
        return [
            *self._between((first, min(last, other_first - 1))),
            *self._between((max(first, other_last + 1), last)),
        ]

    def _enter(self, day: int) -> None:
        one = self._days[day]
        self._n += one.n
        insort(self._tops, (one.top.most or 0, day))
        if one.ceiling is not None:
            insort(self._ceilings, one.ceiling)
        if one.value is not None:
            insort(self._values, one.value)

    def _leave(self, day: int) -> None:
        one = self._days.get(day)
        if one is None:
            return
        self._n -= one.n
        del self._tops[bisect_left(self._tops, (one.top.most or 0, day))]
        if one.ceiling is not None:
            del self._ceilings[bisect_left(self._ceilings, one.ceiling)]
        if one.value is not None:
            del self._values[bisect_left(self._values, one.value)]


def _ordinals(span: Span) -> Days:
    return span[0].toordinal(), span[1].toordinal()
