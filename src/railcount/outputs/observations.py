"""An observation in words and as plain values: what commands about the past share."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from railcount.outputs.json import rounded
from railcount.outputs.text import plain
from railcount.text import escape

if TYPE_CHECKING:
    from railcount.baseline import Comparison, Observation
    from railcount.counts import Interval


def as_json(one: Observation) -> dict[str, Any]:
    """All that is known of it."""
    return {
        "first": one.first.isoformat(),
        "last": one.last.isoformat(),
        "statement": one.statement,
        "zone": one.zone,
        "unit": one.unit,
        "low": one.low,
        "best": one.best,
        "high": one.high,
        "qualifier": plain(one.qualifier),
        "sensor": plain(one.sensor),
        "source": plain(one.source),
        "url": plain(one.url),
        "method": one.method,
        "id": plain(one.id) or None,
        "visible_fraction": rounded(one.visible_fraction, 3),
        "simulated": one.simulated,
        "notes": plain(one.notes),
    }


def interval_json(count: Interval) -> dict[str, Any]:
    """A count with its interval."""
    return {"best": count.best, "low": count.low, "high": count.high, "level": rounded(count.level, 4)}


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison, as every command gives it."""
    return {
        "baseline": plain(comparison.baseline),
        "window": [one.isoformat() for one in comparison.window],
        "n": comparison.n,
        "max": comparison.max,
        "median": rounded(comparison.median, 2),
        "ratio_to_max": rounded(comparison.ratio_to_max, 2),
        "level": comparison.level,
        "why": plain(comparison.why),
    }


def number(one: Observation) -> str:
    """``73 (70-73) cars ("about")``, the number alone where all three are equal."""
    known = [n for n in (one.low, one.best, one.high) if n is not None]
    if not known:
        return "not counted"
    if one.statement == "period_maximum":
        text = f"maximum {one.most}"
    elif known[0] == known[-1]:
        text = f"{known[0]}"
    else:
        text = f"{one.most} ({known[0]}-{known[-1]})"
    words = {"cars": "cars", "set": "cars of a set", "trains": "trains", "metres": "m"}[one.unit]
    if set(known) == {1} and one.unit in {"cars", "trains"}:
        words = words[:-1]
    return f"{text} {words}" + (f' ("{one.qualifier}")' if one.qualifier else "")


def origin(one: Observation) -> str:
    """Zone, publisher or tile, sensor."""
    parts = [one.zone or "", one.source, one.sensor]
    return ", ".join(part for part in parts if part)


def quality(one: Observation) -> str:
    """How good it is: ``97% of the track seen, simulated``; empty where that is not known."""
    parts = []
    if one.visible_fraction is not None:
        parts.append(f"{one.visible_fraction:.0%} of the track seen")
    if one.simulated:
        parts.append("simulated")
    return ", ".join(parts)


def listed(one: Observation, *, reason: str = "") -> str:
    """A line about it: day, number, where it comes from, how good it is, why it is not used."""
    parts = [number(one) if one.has_count or not reason else "", origin(one), quality(one)]
    text = f"{one.when}  {', '.join(part for part in parts if part)}"
    return f"{text}: {reason}" if reason else text


class Folder:
    """Folds sentences to a width; a narrow terminal still gets words."""

    def __init__(self, width: int) -> None:
        """Below 40 columns the lines are longer than the terminal."""
        self._width = max(width, 40)

    def __call__(self, text: str, indent: str = "", more: str = "") -> list[str]:
        """Lines; ``more`` indents all but the first."""
        return textwrap.wrap(
            escape(text),
            self._width,
            initial_indent=indent,
            subsequent_indent=more or indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
