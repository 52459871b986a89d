"""What of a tile can be seen: cloud hides what is under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_dilation, binary_opening, uniform_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels

BLOCK_M = 2.0
WINDOW_M = 10.0
SMOOTH = 0.035
"""Spread over mean within the window: cloud tops stay below, rails, cars, grass and roofs do not."""
BRIGHT = 0.6
"""Of the way from the tile's darkest to its brightest (1st to 99.5th percentile)."""
BLANK = 0.06
"""A tile whose darkest and brightest differ by less than this part shows nothing."""
GREY = 0.12
"""Difference of the visible bands over their mean."""
SMALLEST_M = 40.0
"""Narrower bright, smooth, grey areas are roofs, roads, gravel lots and car tops."""
FRINGE_M = 8.0


def cloud_mask(pixels: Pixels, *, grid: Grid) -> NDArray[np.bool_]:
    """(rows, cols): True where opaque cloud hides the ground: bright, grey, smooth and large."""
    size = max(1, round(BLOCK_M / grid.gsd_m))
    rows, cols = pixels.valid.shape
    if min(rows, cols) < 8 * size:
        return np.zeros((rows, cols), dtype=bool)

    def blocks(a: NDArray[np.float32]) -> NDArray[np.float32]:
        cut = a[: rows // size * size, : cols // size * size]
        return np.asarray(
            cut.reshape(rows // size, size, cols // size, size).mean(axis=(1, 3)), dtype=np.float32
        )

    bands = np.stack([blocks(b) for b in pixels.bands[:3]])
    valid = blocks(pixels.valid.astype(np.float32)) > 0.99
    level = bands.mean(axis=0)
    window = max(3, round(WINDOW_M / (size * grid.gsd_m)))
    mean = uniform_filter(level, window)
    spread = np.sqrt(
        np.maximum(uniform_filter(level.astype(np.float64) ** 2, window) - mean.astype(np.float64) ** 2, 0)
    )
    low, top = np.percentile(level[valid], [1, 99.5]) if valid.any() else (0.0, 0.0)
    if top - low < BLANK * top:
        return pixels.valid.copy()
    tint = bands.max(axis=0) - bands.min(axis=0)
    cloud = valid & (spread < SMOOTH * mean) & (mean > low + BRIGHT * (top - low)) & (tint < GREY * level)
    reach = max(1, round(SMALLEST_M / 2 / (size * grid.gsd_m)))
    cloud = binary_opening(cloud, _disk(reach))
    if not cloud.any():
        return np.zeros((rows, cols), dtype=bool)
    cloud = binary_dilation(cloud, _disk(max(1, round(FRINGE_M / (size * grid.gsd_m)))))
    whole = np.zeros((rows, cols), dtype=bool)
    fine = np.repeat(np.repeat(cloud, size, axis=0), size, axis=1)
    whole[: fine.shape[0], : fine.shape[1]] = fine
    return whole


def _disk(radius: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x**2 + y**2 <= radius**2 + 1)
