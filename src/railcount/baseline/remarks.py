"""What to bear in mind about a window's observations, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from railcount.baseline.change import MAX_CHANCE, MIN_DAYS, RANGE_LEVEL
from railcount.baseline.figures import MIN_DAYS as FEW_DAYS
from railcount.baseline.windows import n_days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from railcount.baseline.change import ChangePoint
    from railcount.baseline.observations import Observation
    from railcount.baseline.selection import Selection

GAP_DAYS = 180
"""A stretch without knowledge that is worth a sentence though it rules nothing out."""


def remarks(selection: Selection, *, doubt: str, judged: Observation | None) -> Iterator[str]:
    """Sentences, the gravest first."""
    if not selection.used:
        yield f"No count from {selection.span[0]} to {selection.span[1]} is known."
    elif doubt:
        yield f"The history is too thin to judge by: {doubt}."
    elif selection.days and len(selection.days) < FEW_DAYS:
        n = len(selection.days)
        yield (
            f"Only {_days(n)} of the window {'has' if n == 1 else 'have'} a count, the rest is known from "
            "statements about periods: no percentile is given, and no count can have a chance below "
            f"1 in {n + 1}."
        )
    gap = selection.longest_gap
    if selection.used and not doubt and gap is not None and n_days(gap) > GAP_DAYS:
        yield f"Nothing is known from {gap[0]} to {gap[1]}, {n_days(gap)} days."
    yield from _unevenly_spread(selection)
    counted = {one.first for one in selection.days if one.first == one.last}
    if judged is not None:
        counted.add(judged.first)
    if uncounted := sorted({one.when for one in selection.uncounted if one.first not in counted}):
        images = "1 image was" if len(uncounted) == 1 else f"{len(uncounted)} images were"
        shown = ", ".join(uncounted[:5]) + (" and others" if len(uncounted) > 5 else "")
        yield f"{images} seen but not counted ({shown}): taken for unknown, never for zero."
    yield from _mixed(selection, judged=judged)


def change_words(change: ChangePoint) -> str:
    """The change-point as a sentence or two."""
    if change.status == "too_few":
        days = "1 day" if change.n_days == 1 else f"{change.n_days} days"
        return f"Whether traffic changed cannot be told from {days} with a count; it needs {MIN_DAYS}."
    of = f"{change.chance:.1%} of histories of {change.n_days} days that are all alike"
    if change.between is None or change.range is None or change.before is None or change.after is None:
        return (
            f"No change found: so clear a step comes by chance in {of} (at most {MAX_CHANCE:.0%} would do)."
        )
    first, last = change.between
    when = f"between {first} and {last}" if first < last else f"on {last}"
    rise = "rose" if change.after > change.before else "fell"
    if change.after == change.before:
        rise = "changed"
    said = (
        f"Traffic {rise} {when} (probability {change.probability:.0%}, given one change), from a median of "
        f"{change.before:g} on {_days(change.n_before)} to {change.after:g} on {_days(change.n_after)}"
    )
    wide = f"; with {RANGE_LEVEL:.0%} between {change.range[0]} and {change.range[1]}"
    tail = f". So clear a change comes by chance in {of}; a long spell would look the same."
    return f"{said}{wide if change.range != change.between else ''}{tail}"


def _unevenly_spread(selection: Selection) -> Iterator[str]:
    """Most days in a small part of the window: percentiles are of that part."""
    days = selection.days
    if len(days) < MIN_DAYS:
        return
    need = -(-3 * len(days) // 4)
    spans = [(days[k + need - 1].last - days[k].first).days + 1 for k in range(len(days) - need + 1)]
    shortest = min(range(len(spans)), key=lambda k: (spans[k], k))
    if spans[shortest] * 4 <= n_days(selection.span):
        first, last = days[shortest].first, days[shortest + need - 1].last
        yield (
            f"{need} of the {len(days)} days with a count lie between {first} and {last}: median and "
            "percentiles are mostly of that time."
        )


def _mixed(selection: Selection, *, judged: Observation | None) -> Iterator[str]:
    """Counts of different making beside each other."""
    methods = {one.method for one in selection.dated}
    if "published" in methods and len(methods) > 1:
        yield (
            "Published counts are of days that somebody found worth printing, and have no common boundary; "
            "measured counts are of all images. Their figures are given apart, too."
        )
    if "published" in methods and len(methods) == 1:
        yield (
            "All counts are published ones, of days that somebody found worth printing: percentiles lie high."
        )
    drawn = sum(one.simulated for one in selection.used)
    if drawn:
        counts = "1 of the counts is" if drawn == 1 else f"{drawn} of the counts are"
        yield f"{counts} from simulated images: they say nothing about the real place."
    elif judged is not None and judged.simulated:
        yield "The count that is judged is from a simulated image."
    other_season = sum(reason == "another season" for _, reason in selection.not_used)
    if other_season:
        yield f"{other_season} counts of other seasons are left out."


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"
