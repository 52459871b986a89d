"""Whether there is anything to see: contrast along the tracks against noise, and in a tile as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter

from railcount.shade import block_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels
    from railcount.strips import Strip

    Array = NDArray[np.float64]

MEAN_OVER_M = 1.0
APART_M = 2.0
"""Profiles across the track, each the mean of so many metres along it, so far apart. Rails, the bed's
shoulders, cars and their shadows run on from one to the next; noise does not."""
COARSEST_M = 1.5
"""Of pixels: in coarser ones neighbouring profiles share pixels, and their noise."""
FEWEST_PAIRS = 20
"""Of profiles: fewer say nothing."""
OUTLIER = 4.0
"""Profiles are cut off at so many times their median deviation: lamps at night."""
NOTHING = 0.35
"""Coherence below which there is nothing but noise. Noise alone: -0.02 to 0.03; real and simulated tracks,
with cars and without, in haze, snow and low sun: 0.54 to 0.97."""
LITTLE = 0.5
FLAT = 0.01
"""Spread over brightness below which there is nothing: a hundredth. Heavy haze leaves 0.05."""
NEARLY_FLAT = 0.02
NOISE_ONLY = 0.31
"""Variance of squares of 4 m over that of squares of 1 m: 1/16 for white noise, 0.2-0.3 for noise that was
resampled or compressed, 0.35-0.7 for any ground."""
ONE_STEP = 1.0
"""Spread in the steps of whole-numbered pixels below which nothing was recorded."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """How strips stand out of their noise."""

    coherence: float
    """Correlation of the profiles across the track from one place to the next: 0 for noise, at most 1."""
    relative: float
    """Spread of what the profiles share over the mean brightness."""
    n_pairs: int
    """Pairs of profiles that were compared."""

    @property
    def nothing(self) -> bool:
        """True where nothing along the tracks can be told from noise."""
        return self.n_pairs >= FEWEST_PAIRS and (self.coherence < NOTHING or self.relative < FLAT)

    @property
    def little(self) -> bool:
        """True where cars may well be missed."""
        return self.n_pairs >= FEWEST_PAIRS and (self.coherence < LITTLE or self.relative < NEARLY_FLAT)


def contrast(strips: Sequence[Strip], columns: Sequence[NDArray[np.bool_]], *, gsd_m: float) -> Contrast:
    """Contrast of the ``columns`` of each strip, (along,) each, in pixels of ``gsd_m``."""
    if gsd_m > COARSEST_M * 1.001:
        return Contrast(coherence=0.0, relative=0.0, n_pairs=0)
    pairs = [_pairs(strip, chosen) for strip, chosen in zip(strips, columns, strict=True)]
    pairs = [p for p in pairs if p.shape[2]]
    if not pairs:
        return Contrast(coherence=0.0, relative=0.0, n_pairs=0)
    both = np.concatenate(pairs, axis=2)
    level = float(np.median(both.mean(axis=1)))
    both = _detrended(both)
    limit = OUTLIER * float(np.median(np.abs(both)))
    first, second = np.clip(both, -limit, limit)
    shared = float((first * second).mean())
    whole = float((first**2).mean() + (second**2).mean()) / 2
    return Contrast(
        coherence=shared / whole if whole > 0 else 0.0,
        relative=float(np.sqrt(max(shared, 0.0))) / level if level > 0 else 0.0,
        n_pairs=both.shape[2],
    )


def _pairs(strip: Strip, chosen: NDArray[np.bool_]) -> Array:
    """(2, across / 2, pairs): brightness profiles across the track and those ``APART_M`` further on."""
    mean_over, hop = round(MEAN_OVER_M / strip.step_m), round((MEAN_OVER_M + APART_M) / strip.step_m)
    n = (strip.bands.shape[2] - mean_over) // hop + 1
    at = (np.arange(max(n, 0)) * hop)[:, None] + np.arange(mean_over)
    usable = strip.valid.all(axis=0)
    usable &= chosen
    whole: NDArray[np.bool_] = usable[at].min(axis=1)
    level = strip.bands[:3].mean(axis=0, dtype=np.float64)
    level = (level[::2] + level[1::2]) / 2
    profiles = level[:, at].mean(axis=2)
    both = np.flatnonzero(whole[1:] & whole[:-1])
    return np.stack([profiles[:, both], profiles[:, both + 1]])


def _detrended(pairs: Array) -> Array:
    """Profiles less their best parabola: light and ground that change slowly are no track."""
    y = np.linspace(-1, 1, pairs.shape[1])
    basis, _ = np.linalg.qr(np.stack([np.ones_like(y), y, y**2], axis=1))
    return np.asarray(pairs - np.einsum("ak,bk,ibn->ian", basis, basis, pairs))


def featureless(pixels: Pixels, *, grid: Grid) -> bool:
    """True where a whole tile shows nothing but noise or a flat field, so that no track could be found."""
    level = pixels.bands[:3].mean(axis=0)
    spread = [_spread(level, pixels.valid, side_m, grid=grid) for side_m in (1.0, 2.0, 4.0)]
    if min(len(s) for s in spread) == 0:
        return False
    small, middle, large = (float(np.median(s)) for s in spread)
    values = pixels.bands[:, pixels.valid]
    bright = float(np.median(level[pixels.valid]))
    whole = bool((values[:, :10_000] == np.round(values[:, :10_000])).all())
    return (
        large < NOISE_ONLY * small
        or np.sqrt(middle) < FLAT * bright
        or (whole and np.sqrt(middle) < ONE_STEP)
    )


def _spread(level: NDArray[np.float32], valid: NDArray[np.bool_], side_m: float, *, grid: Grid) -> Array:
    """(n,): variance of squares of ``side_m`` within 24 m around each usable one."""
    size = max(1, round(side_m / grid.gsd_m))
    if min(level.shape) < 3 * size:
        return np.empty(0)
    blocks = block_means(level, size).astype(np.float64)
    usable = block_means(valid.astype(np.float32), size) > 0.99
    window = max(3, round(24.0 / (size * grid.gsd_m)))
    mean = uniform_filter(blocks, window)
    variance = np.maximum(uniform_filter(blocks**2, window) - mean**2, 0)
    return np.asarray(variance[usable])
