"""A tile's result without its pixels: what is kept in a history, sent between processes and joined."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from railcount.counts import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from railcount.counts import Car, Kind, Status, Stretch, TileCount
    from railcount.raster.acquisition import AcquiredFrom
    from railcount.raster.grid import Grid
    from railcount.regimes import Regime
    from railcount.tracks.network import TrackSource

Position = tuple[float, float]
"""(longitude, latitude) in degrees, WGS84; (x right, y down) in pixels for a tile without a CRS."""

LON_LAT_DIGITS = 7
"""1e-7 degrees is about 1 cm."""
PIXEL_DIGITS = 2
_PLAIN = (float, int, str, bool)


@dataclass(frozen=True, kw_only=True)
class CarRecord:
    """One railcar or locomotive; the fields are those of `railcount.counts.Car`."""

    track: str
    train: int
    position: int
    kind: Kind
    covered: bool | None
    length_m: float
    width_m: float
    heading_deg: float | None
    confidence: float
    flags: tuple[str, ...]
    ring: tuple[Position, ...]
    """The body's corners, not closed."""


@dataclass(frozen=True, kw_only=True)
class TrackRecord:
    """One track as it was used."""

    id: str
    length_m: float
    """Inside the tile."""
    visible_fraction: float
    confidence: float
    line: tuple[Position, ...]


@dataclass(frozen=True, kw_only=True)
class StretchRecord:
    """One occupied stretch of track, in the regime ``occupied_length``."""

    track: str
    line: tuple[Position, ...]
    """Along the middle of the track, from one end to the other."""


