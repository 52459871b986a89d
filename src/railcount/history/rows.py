"""What a history gives besides records and passes: frozen rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

    from railcount.baseline import Observation
    from railcount.counts import Interval, Status


class KnownFile(NamedTuple):
    """What a file was when it was last read. It is the same while size and mtime_ns are."""

    size: int
    mtime_ns: int
    sha256: str


class Result(NamedTuple):
    """Of a finished tile what says whether it must be counted again."""

    status: Status
    context: str


class Neighbourhood(NamedTuple):
    """Where the tiles of one pass are found together: on a day, in UTC, and those before and after it."""

    day: date | None
    sha256: str | None = None
    """Of a tile without a date, which is a pass of its own."""


@dataclass(frozen=True, kw_only=True)
class StoredCount:
    """A published or hand count."""

    id: int
    site: str | None
    """None for the hand count of a pass whose site is not known."""
    observation: Observation
    """Its ``id`` is that of the pass that was counted by hand; empty for a count of a day or a period."""
    who: str | None = None
    at: datetime | None = None
    """When it was entered."""
    why: str | None = None
    has_pass: bool = False
    """The pass it names is in the history, and its current result of these images."""

    @property
    def replaces_a_machine(self) -> bool:
        """True where it is a hand count of all cars, of a pass or of one day."""
        one = self.observation
        of_cars = one.method == "hand" and one.unit == "cars" and one.statement == "image"
        return of_cars and (one.id != "" or one.first == one.last)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One pass as a line: quick to read, without its tiles and cars."""

    id: str
    key: str
    """The parameters it was counted with."""
    day: date | None
    """The day at the site."""
    acquired: datetime | date | None
    site: str | None
    zone: str | None
    status: Status
    simulated: bool
    sensor: str | None
    credit: str | None
    n_tiles: int
    first_tile: str | None
    length_m: float
    visible_fraction: float | None
    railcars: Interval | None
    locomotives: Interval | None
    trains: int | None
    occupied_m: float | None
    reasons: tuple[str, ...]
    hand: StoredCount | None
    """The hand count that stands for it."""
