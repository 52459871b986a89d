"""The sentence that goes with the level of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from railcount.baseline import Level, Observation
    from railcount.counts import Interval


def explain(
    count: Interval,
    *,
    level: Level,
    used: Sequence[Observation],
    values: Sequence[float],
    window: tuple[dt.date, dt.date],
    doubt: str,
    has_p90: bool,
) -> str:
    """The level in words, with the numbers it rests on.

    ``values`` are the dated counts in order of size; ``doubt`` says why a history is too thin;
    ``has_p90`` is False where there are too few dated counts for percentiles.
    """
    span = f"{window[0]} to {window[1]}"
    cars = "1 railcar" if count.best == 1 else f"{count.best} railcars"
    if not used:
        return f"No count from {span} is known, so {cars} cannot be judged."
    basis = f"Known: {_basis(used, values)}."
    if level == "insufficient_history":
        return f"The history from {span} is too thin to judge {cars}: {doubt}. {basis}"
    top = max(used, key=lambda one: (one.most or 0, one.first))
    most = top.most or 0
    if level in {"unprecedented", "record"}:
        times = f"{count.best / most:.2f} x" if most else "above"
        text = f"{cars}: {times} the maximum from {span}, which is {_said(top)}."
        return f"{text}{_room(count, level=level)} {basis}"
    place = {
        "elevated": "above the 90th percentile from",
        "quiet": "in the lowest tenth, and below the median, from",
        "normal": "not above the maximum from",
    }[level]
    tail = ", which is" if level == "normal" else "; the maximum is"
    text = f"{cars}: {place} {span}{tail} {_said(top)}."
    if values and level != "quiet":
        text += f" {_as_high(sum(value >= count.best for value in values), len(values))}"
    if level == "normal" and not has_p90:
        text += " Dated counts are too few to say more."
    return f"{text} {basis}"


def _room(count: Interval, *, level: Level) -> str:
    """What the interval adds."""
    if level == "record":
        return " The doubt in the two counts is larger than their difference."
    return f" Even the low end of the count, {count.low}, is above it." if count.low < count.best else ""


def _said(one: Observation) -> str:
    """The number with the words that its publisher put around it."""
    text = f'{one.most} ("{one.qualifier}")' if one.qualifier else f"{one.most}"
    if one.statement == "period_maximum":
        return f"{text} for {one.when}" + (f", says {one.source}" if one.source else "")
    return f"{text} on {one.when}" + (f" ({one.source})" if one.source else "")


def _as_high(n: int, n_dated: int) -> str:
    if n == 0:
        return "No dated count is as high."
    return f"{n} of {n_dated} dated counts {'is' if n == 1 else 'are'} as high."


def _basis(used: Sequence[Observation], values: Sequence[float]) -> str:
    n_dated = sum(one.statement == "image" for one in used)
    n_periods = len(used) - n_dated
    parts = []
    if n_dated:
        middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2 if values else 0.0
        figures = f" ({values[0]:g} to {values[-1]:g}, median {middle:g})" if values else ""
        parts.append(f"1 dated count{figures}" if n_dated == 1 else f"{n_dated} dated counts{figures}")
    if n_periods:
        parts.append(
            "1 statement about a period" if n_periods == 1 else f"{n_periods} statements about periods"
        )
    return " and ".join(parts)
