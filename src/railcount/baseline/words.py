"""The sentence that goes with the level of a comparison."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from railcount.baseline.figures import median_of

if TYPE_CHECKING:
    from railcount.baseline.basis import Basis
    from railcount.baseline.levels import Level
    from railcount.baseline.observations import Observation
    from railcount.counts import Interval


def explain(count: Interval, *, level: Level, basis: Basis, doubt: str, n_needed: int | None) -> str:
    """The level in words, with the numbers it rests on.

    ``doubt`` says why a history is too thin; ``n_needed`` is the number of days that percentiles need,
    where there are fewer and no bound of them is known either.
    """
    top, values = basis.top, basis.values
    span = f"{basis.span[0]} to {basis.span[1]}"
    cars = "1 railcar" if count.best == 1 else f"{count.best} railcars"
    if top is None:
        return f"No count from {span} is known, so {cars} cannot be judged."
    known = f"Known: {_known(basis)}."
    if level == "insufficient_history":
        return f"The history from {span} is too thin to judge {cars}: {doubt}. {known}"
    most = top.most or 0
    if level in {"unprecedented", "record"}:
        times = f"{count.best / most:.2f} x" if most else "above"
        text = f"{cars}: {times} the maximum from {span}, which is {said(top)}."
        return f"{text}{_room(count, level=level)} {known}"
    place = {
        "elevated": "above the 90th percentile from",
        "quiet": "in the lowest tenth, and below the median, from",
        "normal": "not above the maximum from",
    }[level]
    tail = ", which is" if level == "normal" else "; the maximum is"
    text = f"{cars}: {place} {span}{tail} {said(top)}."
    if values and level != "quiet":
        text += f" {_as_high(len(values) - bisect_left(values, count.best), len(values))}"
    if level == "normal" and n_needed is not None:
        text += _undecided(count, basis=basis, n_needed=n_needed)
    return f"{text} {known}"


def _undecided(count: Interval, *, basis: Basis, n_needed: int) -> str:
    """What a count below the maximum may still be, where too few days are known."""
    days = "1 day with a count is" if basis.n_days == 1 else f"{basis.n_days} days with a count are"
    text = (
        f" {days} too few to tell normal from elevated (it needs {n_needed}): normal says here only that "
        "the maximum is not passed."
    )
    bound = basis.period_ceiling
    if bound is not None and count.best > bound:
        text += (
            f" Statements about periods say of {basis.period_share:.0%} of these days that no more than "
            f"{bound} stood there, so the count is high for the place all the same."
        )
    return text


def _room(count: Interval, *, level: Level) -> str:
    """What the interval adds."""
    if level == "record":
        return " The doubt in the two counts is larger than their difference."
    return f" Even the low end of the count, {count.low}, is above it." if count.low < count.best else ""


def said(one: Observation) -> str:
    """The number with the words that its publisher put around it."""
    text = f'{one.most} ("{one.qualifier}")' if one.qualifier else f"{one.most}"
    if one.statement == "period_maximum":
        return f"{text} for {one.when}" + (f", says {one.source}" if one.source else "")
    return f"{text} on {one.when}" + (f" ({one.source})" if one.source else "")


def _as_high(n: int, n_days: int) -> str:
    if n == 0:
        return "No dated count is as high."
    return f"{n} of {n_days} days with a count {'is' if n == 1 else 'are'} as high."


def _known(basis: Basis) -> str:
    n_dated, n_periods, values = basis.n_dated, basis.n_periods, basis.values
    parts = []
    if n_dated:
        figures = f" ({values[0]:g} to {values[-1]:g}, median {median_of(values):g})" if values else ""
        text = "1 dated count" if n_dated == 1 else f"{n_dated} dated counts"
        if basis.n_days < n_dated:
            text += " on 1 day" if basis.n_days == 1 else f" on {basis.n_days} days"
        parts.append(f"{text}{figures}")
    if n_periods:
        parts.append(
            "1 statement about a period" if n_periods == 1 else f"{n_periods} statements about periods"
        )
    return " and ".join(parts)
