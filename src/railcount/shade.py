"""Shadows of clouds: large, dark, and soft at their edge. What lies in them can still be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_opening, distance_transform_edt, gaussian_filter, label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels

    Mask = NDArray[np.bool_]

BLOCK_M = 2.0
SMOOTHING_M = 6.0
"""Of the brightness before it is cut: cars, trees and gaps between them are smaller."""
DARK = 0.72
"""Of the tile's median. A cloud takes away the direct light, four fifths of all."""
BLACK = 0.08
"""Of the tile's median: so dark an area is in shadow, whatever its edge and its noise."""
SMALLEST_M = 40.0
EDGE_M = 20.0
"""Looked at on both sides of the edge."""
NEAR_M = 4.0
"""A sharp edge, smoothed as above, has most of its step within this of it."""
SOFT = 0.62
"""Part of the step within ``NEAR_M``, at most: the sun is half a degree wide, so a cloud 2 km up casts a
penumbra of 20 m, and its rim is ragged. Woods, water and asphalt end within a metre or two."""
CALMER = 1.5
"""Texture over brightness, inside over outside, at most: in a wood it is larger than beside it."""


def block_means(a: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(rows // size, cols // size): means of squares of ``size`` pixels."""
    rows, cols = a.shape
    cut = a[: rows // size * size, : cols // size * size]
    return np.asarray(cut.reshape(rows // size, size, cols // size, size).mean(axis=(1, 3)), dtype=np.float32)


def unfolded(blocks: Mask, size: int, shape: tuple[int, int]) -> Mask:
    """Blocks as pixels of a (rows, cols) image; False in what no block covers."""
    whole = np.zeros(shape, dtype=bool)
    fine = np.repeat(np.repeat(blocks, size, axis=0), size, axis=1)
    whole[: fine.shape[0], : fine.shape[1]] = fine
    return whole


def disk(radius: float) -> Mask:
    """A disk of whole pixels, at least 3 wide."""
    r = max(1, round(radius))
    y, x = np.mgrid[-r : r + 1, -r : r + 1]
    return np.asarray(x**2 + y**2 <= r**2 + 1)


def opened(mask: Mask, element: Mask) -> Mask:
    """The opening of a mask, worked on within the rectangle that holds all of it: most masks are empty."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    out = np.zeros(mask.shape, dtype=bool)
    if rows.size:
        part = slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)
        out[part] = binary_opening(mask[part], element)
    return out


def shadow_mask(pixels: Pixels, *, grid: Grid, cloud: Mask) -> Mask:
    """(rows, cols): True in the shadow of a cloud, whether the cloud is in the tile or not."""
    size = max(1, round(BLOCK_M / grid.gsd_m))
    shape = (pixels.valid.shape[0], pixels.valid.shape[1])
    none = np.zeros(shape, dtype=bool)
    if min(shape) < 20 * size:
        return none
    block_m = size * grid.gsd_m
    seen = block_means((pixels.valid & ~cloud).astype(np.float32), size) > 0.99
    level = np.mean([block_means(b, size) for b in pixels.bands[:3]], axis=0)
    if not seen.any() or (middle := float(np.median(level[seen]))) <= 0:
        return none
    smooth = _smoothed(level, seen, SMOOTHING_M / block_m)
    dark = opened(seen & (smooth < DARK * middle), disk(SMALLEST_M / 2 / block_m))
    areas, n = label(dark)
    kept = np.zeros_like(dark)
    for number in range(1, n + 1):
        area = areas == number
        black = float(np.median(level[area])) < BLACK * middle
        if black or _is_soft(area, level, seen, block_m=block_m):
            kept |= area
    return unfolded(kept, size, shape) if kept.any() else none


def _smoothed(level: NDArray[np.float32], seen: Mask, sigma: float) -> NDArray[np.float64]:
    weight = gaussian_filter(seen.astype(np.float64), sigma)
    return np.asarray(gaussian_filter(level * seen.astype(np.float64), sigma) / np.maximum(weight, 1e-3))


def _is_soft(area: Mask, level: NDArray[np.float32], seen: Mask, *, block_m: float) -> bool:
    """Whether an area's edge is that of a shadow: a long step, and no more texture inside than outside."""
    outside = np.asarray(distance_transform_edt(~area)) * block_m
    inside = np.asarray(distance_transform_edt(area)) * block_m
    signed = np.where(area, -inside, outside)

    def mean(low: float, high: float) -> tuple[float, float]:
        here = level[seen & (signed > low) & (signed <= high)]
        return (float(here.mean()), float(here.std())) if here.size > 20 else (np.nan, np.nan)

    far_in, texture_in = mean(-EDGE_M - NEAR_M, -EDGE_M + NEAR_M)
    far_out, texture_out = mean(EDGE_M - NEAR_M, EDGE_M + NEAR_M)
    near_in, _ = mean(-NEAR_M - BLOCK_M, -BLOCK_M)
    near_out, _ = mean(BLOCK_M, NEAR_M + BLOCK_M)
    step = far_out - far_in
    if not np.isfinite([step, near_in, near_out]).all() or step <= (1 - DARK) / 2 * far_out:
        return False
    calm = texture_in / far_in <= CALMER * texture_out / far_out
    return bool(calm and (near_out - near_in) <= SOFT * step)
