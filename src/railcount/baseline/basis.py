"""What a judgement rests on: a few figures of a window, whoever has gathered them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from railcount.baseline.windows import n_days

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.baseline.observations import Observation
    from railcount.baseline.selection import Selection
    from railcount.baseline.windows import Span


@dataclass(frozen=True, kw_only=True)
class Basis:
    """The figures of a window that decide the level of a count."""

    span: Span
    max_gap_days: int
    """The longest stretch without knowledge that a judgement bears."""
    n_used: int
    """Observations that are used: dated counts and statements about periods."""
    n_dated: int
    n_days: int
    """Days with a count, or a bound of one."""
    n_periods: int
    period_share: float
    """Of the window's days, covered by statements about periods; 0-1."""
    period_ceiling: int | None
    """The most that any of these statements allows."""
    values: Sequence[float]
    """One a day, in order of size; days of which only a bound is known have none."""
    top: Observation | None
    """The highest count or statement, the last of equals; None where nothing is used."""
    ceiling: int | None
    """The most that any observation allows."""
    gap: Span | None
    """The longest stretch about which nothing is known, where it is longer than ``max_gap_days``."""

    @property
    def most(self) -> int | None:
        """The maximum."""
        return None if self.top is None else self.top.most


def basis_of(selection: Selection) -> Basis:
    """The figures of observations that are sorted out."""
    used, periods, gap = selection.used, selection.periods, selection.longest_gap
    limit = selection.window.max_gap_days
    return Basis(
        span=selection.span,
        max_gap_days=limit,
        n_used=len(used),
        n_dated=len(selection.dated),
        n_days=selection.n_days,
        n_periods=len(periods),
        period_share=selection.period_share,
        period_ceiling=highest(periods),
        values=sorted(one.value for one in selection.days),
        top=max(used, key=lambda one: (one.most or 0, one.first), default=None),
        ceiling=highest(used),
        gap=gap if gap is not None and n_days(gap) > limit else None,
    )


def highest(observations: Sequence[Observation]) -> int | None:
    """The most that any of them allows."""
    return max((n for one in observations if (n := one.ceiling) is not None), default=None)
