"""The map of one pass: its image north up in metres, its cars and tracks on it, a strip crop of each car."""

from __future__ import annotations

import base64
import io
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from railcount.errors import RailcountError
from railcount.outputs.picture import NO_DATA_RGB, stretch_of
from railcount.raster.limits import Driver
from railcount.raster.tile import Window
from railcount.sites.place import metres_per_degree
from railcount.text import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.observation import PassCount
    from railcount.outputs.picture import Stretch
    from railcount.raster.opening import RasterTile
    from railcount.records import CarRecord, Position, TileRecord

    Array = NDArray[np.float64]

_LOG = logging.getLogger(__name__)
LONGEST_PX = 2200
"""Of the picture."""
MAX_PICTURE_BYTES = 1_900_000
"""Of the picture as JPEG, so that a page stays below 6 MB; a busy one is compressed harder."""
QUALITIES = (85, 75, 60, 45, 30)
AROUND_M = 50.0
"""What is shown around the tracks."""
MAX_CROPS = 500
"""Of the least sure cars: 2 kB each."""
CROP_AROUND_M = 5.0
CROP_HALF_WIDTH_M = 4.0
CROP_STEP_M = 0.2
_NODES = 64
"""Between so many picture pixels the map to the tile is taken as straight; its error is below 1 mm."""
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Metres east and north of a point; with pixels, metres right and up of the tile's corner."""

    origin: Position
    scale: tuple[float, float]
    is_pixels: bool = False

    @classmethod
    def of(cls, one: PassCount) -> Plane:
        """Around the pass."""
        # One that could not be opened has no place.
        tile = next((each for each in one.tiles if each.footprint), one.tiles[0])
        if tile.crs is None:
            gsd = tile.gsd_m or 1.0
            return cls(origin=(0.0, 0.0), scale=(gsd, -gsd), is_pixels=True)
        points = [point for each in one.tiles for point in each.footprint] or [(0.0, 0.0)]
        lon, lat = (float(v) for v in np.mean(points, axis=0))
        return cls(origin=(lon, lat), scale=metres_per_degree(lat))

    def metres(self, points: Sequence[Position]) -> Array:
        """(n, 2) metres of positions as records have them."""
        given = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        return np.asarray((given - self.origin) * self.scale)

    def positions(self, metres: Array) -> Array:
        """The positions of (..., 2) metres."""
        return np.asarray(metres / self.scale + self.origin)


def scene_of(one: PassCount) -> dict[str, Any]:
    """Picture, cars, tracks and crops as plain values; ``words`` says what could not be shown.

    Pixels are read only of tiles that lie where the history says, with the content that was counted.
    """
    plane = Plane.of(one)
    box = box_of(one, plane)
    opened, words = open_tiles(one.tiles)
    finest = min((tile.grid.gsd_m for tile, _ in opened), default=0.5)
    step = max(finest, float(max(box[2:] - box[:2])) / LONGEST_PX)
    picture, crops = None, {}
    if opened:
        rgb, stretches = mosaic(opened, plane=plane, box=box, step=step)
        picture = _address(jpeg(rgb, qualities=QUALITIES, most=MAX_PICTURE_BYTES))
        crops = _crops(one.cars, opened, stretches, plane=plane)
        if len(crops) < len(one.cars):
            words.append(f"Crops are shown of {len(crops)} of {len(one.cars)} cars, the least sure first.")
    return {
        "box": [round(float(v), 2) for v in box],
        "picture": picture,
        "cars": [_car(car, plane=plane, crop=crops.get(n)) for n, car in enumerate(one.cars)],
        "tracks": [
            {"id": escape(track.id), "line": rounded(plane.metres(track.line))}
            for tile in one.tiles
            for track in tile.tracks
            if len(track.line) > 1
        ],
        "tiles": [
            {"name": escape(tile.tile), "ring": rounded(plane.metres(tile.footprint))}
            for tile in one.tiles
            if tile.footprint
        ],
        "crop_around_m": CROP_AROUND_M,
        "words": words,
    }


