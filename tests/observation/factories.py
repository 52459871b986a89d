"""A yard in metres, and tiles of it as a perfect eye would count them."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.counts import Interval
from railcount.records import CarRecord, TileRecord, TrackRecord
from railcount.sites.place import metres_per_degree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.counts import Kind
    from railcount.records import Position

LON, LAT = 130.62, 42.42
MOMENT = dt.datetime(2023, 10, 5, 2, 11, tzinfo=dt.UTC)
BODY_M, GAP_M, WIDTH_M = 12.8, 1.14, 3.1
STUB_M = 3.5
"""Less of a car at a tile's edge is not read."""
Box = tuple[float, float, float, float]
"""West, south, east, north in metres."""


@dataclass(frozen=True, kw_only=True)
class Train:
    """A row of coupled vehicles."""

    track: int
    start_m: float
    lengths_m: tuple[float, ...] = (BODY_M,) * 5
    kind: Kind = "gondola"

    def cars(self) -> list[tuple[float, float]]:
        """Where each begins and ends along its track."""
        out, at = [], self.start_m
        for length in self.lengths_m:
            out.append((at, at + length))
            at += length + GAP_M
        return out


@dataclass(frozen=True, kw_only=True)
class Yard:
    """Straight parallel tracks that run from ``-reach_m`` to ``reach_m`` through the middle."""

    trains: tuple[Train, ...]
    n_tracks: int = 4
    spacing_m: float = 4.8
    azimuth_deg: float = 90.0
    """Of the tracks, clockwise from north."""
    reach_m: float = 400.0
    lon: float = LON
    lat: float = LAT

    @property
    def n_cars(self) -> int:
        """In all trains."""
        return sum(len(train.lengths_m) for train in self.trains)

    def ground(self, along: float, track: float) -> np.ndarray:
        """Metres east and north of a place on a track (its number may be broken)."""
        heading = math.radians(self.azimuth_deg)
        way, right = (
            np.array([math.sin(heading), math.cos(heading)]),
            np.array([math.cos(heading), -math.sin(heading)]),
        )
        aside = (track - (self.n_tracks - 1) / 2) * self.spacing_m
        return np.asarray(along * way + aside * right)

    def place(self, point: np.ndarray) -> Position:
        """Longitude and latitude."""
        east, north = metres_per_degree(self.lat)
        return round(self.lon + point[0] / east, 7), round(self.lat + point[1] / north, 7)

    def inside(self, track: int, box: Box) -> tuple[float, float] | None:
        """The part of a track in a box."""
        start, way = self.ground(0, track), self.ground(1, track) - self.ground(0, track)
        low, high = -self.reach_m, self.reach_m
        for axis in (0, 1):
            if abs(way[axis]) < 1e-9:
                if not box[axis] <= start[axis] <= box[axis + 2]:
                    return None
                continue
            ends = sorted((box[axis + k] - start[axis]) / way[axis] for k in (0, 2))
            low, high = max(low, ends[0]), min(high, ends[1])
        return (low, high) if high - low > 1.0 else None


def interval(best: int, *, share: float = 0.04, cars: float = 0.6) -> Interval:
    """As wide as one tile's count is by the model's error alone."""
    wide = round(1.645 * math.hypot(share * best, cars)) if best else 0
    return Interval(best=best, low=max(best - wide, 0), high=best + wide)


@dataclass
class _Read:
    cars: list[CarRecord] = field(default_factory=list)
    tracks: list[TrackRecord] = field(default_factory=list)
    n_trains: int = 0
    occupied_m: float = 0.0


def tile_of(yard: Yard, box: Box, name: str = "a.tif", **changes: Any) -> TileRecord:
    """What one tile shows: whole cars, and those that its edge cuts as far as they reach in."""
    read = _Read()
    for track in range(yard.n_tracks):
        part = yard.inside(track, box)
        if part is not None:
            _read_track(yard, track, part, read)
    west, south, east, north = box
    corners = [(west, north), (east, north), (east, south), (west, south)]
    n_locomotives = sum(car.kind == "locomotive" for car in read.cars)
    record = TileRecord(
        tile=f"archive/2023-10-05/{name}",
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        status="counted",
        acquired=MOMENT,
        acquired_from="file_name",
        site="tumangang",
        crs="EPSG:32652",
        gsd_m=0.5,
        regime="cars",
        footprint=tuple(yard.place(np.array(corner)) for corner in corners),
        source="given",
        length_m=round(sum(track.length_m for track in read.tracks), 2),
        visible_fraction=1.0,
        railcars=interval(len(read.cars) - n_locomotives),
        locomotives=Interval(best=n_locomotives, low=n_locomotives, high=n_locomotives),
        covered=interval(sum(bool(car.covered) for car in read.cars), share=0.2),
        trains=read.n_trains,
        occupied_m=round(read.occupied_m, 2),
        error_share=0.04,
        by_type=dict(sorted(Counter(car.kind for car in read.cars).items())),
        cars=tuple(read.cars),
        tracks=tuple(read.tracks),
    )
    return replace(record, **changes)


def _read_track(yard: Yard, track: int, part: tuple[float, float], read: _Read) -> None:
    name = f"line {track + 1}"
    low, high = part
    read.tracks.append(
        TrackRecord(
            id=name,
            length_m=high - low,
            visible_fraction=1.0,
            confidence=1.0,
            line=tuple(yard.place(yard.ground(at, track)) for at in (low, high)),
        )
    )
    for train in sorted((t for t in yard.trains if t.track == track), key=lambda t: t.start_m):
        position, ends = 0, []
        for a, b in train.cars():
            start, end = max(a, low), min(b, high)
            if end - start < min(STUB_M, b - a - 0.01):
                continue
            position += 1
            ends += [start, end]
            flags = ("cut",) if (start, end) != (a, b) else ()
            read.cars.append(
                _car(yard, train, start, end, train_number=read.n_trains + 1, position=position, flags=flags)
            )
        if position:
            read.n_trains += 1
            read.occupied_m += max(ends) - min(ends)


def _car(
    yard: Yard,
    train: Train,
    start: float,
    end: float,
    *,
    train_number: int,
    position: int,
    flags: tuple[str, ...],
) -> CarRecord:
    half = WIDTH_M / 2 / yard.spacing_m
    corners = [
        (start, train.track - half),
        (start, train.track + half),
        (end, train.track + half),
        (end, train.track - half),
    ]
    return CarRecord(
        track=f"line {train.track + 1}",
        train=train_number,
        position=position,
        kind=train.kind,
        covered=train.kind == "covered",
        length_m=round(end - start, 2),
        width_m=WIDTH_M,
        heading_deg=yard.azimuth_deg % 180,
        confidence=0.98,
        flags=flags,
        ring=tuple(yard.place(yard.ground(*corner)) for corner in corners),
    )


def row_of_tiles(
    yard: Yard, cuts: Sequence[float], *, overlap_m: float = 0.0, half_m: float = 60.0, **changes: Any
) -> list[TileRecord]:
    """Tiles from the first cut to the last, west to east, each reaching ``overlap_m`` into the next."""
    return [
        tile_of(yard, (a, -half_m, b + overlap_m, half_m), f"yard_R1C{n}.tif", **changes)
        for n, (a, b) in enumerate(pairwise(cuts), 1)
    ]
