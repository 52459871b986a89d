"""The tiles of one pass joined: what stood there at that moment, each car once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from railcount.counts import Interval, Kind, Status
    from railcount.records import CarRecord, TileRecord


@dataclass(frozen=True, kw_only=True)
class PassCount:
    """Everything railcount says about one pass: one moment over one yard, of one tile or many.

    Where ``status`` is not one of STATUSES_WITH_COUNT the counts are None and ``reasons`` says why.
    """

    id: str
    """The same for the same site, minute and sensor, whatever tiles have come so far:
    ``tumangang-20231005T0211Z-ssc3``, ``42.42n130.62e-20231005``."""
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


def group(records: Iterable[TileRecord]) -> list[tuple[str, tuple[TileRecord, ...]]]:
    """The tiles of each pass, with the pass's id: by time, then by id; tiles by name.

    Tiles are of one pass where they show one place (the same site; without a site, footprints within
    3 km) and were taken within 5 minutes of the next by one sensor, as far as it is known. Where only
    the day is known, they must lie in one folder or bear one vendor's scene name too. A tile that could
    not be opened goes with those of its scene name, or of its folder and day where its own name has a
    date or a row and column. A tile without a CRS or a date is a pass of its own.

    The order of the records does not matter.
    """
    from railcount.observation.grouping import grouped

    return grouped(records)


def merge(records: Sequence[TileRecord], *, id: str) -> PassCount:  # noqa: A002  # as in PassCount
    """The tiles of one pass as one count, each car once.

    The order of the records does not matter, and a record that comes twice counts once. Raises
    InputError without a record, and for several tiles of which one is in pixel coordinates.
    """
    from railcount.observation.joining import merged

    return merged(records, pass_id=id)


def pass_key(record: TileRecord) -> tuple[str | None, str | None, str | None]:
    """Place, minute (or day) and sensor of a tile as they stand in the id of its pass; None: not known.

    Tiles with equal keys, none of it None, are of one pass; so may be others (see ``group``).
    """
    from railcount.observation.grouping import key

    return key(record)