def box_of(one: PassCount, plane: Plane) -> Array:
    """West, south, east, north in metres: the surroundings of the tracks, within the tiles."""
    marks = [track.line for tile in one.tiles for track in tile.tracks] + [car.ring for car in one.cars]
    feet = [tile.footprint for tile in one.tiles if tile.footprint]
    whole = plane.metres([p for ring in feet for p in ring]) if feet else np.array([[0.0, 0.0], [1.0, 1.0]])
    low, high = whole.min(axis=0), whole.max(axis=0)
    if points := [p for mark in marks for p in mark]:
        at = plane.metres(points)
        around = np.array([at.min(axis=0) - AROUND_M, at.max(axis=0) + AROUND_M])
        inner_low, inner_high = np.maximum(low, around[0]), np.minimum(high, around[1])
        if np.all(inner_high > inner_low):
            low, high = inner_low, inner_high
    return np.concatenate([low, high])


def open_tiles(tiles: Sequence[TileRecord]) -> tuple[list[tuple[RasterTile, TileRecord]], list[str]]:
    """Those that lie where the history says, as they were counted, and a sentence for each of the others.

    The sentences go to the log as well.
    """
    from railcount.raster import open_tile

    found, words = [], []
    for record in tiles:
        try:
            tile = open_tile(
                record.tile,
                gsd_m=record.gsd_m if record.crs is None and record.footprint else None,
                drivers=get_args(Driver),
            )
            same = tile.sha256 == record.sha256
        except (RailcountError, OSError, ValueError) as error:
            words.append(f"{escape(record.tile)} is not shown: {escape(str(error))}.")
            continue
        if same:
            found.append((tile, record))
        else:
            words.append(f"{escape(record.tile)} is not shown: it is not the file that was counted.")
    for sentence in words:
        _LOG.warning("%s", sentence)
    return found, words


def mosaic(
    opened: Sequence[tuple[RasterTile, TileRecord]], *, plane: Plane, box: Array, step: float
) -> tuple[NDArray[np.uint8], list[Stretch]]:
    """(rows, cols, 3), north up, and how each tile's units became grey levels."""
    cols, rows = (max(1, round(float(v))) for v in (box[2:] - box[:2]) / step)
    out = np.full((rows, cols, 3), NO_DATA_RGB, dtype=np.uint8)
    stretches = []
    for tile, record in opened:
        bands, valid = _sampled(tile, record, plane=plane, box=box, step=step, shape=(rows, cols))
        stretch = _true(stretch_of(bands, valid))
        stretches.append(stretch)
        out[valid] = stretch.to_rgb(bands, valid)[valid]
    return out, stretches


def _true(stretch: Stretch) -> Stretch:
    """One range for all bands, so that colours stay what they are."""
    n = len(stretch.low)
    return replace(stretch, low=(min(stretch.low),) * n, high=(max(stretch.high),) * n)


