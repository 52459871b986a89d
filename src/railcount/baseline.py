"""Comparison of a count with what the site has shown before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

Level = Literal["unprecedented", "record", "elevated", "normal", "quiet", "insufficient_history"]
LEVELS: tuple[Level, ...] = ("insufficient_history", "quiet", "normal", "elevated", "record", "unprecedented")
"""From the least to the most unusual."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A count set against the window of observations before it."""

    baseline: str
    """What the observations are, in words."""
    window: tuple[date, date]
    """First and last day, both included; the last is the day before the image."""
    n: int
    """Number of observations in the window that have a count."""
    max: int | None
    median: float | None
    ratio_to_max: float | None
    level: Level
    why: str
    """The level in a sentence, with the numbers it rests on."""
