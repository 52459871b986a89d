"""What of a tile can be seen: cloud, quality masks and roofs hide what is under them; shadow does not."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import (
    binary_dilation,
    binary_erosion,
    binary_propagation,
    distance_transform_edt,
    label,
    maximum_filter,
    minimum_filter,
    uniform_filter,
)

from railcount.shade import block_means, disk, opened, shadow_mask, unfolded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.quality import Quality
    from railcount.raster.tile import Pixels
    from railcount.sites import Occluder

    Mask = NDArray[np.bool_]

BLOCK_M = 2.0
WINDOW_M = 10.0
SMOOTH = 0.035
"""Spread over mean within the window: cloud tops stay below, rails, cars, grass and roofs do not."""
BRIGHT = 0.6
"""Of the way from the tile's darkest to its brightest (1st to 99.5th percentile)."""
OVER_GROUND = 1.8
"""Brightness over the tile's darkest (1st percentile), at least: a pale field under haze stays below."""
BLANK = 0.06
"""A tile whose darkest and brightest differ by less than this part shows nothing."""
GREY = 0.1
"""Difference of the visible bands over their mean."""
RAGGED = 0.15
SMALLEST_M = 12.0
"""Spread and width of what can be part of a cloud, its ragged rim too."""
WIDEST_M = 30.0
"""Of a cloud where it is widest, at least: roofs, roads, gravel lots and car tops are narrower."""
PARTLY_SMOOTH = 0.05
"""Of a cloud, at least."""
AROUND_M = (12.0, 50.0)
"""From its rim: where the ground beside a cloud is looked at."""
FEWEST_AROUND_M2 = 400.0
WHITE = 0.8
"""Brightness of most of a cloud, at least, as BRIGHT; pale yards reach 0.78."""
ONE_WAY = 0.38
"""Coherence of the gradients (of 1 m) in a cloud, 0 to 1, at most: those of clouds point any way (0.02-0.20,
in a small one 0.35), where tracks run most point across them (0.41-0.62)."""
AS_AROUND = 0.64
"""Brightness around over that of a white area, at most: where it is higher, the ground itself is pale."""
RIM_M = 6.0
SOFT_MEDIAN, SOFT_QUARTILE = 0.72, 0.92
"""Of a cloud's rim, in the median and the third quartile, at most: the step in brightness within RIM_M over
the whole difference between cloud and ground. A cloud thins out (0.46-0.70 and 0.60-0.91); snow ends at a
shadow, a train or a wall, roofs and lots at their edge (0.72 and 0.94 at least)."""
BESIDE_M = 12.0
GONE = 0.7
"""Brightness over the ground's at RIM_M to BESIDE_M from the rim over a cloud's, in the third quartile, at
most: a cloud is gone there (0.66 at most), snow goes on behind what stands on it (0.74 and more)."""
AS_BRIGHT = 0.8
"""Brightness over that of a sure cloud: where there is one, what is as white is another."""
NOTCH_M, NOTCH_STEP = 10.0, 0.35
"""Half the width of a hole or a bay in white areas, and the step in brightness within RIM_M over the area's
own, by which things that stand in snow are known."""
DOTTED = 0.035
"""Part of all white areas and their holes that shows such things, at most: clouds have 0.023 at most, snow
with trees, bushes and walls in it 0.052 and more (46 scenes of two renderers)."""
FRINGE_M = 8.0
SURE_PLACE_M = 10.0
"""A roof placed better than this hides its pixels; of one placed worse only the length that it hides
is known, and a car that is seen near it stays seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shelter:
    """A roof over tracks on the tile's grid."""

    occluder: Occluder
    area: Mask
    """(rows, cols): True below it."""


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """How much of an image is hidden, and by what; in pixels."""

    n_pixels: int = 0
    """Looked at."""
    n_image: int = 0
    """Of those, with an image."""
    n_cloud: int = 0
    n_masked: int = 0
    """Ruled out by the quality mask, those under cloud not counted twice."""
    n_uncovered: int = 0
    """Of which the quality mask says nothing; ruled out as well."""

    def __add__(self, other: Hidden) -> Hidden:
        """Both looked at."""
        return Hidden(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Hidden)}
        )

    @property
    def cloud(self) -> float:
        """Part of the image under cloud, 0-1."""
        return self.n_cloud / max(self.n_image, 1)

    @property
    def fraction(self) -> float:
        """Part of the image that is hidden, 0-1."""
        return (self.n_cloud + self.n_masked) / max(self.n_image, 1)

    @property
    def because(self) -> str:
        """What hides a part of the tile, in brackets; empty where nothing does."""
        parts = (
            ("cloud hides {:.0%} of the tile", self.cloud),
            ("the quality mask rules out {:.0%} of the tile", self.n_masked / max(self.n_image, 1)),
            ("{:.0%} of it lies outside the quality mask", self.n_uncovered / max(self.n_pixels, 1)),
        )
        words = [text.format(part) for text, part in parts if part >= 0.01]
        return f" ({', '.join(words)})" if words else ""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A tile's pixels and what of them can be seen; arrays are (rows, cols)."""

    pixels: Pixels
    """``valid``: image, and nothing known hides it."""
    hidden: Hidden = Hidden()
    shadow: Mask | None = None
    """True in the shadow of a cloud; None where there is none."""
    shelters: tuple[Shelter, ...] = ()


