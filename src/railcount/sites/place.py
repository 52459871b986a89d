"""What is known of a site: where it is, its zones, what hides its tracks, and what was counted there."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from railcount.baseline import FIVE_YEARS, Comparison, Method, Observation, Window, compare

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from railcount.counts import Interval

Position = tuple[float, float]
"""(longitude, latitude) in degrees, WGS84."""

_EQUATOR_M = 6378137.0
_FLATTENING = 1 / 298.257223563
"""WGS84 ellipsoid."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A named part of a site: a point with a reach, or a polygon."""

    id: str
    title: str
    point: Position
    """For a polygon, the middle of its box."""
    reach_m: float | None
    """How far from the point the zone is taken to reach; None for a polygon."""
    ring: tuple[Position, ...]
    """The polygon, closed; empty for a point."""
    uncertainty_m: float
    """How far off the position may be."""
    certainty: str
    """The same in words."""
    source: str


@dataclass(frozen=True, kw_only=True)
class Occluder:
    """Something that hides tracks from above, from a day on; a count under it is a lower bound."""

    id: str
    title: str
    point: Position
    length_m: float
    width_m: float
    heading_deg: float
    """Of its long side, clockwise from north."""
    since: dt.date
    until: dt.date | None
    """Last day; None where it still stands."""
    uncertainty_m: float
    certainty: str
    source: str

    def stands_on(self, day: dt.date) -> bool:
        """True where it stood on that day."""
        return self.since <= day and (self.until is None or day <= self.until)

    def outline(self) -> tuple[Position, ...]:
        """Its four corners as (longitude, latitude), closed; as uncertain as ``uncertainty_m`` says."""
        along = math.radians(self.heading_deg)
        east, north = math.sin(along), math.cos(along)
        corners = []
        for u, v in ((1, 1), (1, -1), (-1, -1), (-1, 1), (1, 1)):
            half, side = u * self.length_m / 2, v * self.width_m / 2
            corners.append(_moved(self.point, half * east + side * north, half * north - side * east))
        return tuple(corners)


@dataclass(frozen=True, kw_only=True)
class SiteTracks:
    """A file of track lines, and the days on which the layout was so."""

    path: Path
    since: dt.date | None
    until: dt.date | None


@dataclass(frozen=True, kw_only=True)
class Site:
    """A rail yard and its history."""

    name: str
    title: str
    crs: str
    """``EPSG:n``: metres at the site."""
    utc_offset_h: float
    stock: str
    """Name of the rolling-stock table to expect."""
    box: tuple[float, float, float, float]
    """West, south, east, north in degrees: a tile whose middle lies in it is of this site."""
    baseline: str
    """What the observations are, in words."""
    baseline_zones: tuple[str, ...]
    """Zones whose counts are set against each other."""
    zones: tuple[Zone, ...]
    occluders: tuple[Occluder, ...] = ()
    tracks: tuple[SiteTracks, ...] = ()
    caveats: tuple[str, ...] = ()
    """Sentences that belong beside every comparison."""
    observations: tuple[Observation, ...] = ()

    @property
    def area_deg2(self) -> float:
        """Of the box, in square degrees at the equator: to tell which of two is the smaller."""
        west, south, east, north = self.box
        return (east - west) * (north - south) * math.cos(math.radians((south + north) / 2))

    def contains(self, lon: float, lat: float) -> bool:
        """True where the point lies in the site's box, its edge included."""
        west, south, east, north = self.box
        return west <= lon <= east and south <= lat <= north

    def zone_at(self, lon: float, lat: float) -> Zone | None:
        """The zone of a point: the nearest point zone that reaches it, else a polygon that holds it."""
        near = [
            (distance_m(zone.point, (lon, lat)), zone.id, zone)
            for zone in self.zones
            if zone.reach_m is not None and distance_m(zone.point, (lon, lat)) <= zone.reach_m
        ]
        if near:
            return min(near)[2]
        return next((zone for zone in self.zones if zone.ring and holds(zone.ring, lon, lat)), None)

    def zone(self, zone_id: str) -> Zone | None:
        """The zone with this id."""
        return next((zone for zone in self.zones if zone.id == zone_id), None)

    def occluders_on(self, day: dt.date) -> tuple[Occluder, ...]:
        """What hid tracks on that day."""
        return tuple(one for one in self.occluders if one.stands_on(day))

    def caveats_on(self, day: dt.date) -> tuple[str, ...]:
        """Sentences that belong beside a count of that day, what hid tracks included."""
        return (
            *self.caveats,
            *(
                f"{one.title} ({one.length_m:g} m x {one.width_m:g} m, since {one.since}): what stands under "
                "it is not seen."
                for one in self.occluders_on(day)
            ),
        )

    def tracks_on(self, day: dt.date | None) -> Path | None:
        """The site's track lines of that day; without a day, of the last layout. None where it has none."""
        fits = [one for one in self.tracks if day is None or (one.since or day) <= day <= (one.until or day)]
        return fits[-1].path if fits else None

    def local_day(self, moment: dt.datetime | dt.date) -> dt.date:
        """The day at the site; a time without a zone is UTC, a day is taken as the site's own."""
        if not isinstance(moment, dt.datetime):
            return moment
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return moment.astimezone(dt.timezone(dt.timedelta(hours=self.utc_offset_h))).date()

    def compare(
        self,
        count: Interval,
        *,
        acquired: dt.datetime | dt.date,
        extra: Iterable[Observation] = (),
        exclude: Collection[str] = (),
        zones: Collection[str] | None = None,
        window: Window = FIVE_YEARS,
        without: Collection[Method] = (),
    ) -> Comparison:
        """`railcount.baseline.compare` with this site's observations and zones.

        ``extra`` are observations that the site's files do not hold, such as a history's; ``exclude``
        are ids of passes among them, such as the one that is judged. ``zones`` in place of the site's own.
        """
        return compare(
            count,
            date=self.local_day(acquired),
            observations=(*self.observations, *extra),
            zones=self.baseline_zones if zones is None else zones,
            baseline=self.baseline,
            window=window,
            without=without,
            exclude=exclude,
        )


def distance_m(a: Position, b: Position) -> float:
    """Metres between two points, on the ellipsoid's tangent: right to 0.1 % within 50 km."""
    east, north = metres_per_degree((a[1] + b[1]) / 2)
    turn = (b[0] - a[0] + 180.0) % 360.0 - 180.0
    return math.hypot(turn * east, (b[1] - a[1]) * north)


def _moved(point: Position, east_m: float, north_m: float) -> Position:
    east, north = metres_per_degree(point[1])
    return point[0] + east_m / east, point[1] + north_m / north


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres of a degree of longitude and of latitude, from the ellipsoid's radii of curvature."""
    e2 = _FLATTENING * (2 - _FLATTENING)
    phi = math.radians(lat)
    w = math.sqrt(1 - e2 * math.sin(phi) ** 2)
    return (
        math.radians(1) * _EQUATOR_M * math.cos(phi) / w,
        math.radians(1) * _EQUATOR_M * (1 - e2) / w**3,
    )


def holds(ring: tuple[Position, ...], lon: float, lat: float) -> bool:
    """True where the point lies in the closed ring, by the even-odd rule."""
    inside = False
    for (x0, y0), (x1, y1) in pairwise(ring):
        if (y0 > lat) != (y1 > lat) and lon < x0 + (lat - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
    return inside
