"""Observations: what was seen at a site on a day, or stated about a period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from railcount.errors import InputError

if TYPE_CHECKING:
    import datetime as dt

Unit = Literal["cars", "trains", "metres", "set"]
UNITS: tuple[Unit, ...] = ("cars", "trains", "metres", "set")
"""cars: all railcars seen in the zone; set: some of them (those that moved, or those in a partial view);
trains: trains, cars not counted; metres: of occupied track or of trains."""

Statement = Literal["image", "period_maximum", "period_total"]
STATEMENTS: tuple[Statement, ...] = ("image", "period_maximum", "period_total")
"""image: one image; period_maximum: the most that any image of the period showed; period_total: a sum
over the period, such as trains in a month."""

Method = Literal["published", "measured", "hand"]
METHODS: tuple[Method, ...] = ("published", "measured", "hand")
"""published: printed by others; measured: counted by railcount; hand: counted by the analyst."""

MAX_IMAGE_SPAN_DAYS = 31
"""An image whose day is not known exactly may span a month, no more."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen at a site on a day, or stated about a period.

    Raises InputError where the days or the numbers are out of order.
    """

    first: dt.date
    """The day of the image; the first day it can have been where only the month is known."""
    last: dt.date
    """Equal to ``first`` for a known day; included."""
    low: int | None = None
    best: int | None = None
    high: int | None = None
    """All three None: seen, but no count could be made."""
    unit: Unit = "cars"
    statement: Statement = "image"
    zone: str | None = None
    """Id of the zone of the site; None for the whole site."""
    qualifier: str = ""
    """The words around the number, such as "about" or "at least"."""
    sensor: str = ""
    source: str = ""
    """The organisation, or the tile."""
    url: str | None = None
    method: Method = "published"
    notes: str = ""
    id: str = ""
    """Of the pass it was counted in; empty for what others published."""
    visible_fraction: float | None = None
    """Of the track length, 0-1; None where it is not known."""
    simulated: bool = False
    """Counted in an image that was drawn."""

    def __post_init__(self) -> None:
        """Check the order of days and numbers."""
        if self.last < self.first:
            raise InputError(f"an observation ends before it starts: {self.first} to {self.last}")
        if self.statement == "image" and (self.last - self.first).days >= MAX_IMAGE_SPAN_DAYS:
            raise InputError(f"an image cannot span {self.first} to {self.last}; at most a month is accepted")
        known = [n for n in (self.low, self.best, self.high) if n is not None]
        if known != sorted(known) or any(n < 0 for n in known):
            raise InputError(
                f"0 <= low <= best <= high is required, got {self.low}, {self.best}, {self.high}"
            )

    @property
    def has_count(self) -> bool:
        """True where any of low, best and high is known."""
        return any(n is not None for n in (self.low, self.best, self.high))

    @property
    def typical(self) -> float | None:
        """The value for a median: best, else the middle of low and high, else low; None with high alone."""
        if self.best is not None:
            return float(self.best)
        if self.low is not None and self.high is not None:
            return (self.low + self.high) / 2
        return None if self.low is None else float(self.low)

    @property
    def most(self) -> int | None:
        """The value for a maximum: best, else high, else low."""
        return next((n for n in (self.best, self.high, self.low) if n is not None), None)

    @property
    def ceiling(self) -> int | None:
        """The most that is said to have stood there: high, else best, else low ("at least")."""
        return next((n for n in (self.high, self.best, self.low) if n is not None), None)

    @property
    def when(self) -> str:
        """``2023-10-05``, or ``2018-10-01 to 2023-09-30``."""
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
