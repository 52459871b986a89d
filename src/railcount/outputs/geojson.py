"""One polygon per vehicle, as RFC 7946 GeoJSON.

The counts themselves ride along in a foreign member, ``railcount``: a collection
without features must not read as a yard without railcars.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from railcount.errors import InputError
from railcount.outputs.columns import scan_car
from railcount.outputs.json import document, to_text
from railcount.text import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS, Transformer

    from railcount.counts import Car, TileCount
    from railcount.raster.grid import Grid

LON_LAT_DIGITS = 7
"""1e-7 degrees is about 1 cm."""
PIXEL_DIGITS = 2


def dumps(counts: Sequence[TileCount]) -> str:
    """The vehicles of all tiles as GeoJSON text."""
    return to_text(collection(counts))


def collection(counts: Sequence[TileCount]) -> dict[str, Any]:
    """A FeatureCollection in longitude and latitude, or in pixels where tiles have no CRS.

    Raises InputError where some of the tiles have a CRS and some have none.
    """
    grids = [count.grid for count in counts if count.cars and count.grid is not None]
    pixels = any(grid.crs is None for grid in grids)
    if pixels and any(grid.crs is not None for grid in grids):
        msg = "tiles in one GeoJSON must all have a CRS or all have none; write them to separate files"
        raise InputError(msg)
    features = [_feature(count, car) for count in counts for car in count.cars]
    result = document(counts)
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "railcount": result,
        "coordinate_frame": "pixel, x right, y down" if pixels else "WGS 84 lon/lat",
        "features": features,
    }
    if len(counts) == 1 and counts[0].railcars is not None:
        collection["railcars"] = result["results"][0]["railcars"]
    return collection


def _feature(count: TileCount, car: Car) -> dict[str, Any]:
    if count.grid is None:
        msg = f"{escape(count.tile)} has vehicles but no grid to place them on"
        raise InputError(msg)
    return {
        "type": "Feature",
        "properties": scan_car(count, car),
        "geometry": {"type": "Polygon", "coordinates": [ring(car.outline_px, grid=count.grid)]},
    }


def ring(outline_px: NDArray[np.float64], *, grid: Grid) -> list[list[float]]:
    """The closed ring of an outline (n, 2), counter-clockwise in the coordinates it is written in."""
    points = to_lon_lat(outline_px, grid=grid) if grid.crs is not None else np.asarray(outline_px, np.float64)
    corners = counter_clockwise(points)
    digits = LON_LAT_DIGITS if grid.crs is not None else PIXEL_DIGITS
    closed = [[round(float(x), digits) + 0.0, round(float(y), digits) + 0.0] for x, y in corners]
    return [*closed, closed[0]]


def counter_clockwise(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners (n, 2) in the order that has positive area, the first corner kept."""
    x, y = (points - points.mean(axis=0)).T
    twice_area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    return points if twice_area >= 0 else np.concatenate([points[:1], points[:0:-1]])


def to_lon_lat(pixels: NDArray[np.float64], *, grid: Grid) -> NDArray[np.float64]:
    """Pixel coordinates (..., 2) to WGS 84 longitude and latitude (..., 2), in degrees."""
    if grid.crs is None:
        msg = "longitude and latitude need a CRS, and this tile has none"
        raise InputError(msg)
    world = grid.to_world(pixels)
    return np.stack(_transformer(grid.crs).transform(world[..., 0], world[..., 1]), axis=-1)


@lru_cache(maxsize=8)
def _transformer(crs: CRS) -> Transformer:
    # Building one takes longer than placing a hundred cars with it.
    from pyproj import Transformer

    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
