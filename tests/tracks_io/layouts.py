"""Track layouts in local metres, and grids to put them on."""

from __future__ import annotations

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from railcount.raster.grid import Grid
from railcount.tracks.network import Track, TrackNetwork

Line = NDArray[np.float64]


def grid(
    *,
    gsd_m: float = 0.5,
    width: int = 1200,
    height: int = 900,
    crs: int | None = 32652,
    turn_deg: float = 0.0,
) -> Grid:
    """A grid near Tumangang, or in pixel coordinates where ``crs`` is None."""
    place = (
        Affine.translation(633_000, 4_697_000) if crs == 32652 else Affine.translation(2_616_000, 1_265_000)
    )
    transform = place @ Affine.rotation(turn_deg) @ Affine.scale(gsd_m, -gsd_m)
    local = np.array([[transform.a, transform.b], [-transform.d, -transform.e]])
    return Grid(
        width=width,
        height=height,
        transform=transform if crs else Affine.identity(),
        crs=CRS.from_epsg(crs) if crs else None,
        local_from_pixel=local,
    )


def network(on: Grid, lines: list[Line]) -> TrackNetwork:
    """Lines in local metres as a network in pixel coordinates."""
    tracks = [
        Track(id=f"T{n}", line_px=on.to_pixel(np.asarray(line, float))) for n, line in enumerate(lines, 1)
    ]
    return TrackNetwork(tracks=tuple(tracks), source="found")


def straight() -> list[Line]:
    """Five slanted tracks 4.5 m apart and one along the rows."""
    slanted = [np.array([[20.0, 100 + 4.5 * i], [560, 160 + 4.5 * i]]) for i in range(5)]
    return [*slanted, np.array([[30.0, 300.1], [500, 300.1]])]


def arc(x: float, y: float, *, radius_m: float, length_m: float, heading: float = 0.0) -> Line:
    """A curve that starts at (x, y); a negative radius turns left."""
    s = np.linspace(0, length_m, int(length_m) + 2)
    angle = heading + s / radius_m
    return np.stack(
        [
            x + radius_m * (np.sin(angle) - np.sin(heading)),
            y - radius_m * (np.cos(angle) - np.cos(heading)),
        ],
        axis=-1,
    )


def curved() -> list[Line]:
    """Curves of 400, 300 and 180 m radius."""
    return [
        arc(30, 40, radius_m=400, length_m=450),
        arc(30, 60, radius_m=300, length_m=350),
        arc(30, 300, radius_m=-180, length_m=200, heading=1.0),
    ]


def switch() -> list[Line]:
    """A straight track and a 1:9 turnout of 300 m radius to a track beside it."""
    out = arc(100, 200, radius_m=300, length_m=300 / 9)
    way = np.array([np.cos(1 / 9), np.sin(1 / 9)])
    back = arc(*(out[-1] + 30 * way), radius_m=-300, length_m=300 / 9, heading=1 / 9)
    return [
        np.array([[20.0, 200.0], [560.0, 200.0]]),
        np.vstack([out, back, back[-1] + [200.0, 0.0]]),
    ]


def distances_m(line: Line, other: Line) -> NDArray[np.float64]:
    """From points a metre apart on one line to another."""
    import shapely

    one, two = shapely.LineString(line), shapely.LineString(other)
    points = shapely.line_interpolate_point(one, np.linspace(0, one.length, int(one.length) + 2))
    return np.asarray(shapely.distance(points, two))
