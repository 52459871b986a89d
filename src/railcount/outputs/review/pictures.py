"""What a review shows of a pass: any place north up, any car on its straightened track."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from railcount.errors import RailcountError
from railcount.outputs.picture import NO_DATA_RGB
from railcount.outputs.report.scene import (
    Plane,
    box_of,
    jpeg,
    mosaic,
    open_tiles,
    pixel_grid,
    places_along,
    read_at,
    to_tile_pixels,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from railcount.observation import PassCount
    from railcount.records import Position

WIDTHS_M = (40, 80, 160, 320, 640)
"""Of the ground that a view can show."""
VIEW_PX = (900, 600)
"""Columns and rows of a view, at most: one of few pixels is left to the browser to enlarge."""
_FINER = 2.0
"""Pixels of a view to one of the tile, at most."""
AROUND_M = 15.0
"""Of track to either side of a car on its strip."""
_STRETCH_PX = 800
"""Longest side of the picture from which grey levels are chosen."""
_QUALITIES = (88,)


class Pictures:
    """The pixels of a pass, read where they are asked for. For one thread at a time."""

    def __init__(self, one: PassCount) -> None:
        """Opens the tiles that lie where the history says; ``words`` names the others."""
        self.plane = Plane.of(one)
        self.box = box_of(one, self.plane)
        """West, south, east, north of the surroundings of the tracks, metres."""
        self._opened, self.words = open_tiles(one.tiles)
        step = float(max(self.box[2:] - self.box[:2])) / _STRETCH_PX
        self._finest_m = min((tile.grid.gsd_m for tile, _ in self._opened), default=0.5)
        _, self._stretches = mosaic(
            self._opened, plane=self.plane, box=self.box, step=max(step, self._finest_m)
        )

    @property
    def any(self) -> bool:
        """There are pixels to show."""
        return bool(self._opened)

    def view(self, x: float, y: float, *, width_m: float) -> bytes:
        """A JPEG, north up, around a place in metres of the plane; grey where nothing is known."""
        step = max(width_m / VIEW_PX[0], self._finest_m / _FINER)
        cols = round(width_m / step)
        rows = round(cols * VIEW_PX[1] / VIEW_PX[0])
        half_m, half_height_m = cols * step / 2, rows * step / 2
        box = np.array([x - half_m, y - half_height_m, x + half_m, y + half_height_m])
        out = np.full((rows, cols, 3), NO_DATA_RGB, dtype=np.uint8)
        for (tile, record), stretch in zip(self._opened, self._stretches, strict=True):
            px = pixel_grid(tile, record, plane=self.plane, box=box, step=step, rows=(0, rows), cols=cols)
            blur = 0.4 * step / tile.grid.gsd_m if step > 1.5 * tile.grid.gsd_m else 0.0
            with suppress(RailcountError):
                bands, valid = read_at(tile, px, blur_px=blur)
                out[valid] = stretch.to_rgb(bands, valid)[valid]
        return jpeg(out, qualities=_QUALITIES)

    def strip(self, ring: Sequence[Position]) -> bytes:
        """A JPEG of the straightened track around a car, which is in its middle."""
        places = places_along(self.plane.metres(ring), around_m=AROUND_M)
        out = np.full((*places.shape[:2], 3), NO_DATA_RGB, dtype=np.uint8)
        for (tile, record), stretch in zip(self._opened, self._stretches, strict=True):
            with suppress(RailcountError):
                bands, valid = read_at(tile, to_tile_pixels(tile, record, self.plane.positions(places)))
                out[valid] = stretch.to_rgb(bands, valid)[valid]
        return jpeg(out, qualities=_QUALITIES)
