"""The tiles of one pass joined: what stood there at that moment, each car once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from railcount.counts import Interval, Kind, Status
    from railcount.records import CarRecord, TileRecord


@dataclass(frozen=True, kw_only=True)
class PassCount:
    """Everything railcount says about one pass: one moment over one yard, of one tile or many.

    Where ``status`` is not one of STATUSES_WITH_COUNT the counts are None and ``reasons`` says why.
    """

    id: str
    """The same for the same site, moment and sensor, whatever tiles have come so far:
    ``tumangang-20231005T021100Z-ssc3``, ``42.4187n130.6222e-20231005``."""
    status: Status
    tiles: tuple[TileRecord, ...]
    """Joined to this pass, in the order of their names; those without a count included."""
    reasons: tuple[str, ...] = ()
    acquired: datetime | date | None = None
    """Of the earliest tile."""
    sensor: str | None = None
    credit: str | None = None
    simulated: bool = False
    site: str | None = None
    zone: str | None = None
    length_m: float = 0.0
    """Of track in all tiles, what two tiles share once."""
    visible_fraction: float | None = None
    railcars: Interval | None = None
    locomotives: Interval | None = None
    covered: Interval | None = None
    trains: int | None = None
    occupied_m: float | None = None
    by_type: dict[Kind, int] = field(default_factory=dict)
    cars: tuple[CarRecord, ...] = ()
    """Each once; a car in pieces on two tiles is put together and flagged ``seam``."""