@dataclass(frozen=True, kw_only=True)
class TileRecord:
    """What railcount says about one tile, in plain values that survive JSON.

    Where ``status`` is not one of STATUSES_WITH_COUNT the counts are None and ``reasons`` says why.
    """

    tile: str
    """The path as it was given."""
    sha256: str | None
    status: Status
    folder: str | None = None
    """Where the file lay, absolute, since one folder can be spelled in several ways; None: as in ``tile``."""
    reasons: tuple[str, ...] = ()
    acquired: datetime | date | None = None
    """UTC (aware) where the time of day is known, else a date."""
    acquired_from: AcquiredFrom | None = None
    sensor: str | None = None
    credit: str | None = None
    simulated: bool = False
    doubts: tuple[str, ...] = ()
    """Sources that disagree on the date."""
    site: str | None = None
    zone: str | None = None
    crs: str | None = None
    gsd_m: float | None = None
    regime: Regime | None = None
    footprint: tuple[Position, ...] = ()
    """The tile's four corners, not closed; empty where the tile could not be opened."""
    source: TrackSource | None = None
    """Where the tracks came from."""
    length_m: float = 0.0
    """Of all tracks inside the tile."""
    visible_fraction: float | None = None
    """Of ``length_m``, 0-1; without any track, of the ground."""
    registration_m: tuple[float, float] | None = None
    """How far given lines were moved, east and south."""
    registration_score: float | None = None
    """How clearly they match the image there, 0-1."""
    railcars: Interval | None = None
    locomotives: Interval | None = None
    covered: Interval | None = None
    trains: int | None = None
    occupied_m: float | None = None
    error_share: float | None = None
    """Of ``railcars``; None where cars are not told apart, and in a record of before it was kept."""
    by_type: dict[Kind, int] = field(default_factory=dict)
    cars: tuple[CarRecord, ...] = ()
    tracks: tuple[TrackRecord, ...] = ()
    stretches: tuple[StretchRecord, ...] = ()
    """Where cars are not told apart; empty in a record of before stretches were kept."""

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts, texts and finite numbers; ``from_dict`` makes the same record again."""
        return {name: _plain(getattr(self, name)) for name in _names(TileRecord)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TileRecord:
        """The record of ``to_dict``. Raises KeyError, TypeError or ValueError for anything else."""
        given = dict(values)
        for name in ("railcars", "locomotives", "covered"):
            given[name] = None if given[name] is None else Interval(**given[name])
        given["acquired"] = _moment(given["acquired"])
        given["cars"] = tuple(_made(CarRecord, car, places="ring") for car in given["cars"])
        given["tracks"] = tuple(_made(TrackRecord, track, places="line") for track in given["tracks"])
        stretches = given.get("stretches", ())
        given["stretches"] = tuple(_made(StretchRecord, one, places="line") for one in stretches)
        made: TileRecord = _made(cls, given, places="footprint")
        return made


def record_of(count: TileCount) -> TileRecord:
    """What is worth keeping of a result."""
    import numpy as np  # records are read where nothing is counted

    acquisition, grid, summary = count.acquisition, count.grid, count.tracks
    corners = np.zeros((0, 2))
    if grid is not None:
        w, h = grid.width, grid.height
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float64)
    moved = summary.registration if summary else None
    return TileRecord(
        tile=count.tile,
        sha256=count.sha256,
        status=count.status,
        reasons=count.reasons,
        acquired=acquisition.acquired if acquisition else None,
        acquired_from=acquisition.acquired_from if acquisition else None,
        sensor=acquisition.sensor if acquisition else None,
        credit=acquisition.credit if acquisition else None,
        simulated=acquisition.simulated if acquisition else False,
        doubts=acquisition.doubts if acquisition else (),
        site=count.site,
        zone=count.zone,
        crs=grid.crs_name if grid else None,
        gsd_m=round(grid.gsd_m, 4) if grid else None,
        regime=count.regime,
        footprint=places(corners, grid=grid),
        source=summary.source if summary else None,
        length_m=round(summary.length_m, 2) if summary else 0.0,
        visible_fraction=round(summary.visible_fraction, 4) if summary else None,
        registration_m=(round(moved.east_m, 2), round(moved.south_m, 2)) if moved else None,
        registration_score=round(float(moved.score), 3) if moved else None,
        railcars=count.railcars,
        locomotives=count.locomotives,
        covered=count.covered,
        trains=count.trains,
        occupied_m=None if count.occupied_m is None else round(float(count.occupied_m), 2),
        error_share=None if count.error_share is None else round(count.error_share, 4),
        by_type=dict(count.by_type),
        cars=tuple(_car(car, grid=grid) for car in count.cars),
        tracks=_tracks(count, grid=grid),
        stretches=tuple(_stretch(one, grid=grid) for one in count.stretches),
    )


def places(pixels: NDArray[np.float64], *, grid: Grid | None) -> tuple[Position, ...]:
    """Pixel coordinates (n, 2) as positions; empty without a grid."""
    if grid is None or not len(pixels):
        return ()
    points, digits = pixels, PIXEL_DIGITS
    if grid.crs is not None:
        points, digits = grid.to_lonlat(points), LON_LAT_DIGITS
    return tuple((round(float(x), digits), round(float(y), digits)) for x, y in points)


def _car(car: Car, *, grid: Grid | None) -> CarRecord:
    return CarRecord(
        track=car.track,
        train=car.train,
        position=car.position,
        kind=car.kind,
        covered=car.covered,
        length_m=round(float(car.length_m), 2),
        width_m=round(float(car.width_m), 2),
        heading_deg=None if car.heading_deg is None else round(float(car.heading_deg), 1),
        confidence=round(float(car.confidence), 3),
        flags=car.flags,
        ring=places(car.outline_px, grid=grid),
    )


def _stretch(stretch: Stretch, *, grid: Grid | None) -> StretchRecord:
    # The outline runs along one side of the track, and back along the other.
    n = len(stretch.outline_px) // 2
    middle = (stretch.outline_px[:n] + stretch.outline_px[n:][::-1]) / 2
    return StretchRecord(track=stretch.track, line=places(middle, grid=grid))


def _tracks(count: TileCount, *, grid: Grid | None) -> tuple[TrackRecord, ...]:
    if count.network is None or count.tracks is None:
        return ()
    lines = {track.id: track.line_px for track in count.network.tracks}
    return tuple(
        TrackRecord(
            id=one.id,
            length_m=round(one.length_m, 2),
            visible_fraction=round(one.visible_fraction, 4),
            confidence=round(one.confidence, 3),
            line=places(lines[one.id], grid=grid),
        )
        for one in count.tracks.each
        if one.id in lines
    )


@lru_cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def _plain(value: Any) -> Any:
    if value is None or type(value) in _PLAIN:
        # Nearly all values of a tile with many cars: asked first this takes half the time.
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Interval | CarRecord | TrackRecord | StretchRecord):
        kind: type = type(value)
        return {name: _plain(getattr(value, name)) for name in _names(kind)}
    return dict(value) if isinstance(value, dict) else value


def _moment(text: str | None) -> datetime | date | None:
    if text is None:
        return None
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _made(kind: Any, values: dict[str, Any], *, places: str) -> Any:
    """A record whose lists become tuples again, and one of them pairs."""
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    given[places] = tuple((float(x), float(y)) for x, y in given[places])
    return kind(**given)