def look(
    pixels: Pixels, *, grid: Grid, quality: Quality | None = None, occluders: Sequence[Occluder] = ()
) -> View:
    """What of a tile can be seen, given its quality mask and the roofs that stood on its day."""
    cloud = cloud_mask(pixels, grid=grid)
    shadow = shadow_mask(pixels, grid=grid, cloud=cloud)
    usable = pixels.valid & ~cloud
    n_masked = n_uncovered = 0
    if quality is not None:
        n_masked = int((usable & ~quality.usable).sum())
        n_uncovered = round((1.0 - quality.covered) * usable.size)
        usable &= quality.usable
        shadow |= quality.shadow
    shelters = tuple(s for o in occluders if (s := _shelter(o, grid=grid)) is not None)
    for shelter in shelters:
        if shelter.occluder.uncertainty_m <= SURE_PLACE_M:
            usable &= ~shelter.area
    return View(
        pixels=replace(pixels, valid=usable),
        hidden=Hidden(
            n_pixels=usable.size,
            n_image=int(pixels.valid.sum()),
            n_cloud=int((cloud & pixels.valid).sum()),
            n_masked=n_masked,
            n_uncovered=n_uncovered,
        ),
        shadow=shadow & usable if shadow.any() else None,
        shelters=shelters,
    )


def _shelter(occluder: Occluder, *, grid: Grid) -> Shelter | None:
    """An occluder on the tile; None where it lies beside it or the tile has no CRS."""
    from skimage.draw import polygon

    if grid.crs is None:
        return None
    corners = grid.from_lonlat(np.array(occluder.outline()))
    area = np.zeros((grid.height, grid.width), dtype=bool)
    rows, cols = polygon(  # type: ignore[no-untyped-call]
        corners[:, 1] - 0.5, corners[:, 0] - 0.5, area.shape
    )
    area[rows, cols] = True
    return Shelter(occluder=occluder, area=area) if area.any() else None


def cloud_mask(pixels: Pixels, *, grid: Grid) -> Mask:
    """(rows, cols): True where opaque cloud hides the ground: bright, grey, smooth and large.

    All of a tile that shows nothing at all.
    """
    size = max(1, round(BLOCK_M / grid.gsd_m))
    rows, cols = pixels.valid.shape
    if min(rows, cols) < 8 * size:
        return np.zeros((rows, cols), dtype=bool)
    block_m = size * grid.gsd_m
    bands = np.stack([block_means(b, size) for b in pixels.bands[:3]])
    valid = block_means(pixels.valid.astype(np.float32), size) > 0.99
    level = bands.mean(axis=0)
    window = max(3, round(WINDOW_M / block_m))
    mean = uniform_filter(level, window)
    spread = np.sqrt(
        np.maximum(uniform_filter(level.astype(np.float64) ** 2, window) - mean.astype(np.float64) ** 2, 0)
    )
    low, top = np.percentile(level[valid], [1, 99.5]) if valid.any() else (0.0, 0.0)
    if top - low < BLANK * top:
        return pixels.valid.copy()
    tint = bands.max(axis=0) - bands.min(axis=0)
    least = max(low + BRIGHT * (top - low), OVER_GROUND * low)
    white = valid & (mean > least) & (tint < GREY * level)
    areas = opened(white & (spread < RAGGED * mean), disk(SMALLEST_M / 2 / block_m))
    tensor = _gradients(pixels.bands[:3].mean(axis=0), size)
    white_from = low + WHITE * (top - low)
    cloud = np.zeros_like(areas)
    for area in _wide(areas, block_m=block_m):
        smooth = (spread[area] < SMOOTH * mean[area]).mean() >= PARTLY_SMOOTH
        if smooth and np.median(level[area]) >= white_from and _coherence(tensor, area) <= ONE_WAY:
            cloud |= area
    cloud = _fading(cloud, areas, level, valid, block_m=block_m)
    if not cloud.any():
        return np.zeros((rows, cols), dtype=bool)
    as_bright = areas & (mean > AS_BRIGHT * np.median(level[cloud]))
    cloud = binary_propagation(cloud | as_bright, mask=areas)
    if _dotted(cloud, level, valid, block_m=block_m) > DOTTED:
        return np.zeros((rows, cols), dtype=bool)
    cloud = binary_dilation(cloud, disk(FRINGE_M / block_m))
    return unfolded(cloud, size, (rows, cols))


