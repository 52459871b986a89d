"""What is true of a drawn scene: its cars and tracks, in pixels, in the raster's CRS and in degrees."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.counts import Kind
    from railcount.raster.grid import Grid
    from railcount.simulate.consist import Placed
    from railcount.simulate.layout import Line
    from railcount.simulate.render import RenderedScene


@dataclass(frozen=True, kw_only=True, eq=False)
class TruthCar:
    """One vehicle that stands in the frame."""

    id: str
    track: str
    train: int
    position: int
    kind: Kind
    covered: bool
    """True where nothing can be seen of the load from above; a locomotive is not covered."""
    vehicle: str
    """Its type in rolling_stock.toml."""
    load: str
    length_m: float
    """Of the body, without the couplers."""
    width_m: float
    height_m: float
    heading_deg: float
    outline_px: NDArray[np.float64]
    """(4, 2) corners of the body's top in pixel coordinates, where it is seen, not closed."""
    outline_world: NDArray[np.float64]
    """(4, 2) in the raster's CRS."""
    in_frame: float
    """Part of the body inside the tile's valid pixels, 0-1."""
    visible: float
    """Part of the body inside the frame and not under cloud or a canopy, 0-1; shadow hides nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TruthLine:
    """A track's centre line."""

    id: str
    line_px: NDArray[np.float64]
    line_world: NDArray[np.float64]

    @classmethod
    def of(cls, line: Line, grid: Grid) -> TruthLine:
        """The line on the picture's grid, reaching slightly beyond the frame."""
        pixels = grid.to_pixel(line.points)
        keep = (pixels >= -8).all(axis=1) & (pixels <= np.array([grid.width + 8, grid.height + 8])).all(
            axis=1
        )
        some = np.flatnonzero(keep)
        if some.size:
            pixels = pixels[some[0] : some[-1] + 1]
        if len(pixels) > 2:
            # Half-metre steps are more than a reader needs: keep what bends by over a fiftieth of a pixel.
            pixels = np.asarray(shapely.LineString(pixels).simplify(0.02).coords)
        return cls(id=line.id, line_px=pixels, line_world=grid.to_world(pixels))


def visible_fractions(
    placed: Sequence[Placed],
    grid: Grid,
    *,
    hidden: NDArray[np.float32],
    valid: NDArray[np.bool_],
    slant: NDArray[np.float64],
) -> tuple[TruthCar, ...]:
    """The vehicles that reach into the frame, each with how much of it can be seen.

    ``hidden`` (rows, cols) is how much of each pixel cloud or a roof hides, 0-1; ``slant`` (2,) how far a
    metre of height leans. Outlines are of the body's top, where the picture shows it.
    """
    f = (np.arange(24) + 0.5) / 24 - 0.5
    g = (np.arange(6) + 0.5) / 6 - 0.5
    cars = []
    for car in placed:
        right = np.array([-car.along[1], car.along[0]])
        moved = slant * car.top_m
        inside = (
            car.centre
            + moved
            + f[:, None, None] * car.vehicle.body_m * car.along
            + g[None, :, None] * car.vehicle.width_m * right
        ).reshape(-1, 2)
        at = np.floor(grid.to_pixel(inside)).astype(int)
        framed = (at >= 0).all(axis=1) & (at[:, 0] < grid.width) & (at[:, 1] < grid.height)
        rows, cols = at[framed, 1], at[framed, 0]
        good = valid[rows, cols]
        if not good.any():
            continue
        outline = grid.to_pixel(car.corners + moved)
        cars.append(
            TruthCar(
                id=car.id,
                track=car.track,
                train=car.train,
                position=car.position,
                kind=car.kind,
                covered=car.kind == "covered",
                vehicle=car.vehicle.name,
                load=car.load,
                length_m=car.vehicle.body_m,
                width_m=car.vehicle.width_m,
                height_m=car.top_m,
                heading_deg=car.heading_deg,
                outline_px=outline,
                outline_world=grid.to_world(outline),
                in_frame=float(good.sum() / len(at)),
                visible=float((good * (1 - hidden[rows, cols])).sum() / len(at)),
            )
        )
    return tuple(cars)


def _lonlat(grid: Grid, world: NDArray[np.float64], *, ring: bool) -> list[list[float]]:
    import pyproj

    to_degrees = pyproj.Transformer.from_crs(grid.crs, "OGC:CRS84", always_xy=True)
    lon, lat = to_degrees.transform(world[:, 0], world[:, 1])
    points = [[round(float(x), 8), round(float(y), 8)] for x, y in zip(lon, lat, strict=True)]
    if ring:
        # RFC 7946: outer rings run counterclockwise and are closed.
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True))
        points = points if area > 0 else points[::-1]
        points.append(points[0])
    return points


def cars_geojson(drawn: RenderedScene) -> str:
    """RFC 7946 text: one polygon per vehicle, longitude and latitude."""
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {
                "id": car.id,
                "track": car.track,
                "train": car.train,
                "position": car.position,
                "kind": car.kind,
                "covered": car.covered,
                "vehicle": car.vehicle,
                "load": car.load,
                "length_m": round(car.length_m, 2),
                "width_m": round(car.width_m, 2),
                "height_m": round(car.height_m, 2),
                "heading_deg": round(car.heading_deg, 2),
                "in_frame": round(car.in_frame, 3),
                "visible_fraction": round(car.visible, 3),
                "outline_px": [[round(float(x), 2), round(float(y), 2)] for x, y in car.outline_px],
            },
            "geometry": {
                "type": "Polygon",
                "coordinates": [_lonlat(drawn.grid, car.outline_world, ring=True)],
            },
        }
        for car in drawn.cars
    ]
    return _collection("simulated railcars", features)


def tracks_geojson(drawn: RenderedScene) -> str:
    """RFC 7946 text: one line per track, longitude and latitude."""
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"id": line.id, "track": line.id},
            "geometry": {
                "type": "LineString",
                "coordinates": _lonlat(drawn.grid, line.line_world, ring=False),
            },
        }
        for line in drawn.tracks
        if len(line.line_px) > 1
    ]
    return _collection("simulated tracks", features)


def _collection(name: str, features: list[dict[str, Any]]) -> str:
    head = {"type": "FeatureCollection", "name": name}
    rows = ",\n".join(json.dumps(feature) for feature in features)
    return json.dumps(head)[:-1] + ', "features": [\n' + rows + "\n]}\n"