def _sampled(
    tile: RasterTile, record: TileRecord, *, plane: Plane, box: Array, step: float, shape: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rows, cols = shape
    blur = 0.4 * step / tile.grid.gsd_m if step > 1.5 * tile.grid.gsd_m else 0.0
    parts, seen = [], []
    with tile.held_open():
        for top in range(0, rows, _ROWS_AT_ONCE):
            n = min(_ROWS_AT_ONCE, rows - top)
            px = pixel_grid(tile, record, plane=plane, box=box, step=step, rows=(top, n), cols=cols)
            bands, valid = read_at(tile, px, blur_px=blur)
            parts.append(bands)
            seen.append(valid)
    return np.concatenate(parts, axis=1), np.concatenate(seen)


def pixel_grid(
    tile: RasterTile,
    record: TileRecord,
    *,
    plane: Plane,
    box: Array,
    step: float,
    rows: tuple[int, int],
    cols: int,
) -> Array:
    """(rows, cols, 2): where in the tile each pixel of some rows of the picture lies."""
    from scipy.ndimage import map_coordinates

    top, n = rows
    r, c = (np.arange(0, size + _NODES, _NODES) for size in (n, cols))
    east, north = box[0] + (c + 0.5) * step, box[3] - (top + r + 0.5) * step
    metres = np.stack(np.meshgrid(east, north), axis=-1)
    nodes = to_tile_pixels(tile, record, plane.positions(metres))
    at = np.meshgrid(np.arange(n) / _NODES, np.arange(cols) / _NODES, indexing="ij")
    axes = [map_coordinates(nodes[..., k], at, order=1) for k in (0, 1)]
    return np.stack(axes, axis=-1)


def to_tile_pixels(tile: RasterTile, record: TileRecord, positions: Array) -> Array:
    """Positions (..., 2) as records have them to pixel coordinates of the tile."""
    return positions if record.crs is None else tile.grid.from_lonlat(positions)


def read_at(
    tile: RasterTile, px: Array, *, blur_px: float = 0.0
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bands and validity at pixel coordinates (..., 2), reading no more than needed."""
    size = np.array([tile.grid.width, tile.grid.height])
    pad = 3 + int(4 * blur_px)
    flat = px.reshape(-1, 2)
    low = np.clip(np.floor(flat.min(axis=0)).astype(int) - pad, 0, size - 1)
    high = np.clip(np.ceil(flat.max(axis=0)).astype(int) + pad, low + 1, size)
    pixels = tile.read(Window(int(low[0]), int(low[1]), *(int(v) for v in high - low)))
    return pixels.sample(px - low, blur_px=blur_px)


def _crops(
    cars: Sequence[CarRecord],
    opened: Sequence[tuple[RasterTile, TileRecord]],
    stretches: Sequence[Stretch],
    *,
    plane: Plane,
) -> dict[int, str]:
    """Car's number to a picture of its piece of track, straightened."""
    order = sorted(range(len(cars)), key=lambda n: (cars[n].confidence, n))[:MAX_CROPS]
    made: dict[int, str] = {}
    for (tile, record), stretch in zip(opened, stretches, strict=True):
        with tile.held_open():
            for n in order:
                if n in made:
                    continue
                px = to_tile_pixels(tile, record, plane.positions(places_along(plane.metres(cars[n].ring))))
                middle = px[px.shape[0] // 2, px.shape[1] // 2]
                if np.all((middle >= 0) & (middle < [tile.grid.width, tile.grid.height])):
                    with suppress(RailcountError):
                        bands, valid = read_at(tile, px)
                        made[n] = _address(jpeg(stretch.to_rgb(bands, valid)))
    return made


def places_along(ring: Array, *, around_m: float = CROP_AROUND_M) -> Array:
    """(across, along, 2) metres: places around a car, the long side across the picture, east to the right."""
    first, second = ring[1] - ring[0], ring[2] - ring[1]
    along = first if np.hypot(*first) >= np.hypot(*second) else second
    length = float(np.hypot(*along))
    along = along / max(length, 1e-9)
    along = along if along[0] >= 0 else -along
    across = np.array([along[1], -along[0]])
    half = length / 2 + around_m
    x = np.arange(-half, half, CROP_STEP_M) + CROP_STEP_M / 2
    y = np.arange(-CROP_HALF_WIDTH_M, CROP_HALF_WIDTH_M, CROP_STEP_M) + CROP_STEP_M / 2
    return np.asarray(ring.mean(axis=0) + x[None, :, None] * along + y[:, None, None] * across)


def _car(car: CarRecord, *, plane: Plane, crop: str | None) -> dict[str, Any]:
    return {
        "ring": rounded(plane.metres(car.ring)),
        "name": f"{car.train}.{car.position}",
        "track": escape(car.track),
        "kind": car.kind,
        "covered": {True: "yes", False: "no", None: "not known"}[car.covered],
        "length_m": round(car.length_m, 1),
        "confidence": round(car.confidence, 2),
        "flags": [escape(flag.replace("_", " ")) for flag in car.flags],
        "crop": crop,
    }


def rounded(points: Array) -> list[list[float]]:
    """Points (n, 2) in metres, to the centimetre."""
    return [[round(float(x), 2), round(float(y), 2)] for x, y in points]


def jpeg(rgb: NDArray[np.uint8], *, qualities: Sequence[int] = (80,), most: int | None = None) -> bytes:
    """At the first quality with which it has at most ``most`` bytes, else the last."""
    from PIL import Image

    image = Image.fromarray(rgb)
    for quality in qualities:
        out = io.BytesIO()
        image.save(out, format="JPEG", quality=quality, optimize=True)
        if most is None or out.tell() <= most:
            break
    return out.getvalue()


def _address(picture: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")
