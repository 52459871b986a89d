"""Track space: each track straightened into a strip.

The x axis of a strip is metres along the track, the y axis metres across it, to the right of
travel. A curve becomes a straight row and a railcar an upright rectangle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Sampled
    from railcount.tracks.network import Track, TrackNetwork

STEP_M = 0.25
"""Strip pixel. A coupler gap is about 1.1 m (DOMAIN: gondola 12-132), so four samples show it."""
HALF_WIDTH_M = 4.0
"""Holds the body (3.3 m at most), its shadow, and half of the space to the next track."""
LEAST_BLUR_PX = 0.6
"""A narrower blur changes nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """One track's pixels: x = metres along the track, y = metres across it (to the right of travel)."""

    track: Track
    bands: NDArray[np.float32]
    """(bands, across, along) in the tile's units."""
    valid: NDArray[np.bool_]
    """(across, along): True = usable."""
    step_m: float
    """Metres per strip pixel, along and across."""
    half_width_m: float
    """Row r lies at y = (r + 0.5) * step_m - half_width_m."""
    centre_px: NDArray[np.float64]
    """(along, 2): pixel coordinates of the strip's centre at each column."""
    direction: NDArray[np.float64]
    """(along, 2): unit vector along the track in local metres (x east, y south)."""

    @property
    def length_m(self) -> float:
        """Metres of track in the strip."""
        return float(self.bands.shape[2] * self.step_m)

    @property
    def pixel_m(self) -> float:
        """Size of the tile's pixels along the track; 0 where the strip is too short to tell."""
        steps = np.hypot(*np.diff(self.centre_px, axis=0).T)
        return float(self.step_m / np.median(steps)) if steps.any() else 0.0

    @property
    def across_m(self) -> NDArray[np.float64]:
        """(across,): y of each row in metres."""
        n = self.bands.shape[1]
        return np.asarray((np.arange(n) + 0.5) * self.step_m - self.half_width_m, dtype=np.float64)


def straighten(
    pixels: Sampled, network: TrackNetwork, *, grid: Grid, aside_m: NDArray[np.float64] | None = None
) -> tuple[Strip, ...]:
    """One strip per track, in the order of the network.

    ``aside_m`` (tracks,) is how far to the right of its track each lies. Pixels finer than the strip step are
    smoothed first, so that nothing is sampled away.
    """
    asides = np.zeros(len(network.tracks)) if aside_m is None else aside_m
    return tuple(
        _straighten(pixels, track, grid=grid, aside_m=float(aside))
        for track, aside in zip(network.tracks, asides, strict=True)
    )


def blur_px(step_m: float, *, grid: Grid) -> float:
    """Sigma of the blur before sampling at ``step_m``; 0 where pixels are coarse enough without."""
    sigma = 0.4 * step_m / grid.gsd_m
    return sigma if sigma >= LEAST_BLUR_PX else 0.0


def resample_line(
    line: NDArray[np.float64], *, step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points at equal steps along a polyline, and the unit direction at each.

    ``line`` is (n, 2); the points lie at (i + 0.5) * step. Directions are smoothed over about
    10 steps so that the corners of a coarse polyline do not fan the strip.
    """
    seg = np.hypot(*np.diff(line, axis=0).T)
    keep = np.concatenate([[True], seg > 1e-9])
    line = line[keep]
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    n = max(int(s[-1] / step), 1)
    at = (np.arange(n) + 0.5) * step
    points = np.stack([np.interp(at, s, line[:, k]) for k in (0, 1)], axis=-1)
    reach = 2.5
    ahead = np.stack([np.interp(at + reach, s, line[:, k]) for k in (0, 1)], axis=-1)
    behind = np.stack([np.interp(at - reach, s, line[:, k]) for k in (0, 1)], axis=-1)
    direction = ahead - behind
    norm = np.hypot(direction[:, 0], direction[:, 1])
    direction /= np.maximum(norm, 1e-9)[:, None]
    return points, direction


def _straighten(pixels: Sampled, track: Track, *, grid: Grid, aside_m: float) -> Strip:
    centre, direction = resample_line(grid.to_local(track.line_px), step=STEP_M)
    n_across = round(2 * HALF_WIDTH_M / STEP_M)
    y = (np.arange(n_across) + 0.5) * STEP_M - HALF_WIDTH_M
    right = np.stack([-direction[:, 1], direction[:, 0]], axis=-1)
    centre = centre + aside_m * right
    ground = centre[None] + y[:, None, None] * right[None]
    bands, valid = pixels.sample(grid.to_pixel(ground), blur_px=blur_px(STEP_M, grid=grid))
    return Strip(
        track=track,
        bands=bands,
        valid=valid,
        step_m=STEP_M,
        half_width_m=HALF_WIDTH_M,
        centre_px=grid.to_pixel(centre),
        direction=direction,
    )