def _wide(areas: Mask, *, block_m: float) -> Iterator[Mask]:
    """One by one, those of connected areas that are no narrower than a cloud."""
    numbers, _ = label(areas)
    for number in np.unique(numbers[opened(areas, disk(WIDEST_M / 2 / block_m))]):
        yield numbers == number


def _gradients(level: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(3, rows // size, cols // size): gx gx, gy gy, gx gy of half a block's pixels, in means of blocks."""
    half = max(1, size // 2)
    fine = np.pad(block_means(level, half), size // half, mode="edge")
    gx, gy = np.zeros_like(fine), np.zeros_like(fine)
    gx[:, 1:-1], gy[1:-1] = fine[:, 2:] - fine[:, :-2], fine[2:] - fine[:-2]
    rows, cols = (n // size for n in level.shape)
    of_blocks = [block_means(one, size // half) for one in (gx * gx, gy * gy, gx * gy)]
    return np.stack(of_blocks)[:, 1 : rows + 1, 1 : cols + 1]


def _coherence(tensor: NDArray[np.float32], area: Mask) -> float:
    """Of the gradients inside an area: 0 where they point any way, 1 where all point the same way or back."""
    inner = binary_erosion(area, np.ones((3, 3)))
    xx, yy, xy = tensor[:, inner].sum(axis=1, dtype=np.float64)
    return float(np.hypot(xx - yy, 2 * xy) / max(xx + yy, 1e-30))


def _dotted(areas: Mask, level: NDArray[np.float32], valid: Mask, *, block_m: float) -> float:
    """Part of white areas, closed, in which things stand out sharply: a gap in a cloud has a soft rim."""
    near = distance_transform_edt(~areas) * block_m < NOTCH_M
    closed = areas | (distance_transform_edt(near) * block_m > NOTCH_M)
    sharp = _step(level, block_m=block_m) > NOTCH_STEP * np.median(level[areas])
    return float((closed & ~areas & valid & sharp).sum() / closed.sum())


def _step(level: NDArray[np.float32], *, block_m: float) -> NDArray[np.float32]:
    """The step in brightness within RIM_M of every block."""
    within = max(3, round(RIM_M / block_m))
    return np.asarray(maximum_filter(level, within) - minimum_filter(level, within))


def _fading(areas: Mask, white: Mask, level: NDArray[np.float32], valid: Mask, *, block_m: float) -> Mask:
    """Those of the areas that are far brighter than the ground and fade into it; ``white`` is no ground."""
    beside = distance_transform_edt(~white) * block_m
    step = _step(level, block_m=block_m)
    kept = np.zeros_like(areas)
    numbers, n = label(areas)
    for number in range(1, n + 1):
        area = numbers == number
        away = distance_transform_edt(~area) * block_m
        rim = valid & (away > 0) & (away <= RIM_M)
        around = valid & (away > AROUND_M[0]) & (away < AROUND_M[1]) & (beside > AROUND_M[0])
        if around.sum() * block_m**2 < FEWEST_AROUND_M2:
            around = valid & ~white
        if not rim.any() or not around.any():
            continue
        bright, ground = float(np.median(level[area])), float(np.median(level[around]))
        if ground > AS_AROUND * bright:
            continue
        near = valid & (away > RIM_M) & (away <= BESIDE_M) & (beside > RIM_M)
        above = float(np.percentile(level[near], 75)) - ground if near.any() else 0.0
        middle, quartile = np.percentile(step[rim], [50, 75])
        if max(middle / SOFT_MEDIAN, quartile / SOFT_QUARTILE, above / GONE) < bright - ground:
            kept |= area
    return kept
