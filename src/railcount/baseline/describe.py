"""Everything that is known of a site's past on a day: figures, chance, change, and what to bear in mind.

Loads numpy and scipy, which the rest of the package does without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from railcount.baseline.basis import basis_of
from railcount.baseline.change import ChangePoint, change_point
from railcount.baseline.figures import Chance, Figures, Step, chance, figures, step
from railcount.baseline.levels import Comparison, judged, thin
from railcount.baseline.observations import METHODS
from railcount.baseline.remarks import remarks
from railcount.baseline.selection import by_day, select
from railcount.baseline.windows import FIVE_YEARS
from railcount.counts import Interval

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from railcount.baseline.observations import Method, Observation
    from railcount.baseline.selection import Selection
    from railcount.baseline.windows import Window


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A site's past as it is known on the day of an image."""

    day: dt.date
    selection: Selection
    """The observations of the window, used and not used."""
    figures: Figures
    """Of all that is used."""
    by_method: dict[Method, Figures]
    """Of what others published, what railcount measured and what was counted by hand, each for itself."""
    observation: Observation | None
    """What was counted on the day itself, and is judged; None where nothing was."""
    count: Interval | None
    comparison: Comparison | None
    """None, as the two that follow, without a count to judge."""
    chance: Chance | None
    step: Step | None
    change: ChangePoint
    """In the window and the count that is judged."""
    words: tuple[str, ...]
    """What is thin, gappy, mixed or missing, in sentences."""


def last_day(
    observations: Sequence[Observation],
    *,
    zones: Collection[str] | None = None,
    without: Collection[Method] = (),
) -> dt.date | None:
    """The last day with a usable count: the day that a baseline is of when none is asked for."""
    days = [one.last for one in observations if _usable(one, zones=zones, without=without)]
    return max(days, default=None)


def describe(
    observations: Sequence[Observation],
    *,
    day: dt.date,
    zones: Collection[str] | None = None,
    baseline: str = "earlier counts",
    window: Window = FIVE_YEARS,
    without: Collection[Method] = (),
) -> Baseline:
    """The past before ``day``; arguments are those of `compare`.

    Where the observations hold a count of ``day`` itself, it is judged.
    """
    selection = select(observations, day=day, window=window, zones=zones, without=without)
    today = [
        one
        for one in observations
        if one.first == one.last == day and _usable(one, zones=zones, without=without)
    ]
    observation = _chosen(today)
    count = interval_of(observation) if observation is not None else None
    change = change_point((*selection.days, *by_day([observation] if observation else [])))
    methods = [m for m in METHODS if any(one.method == m for one in selection.used)]
    return Baseline(
        day=day,
        selection=selection,
        figures=figures(selection),
        by_method={m: figures(selection.only(m)) for m in methods},
        observation=observation,
        count=count,
        comparison=judged(count, selection=selection, baseline=baseline) if count else None,
        chance=chance(count, days=selection.days) if count else None,
        step=step(count, day=day, selection=selection) if count else None,
        change=change,
        words=tuple(remarks(selection, doubt=thin(basis_of(selection)), judged=observation)),
    )


def _chosen(today: Sequence[Observation]) -> Observation | None:
    """The count of the day that is judged: the analyst's own, else a measured one; of these the highest."""
    for method in ("hand", "measured", "published"):
        if made := by_day(one for one in today if one.method == method):
            return made[0].observation
    return None


def interval_of(one: Observation) -> Interval:
    """The count of an observation; what is not known of its interval is taken from the rest.

    Published intervals have no stated level; the one of the result is that of railcount's own.
    """
    best = int((one.typical or 0.0) + 0.5)
    low = one.low if one.low is not None else best
    high = one.high if one.high is not None else best
    return Interval(best=best, low=min(low, best), high=max(high, best))


def _usable(one: Observation, *, zones: Collection[str] | None, without: Collection[Method]) -> bool:
    return (
        one.statement == "image"
        and one.unit == "cars"
        and one.typical is not None
        and one.method not in without
        and (zones is None or one.zone is None or one.zone in zones)
    )
