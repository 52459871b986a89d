"""Tiles and cars on the ground, in metres around the middle of a pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from railcount.errors import InputError
from railcount.records import LON_LAT_DIGITS
from railcount.sites.place import metres_per_degree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from railcount.records import CarRecord, Position, TileRecord

    Array = NDArray[np.float64]

PARALLEL = float(np.cos(np.radians(15.0)))
"""Axes that differ by less run along each other; the branches of a switch differ by 5 to 10 degrees."""
ASIDE_M = 1.8
"""Half of the closest spacing of tracks: what lies nearer to an axis is on the same track."""
AT_EDGE_M = 0.75
"""A body that ends so near to the tile's edge may go on beyond it: outlines are right to half a metre."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Metres east and north of a point, right to 0.1 % within 50 km."""

    lon: float
    lat: float
    east: float
    """Metres of a degree of longitude."""
    north: float

    @classmethod
    def around(cls, places: Iterable[Position]) -> Frame:
        """The frame around the mean of some positions; they may lie on both sides of 180 degrees."""
        points = np.array(list(places), dtype=np.float64)
        turn = (points[:, 0] - points[0, 0] + 180.0) % 360.0 - 180.0
        lat = float(points[:, 1].mean())
        east, north = metres_per_degree(lat)
        return cls(lon=float(points[0, 0] + turn.mean()), lat=lat, east=east, north=north)

    def metres(self, places: Sequence[Position]) -> Array:
        """(n, 2) of positions."""
        points = np.asarray(places, dtype=np.float64).reshape(-1, 2)
        turn = (points[:, 0] - self.lon + 180.0) % 360.0 - 180.0
        return np.stack([turn * self.east, (points[:, 1] - self.lat) * self.north], axis=-1)

    def places(self, metres: Array) -> tuple[Position, ...]:
        """Positions of (n, 2) metres."""
        lon = (self.lon + metres[:, 0] / self.east + 180.0) % 360.0 - 180.0
        lat = self.lat + metres[:, 1] / self.north
        return tuple(
            (round(float(x), LON_LAT_DIGITS), round(float(y), LON_LAT_DIGITS))
            for x, y in zip(lon, lat, strict=True)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Footprint:
    """A convex outline as half-planes: a point is inside where ``normal . p <= offset`` for all."""

    corners: Array
    """(n, 2), against the clock."""
    normal: Array
    """(n, 2) unit vectors outwards; side k runs from corner k to the next."""
    offset: Array
    """(n,)"""

    @classmethod
    def of(cls, corners: Array) -> Footprint:
        """The footprint with these corners, in either order; InputError where they hold no ground."""
        if len(corners) > 2 and _area(corners) < 0:
            corners = corners[::-1]
        along = np.roll(corners, -1, axis=0) - corners
        if len(corners) < 3 or not np.hypot(*along.T).all() or _area(corners) <= 0:
            raise InputError(f"a tile's footprint has corners around some ground, not {corners.tolist()}")
        normal = np.stack([along[:, 1], -along[:, 0]], axis=-1) / np.hypot(*along.T)[:, None]
        return cls(corners=corners, normal=normal, offset=(normal * corners).sum(axis=1))

    @property
    def area_m2(self) -> float:
        """Of the ground."""
        return _area(self.corners)

    @cached_property
    def box(self) -> Array:
        """(4,): west, south, east, north."""
        return box_of(self.corners)

    def is_near(self, other: Footprint, within_m: float = 0.0) -> bool:
        """Whether the boxes of both are so near; else nothing in them is."""
        (west, south, east, north), (w, s, e, n) = self.box.tolist(), other.box.tolist()
        return bool(
            west <= e + within_m and w <= east + within_m and south <= n + within_m and s <= north + within_m
        )

    def inside_m(self, points: Array) -> Array:
        """(n,): how far inside each of (n, 2) points lies; negative outside."""
        return np.asarray((self.offset - points @ self.normal.T).min(axis=-1))

    def clipped(self, start: Array, end: Array) -> tuple[float, float] | None:
        """Fractions of a segment (or, beyond 0 and 1, of its line) that lie inside; None where none does."""
        room, speed = self.offset - self.normal @ start, self.normal @ (end - start)
        if (room[speed == 0] < 0).any():
            return None
        at = room[speed != 0] / speed[speed != 0]
        leave = float(at[speed[speed != 0] > 0].min(initial=np.inf))
        enter = float(at[speed[speed != 0] < 0].max(initial=-np.inf))
        return (enter, leave) if enter < leave else None

    def seams(self, other: Footprint) -> NDArray[np.bool_]:
        """(n,): True for sides of which more than 1 m lies inside another footprint."""
        out = np.zeros(len(self.corners), dtype=np.bool_)
        for k, start in enumerate(self.corners):
            end = self.corners[(k + 1) % len(self.corners)]
            # a little inside, so that two tiles which only touch have no side in each other
            part = other.clipped(start - self.normal[k] * 0.5, end - self.normal[k] * 0.5)
            if part is not None:
                out[k] = (min(part[1], 1.0) - max(part[0], 0.0)) * np.hypot(*(end - start)) > 1.0
        return out

    def depth_m(self, point: Array, other: Footprint) -> float:
        """How far a point is from those sides that lie inside another footprint; infinite without any."""
        sides = self.seams(other)
        return float((self.offset - self.normal @ point)[sides].min(initial=np.inf))

    def shared_m2(self, other: Footprint) -> float:
        """The ground in both."""
        ring = list(other.corners)
        for normal, offset in zip(self.normal, self.offset, strict=True):
            kept: list[Array] = []
            for k, point in enumerate(ring):
                before = ring[k - 1]
                near, far = offset - normal @ before, offset - normal @ point
                if (near >= 0) != (far >= 0):
                    kept.append(before + (point - before) * near / (near - far))
                if far >= 0:
                    kept.append(point)
            ring = kept
        return _area(np.array(ring)) if len(ring) > 2 else 0.0


def box_of(points: Array) -> Array:
    """(4,): west, south, east, north of (n, 2) points."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def neighbours(boxes: Sequence[Array | None], *, within_m: float) -> list[list[int]]:
    """For each box the numbers of the others that lie so near, ascending; none for None.

    A pass may have thousands of tiles: only of these few pairs is a closer look worth its time.
    """
    import shapely

    out: list[list[int]] = [[] for _ in boxes]
    numbers = [n for n, box in enumerate(boxes) if box is not None]
    if len(numbers) < 2:
        return out
    known = np.array([boxes[n] for n in numbers])
    grown = known + within_m * np.array([-1.0, -1.0, 1.0, 1.0])
    found = shapely.STRtree(shapely.box(*known.T)).query(shapely.box(*grown.T))
    for one, other in sorted(zip(*found.tolist(), strict=True)):
        if one != other:
            out[numbers[one]].append(numbers[other])
    return out


def _area(corners: Array) -> float:
    x, y = corners.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A car of one tile on the ground."""

    tile: int
    """Number of the tile."""
    record: CarRecord
    back: Array
    """(2,): middle of one end of the body."""
    front: Array
    cut_back: bool
    """True where the body may go on beyond this end: the tile or its track ends here."""
    cut_front: bool
    spare_back_m: float = 0.0
    """Track that was seen beyond a cut end."""
    spare_front_m: float = 0.0

    @property
    def length_m(self) -> float:
        """Of what lies inside its tile."""
        return float(np.hypot(*(self.front - self.back)))

    @property
    def axis(self) -> Array:
        """(2,): unit vector from back to front."""
        return (self.front - self.back) / max(self.length_m, 1e-9)

    @property
    def centre(self) -> Array:
        """(2,)"""
        return (self.front + self.back) / 2

    @property
    def n_cut(self) -> int:
        """0 to 2 ends."""
        return int(self.cut_back) + int(self.cut_front)


def ends_of(car: CarRecord, ring: Array) -> tuple[Array, Array]:
    """Middles of the two short sides of an outline (4, 2)."""
    sides = np.roll(ring, -1, axis=0) - ring
    first = sides[0] - sides[2]
    second = sides[1] - sides[3]
    if car.heading_deg is None:
        along_first = np.hypot(*first) >= np.hypot(*second)
    else:
        heading = np.radians(car.heading_deg)
        way = np.array([np.sin(heading), np.cos(heading)])
        across = abs(first @ way) / max(np.hypot(*first), 1e-9)
        along_first = across >= abs(second @ way) / max(np.hypot(*second), 1e-9)
    if along_first:
        return (ring[0] + ring[3]) / 2, (ring[1] + ring[2]) / 2
    return (ring[0] + ring[1]) / 2, (ring[2] + ring[3]) / 2


def place_cars(record: TileRecord, *, tile: int, frame: Frame, footprint: Footprint) -> tuple[Placed, ...]:
    """The cars of a tile; a body drawn on beyond the tile's edge is taken up to it.

    Raises InputError for a car that is not outlined by four corners.
    """
    stops = [frame.metres(track.line)[[0, -1]] for track in record.tracks if len(track.line) > 1]
    lines_end = np.concatenate(stops) if stops else np.zeros((0, 2))
    return tuple(
        _placed(car, tile=tile, frame=frame, footprint=footprint, stops=lines_end) for car in record.cars
    )


def _placed(car: CarRecord, *, tile: int, frame: Frame, footprint: Footprint, stops: Array) -> Placed:
    if len(car.ring) != 4:
        raise InputError(f"a car is outlined by 4 corners, this one by {len(car.ring)}")
    back, front = ends_of(car, frame.metres(car.ring))
    room = np.maximum(footprint.inside_m(np.stack([back, front])), 0.0)
    edge = room < AT_EDGE_M
    if "cut" in car.flags and len(stops):
        to_stop = np.array([np.hypot(*(stops - end).T).min() for end in (back, front)])
        stopped = to_stop < 2 * AT_EDGE_M
        room = np.where(stopped, np.minimum(room, to_stop), room)
        edge |= stopped
    inside = footprint.clipped(back, front)
    if inside is not None:
        low, high = max(inside[0], 0.0), min(inside[1], 1.0)
        if low < high:
            back, front = back + low * (front - back), back + high * (front - back)
    return Placed(
        tile=tile,
        record=car,
        back=back,
        front=front,
        cut_back=bool(edge[0]),
        cut_front=bool(edge[1]),
        spare_back_m=float(room[0]),
        spare_front_m=float(room[1]),
    )
