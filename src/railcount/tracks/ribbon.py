"""The image along given lines, and how likely a track's centre line passes at every place of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates, maximum_filter1d
from scipy.spatial import cKDTree

from railcount.beside import side_by_side
from railcount.strips import blur_px
from railcount.tracks.corridor import BLOCK, STEP_M, Corridor
from railcount.tracks.rows import LOGIT_LIMIT, centre_odds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Sampled

    Array = NDArray[np.float64]

BLOCK_M = BLOCK * STEP_M
NETWORK_REACH_M = 14.0
"""Of the image beside a place that its odds are read from, and a little more."""
BEND_M = 10.0
"""Radius over which corners of the reference line are rounded: polylines have corners, tracks do not."""
RUN_ON_M = 100.0
"""The reference line runs on straight, so that longer neighbours have a place beside it."""
STEEPEST = np.deg2rad(9.0)
"""Between a line and the ribbon it is read in; the network knows switches to 1:8 (7 degrees)."""
MOST_RIBBONS = 6
COVER_M = 2.0
"""A line covers the rows this near to it: tracks are 3.6 m apart at least."""
LIKELY_BLOCKS = 5.0
"""Blocks over which odds are smoothed before rows beside the lines are called tracks."""


@dataclass(frozen=True, eq=False)
class Ribbon:
    """The surroundings of lines that run about one way, with the odds of a centre line there."""

    odds: Array
    """(v, blocks): log-odds within LOGIT_LIMIT; 0 where nothing is seen."""
    seen: NDArray[np.bool_]
    """(v, blocks)."""
    at: Array
    """(n, 2): block and row (fractions) of the lines' points, every block's length."""
    heading: Array
    """(n, 2): unit vector of the corridor at each point, local metres."""
    line: NDArray[np.int64]
    """(n,): which line each point is of."""
    block: NDArray[np.int64]
    """(n,): its number along the line."""

    def sample(self, shifts: Array, which: NDArray[np.int64]) -> tuple[Array, Array]:
        """Odds, and whether anything is seen (0 or 1), at points moved by ``shifts`` (m, 2): (m, n) each."""
        along = self.heading[which]
        return self._read(self.at[which, 1] + shifts @ _right(along).T / STEP_M, which, shifts @ along.T)

    def beside(self, shift: Array, aside_m: Array, which: NDArray[np.int64]) -> Array:
        """(m, n): odds at points moved by ``shift`` (2,) and then by ``aside_m`` (m, n) to their right."""
        along = self.heading[which]
        rows = self.at[which, 1] + (shift @ _right(along).T + aside_m) / STEP_M
        return self._read(rows, which, np.broadcast_to(shift @ along.T, rows.shape))[0]

    def uncovered(self, shift: Array, *, within_m: float) -> int:
        """Blocks of likely track within ``within_m`` of the moved lines (2,) that none of them covers."""
        along = self.heading
        at = self.at + np.stack([along @ shift / BLOCK_M, _right(along) @ shift / STEP_M], axis=-1)
        block, row = np.rint(at).astype(int).T
        rows, blocks = self.odds.shape
        here = (block >= 0) & (block < blocks) & (row >= 0) & (row < rows)
        lines = np.zeros(self.odds.shape, dtype=bool)
        lines[row[here], block[here]] = True
        near = maximum_filter1d(lines, 2 * round(within_m / STEP_M) + 1, axis=0, mode="constant")
        covered = maximum_filter1d(lines, 2 * round(COVER_M / STEP_M) + 1, axis=0, mode="constant")
        apart = 2 * round(COVER_M / STEP_M) + 1
        likely = gaussian_filter1d(self.odds, LIKELY_BLOCKS, axis=1, mode="nearest")
        ridge = (likely > 0) & (likely >= maximum_filter1d(likely, apart, axis=0, mode="constant"))
        ridge[1:] &= ~ridge[:-1]  # of a flat top, one row
        return int((ridge & near & ~covered).sum())

    def _read(self, rows: Array, which: NDArray[np.int64], ahead_m: Array) -> tuple[Array, Array]:
        to = np.stack([rows, self.at[which, 0] + ahead_m / BLOCK_M])
        odds, seen = side_by_side(
            [
                lambda: map_coordinates(self.odds, to, order=1, mode="constant"),
                lambda: map_coordinates(self.seen.astype(np.float32), to, order=0, mode="constant"),
            ]
        )
        return odds, seen


def _right(along: Array) -> Array:
    return np.stack([-along[:, 1], along[:, 0]], axis=-1)


def ribbons(pixels: Sampled, lines: list[Array], *, grid: Grid, reach_m: float) -> list[Ribbon]:
    """The image within ``reach_m`` of the lines (each (n, 2) local metres), one ribbon per direction."""
    points = [evenly(line, BLOCK_M) for line in lines]
    headings = [_headings(p) for p in points]
    left = [np.ones(len(p), dtype=bool) for p in points]
    out: list[Ribbon] = []
    for _ in range(2 * MOST_RIBBONS):
        k = int(np.argmax([m.sum() for m in left])) if left else 0
        if not left or left[k].sum() < 2 or len(out) == MOST_RIBBONS:
            break
        reference = _reference(lines[k])
        tree = cKDTree(reference)
        normal = _normals(reference)
        rows: list[_Part] = []
        for i, p in enumerate(points):
            near = tree.query(p)[1]
            n = normal[near]
            v = ((p - reference[near]) * n).sum(axis=-1)
            u = near + ((p - reference[near]) * np.stack([n[:, 1], -n[:, 0]], axis=-1)).sum(axis=-1) / STEP_M
            ok = left[i] & (np.abs((headings[i] * n).sum(axis=-1)) < np.sin(STEEPEST))
            ok &= (u > 0) & (u < len(reference) - 1)
            left[i] &= ~ok
            if ok.any():
                along = np.stack([n[ok, 1], -n[ok, 0]], axis=-1)
                rows.append(_Part(i, np.flatnonzero(ok), np.stack([u[ok], v[ok]], axis=-1), along))
        left[k][:] = False  # what of it lies aslant of itself has no ribbon
        if rows:
            out.append(_ribbon(pixels, reference, normal, rows, grid=grid, reach_m=reach_m))
    return out


@dataclass(frozen=True, eq=False)
class _Part:
    """The points of one line that lie in a ribbon."""

    line: int
    block: NDArray[np.int64]
    uv: Array
    heading: Array


def _ribbon(
    pixels: Sampled, reference: Array, normal: Array, parts: list[_Part], *, grid: Grid, reach_m: float
) -> Ribbon:
    uv = np.concatenate([p.uv for p in parts])
    aside = reach_m + NETWORK_REACH_M
    v = np.arange(np.floor((uv[:, 1].min() - aside) / STEP_M), np.ceil((uv[:, 1].max() + aside) / STEP_M) + 1)
    first = int(max(uv[:, 0].min() - reach_m / STEP_M, 0)) // BLOCK * BLOCK
    last = int(min(uv[:, 0].max() + reach_m / STEP_M, len(reference) - 1)) + 1
    us = slice(first, first + max((last - first) // BLOCK, 1) * BLOCK)
    corridor = _sample(pixels, reference[us], normal[us], v * STEP_M, grid=grid)
    return Ribbon(
        odds=np.clip(centre_odds(corridor), -LOGIT_LIMIT, LOGIT_LIMIT).T,
        seen=corridor.valid.reshape(len(v), -1, BLOCK).mean(axis=-1) >= 0.5,
        at=np.stack([(uv[:, 0] - first + 0.5) / BLOCK - 0.5, uv[:, 1] / STEP_M - v[0]], axis=-1),
        heading=np.concatenate([p.heading for p in parts]),
        line=np.concatenate([np.full(len(p.uv), p.line) for p in parts]),
        block=np.concatenate([p.block for p in parts]),
    )


def _sample(pixels: Sampled, points: Array, normal: Array, v_m: Array, *, grid: Grid) -> Corridor:
    ground = points[None] + v_m[:, None, None] * normal[None]
    bands, valid = pixels.sample(grid.to_pixel(ground), blur_px=blur_px(STEP_M, grid=grid))
    return Corridor(bands=bands, valid=valid, points=points, normal=normal, first_v_m=float(v_m[0]))


def evenly(line: Array, step: float) -> Array:
    """Points (n, 2) at (i + 0.5) * step along the line."""
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    n = max(int(s[-1] / step), 1)
    at = (np.arange(n) + 0.5) * (s[-1] / n)
    return np.stack([np.interp(at, s, line[:, k]) for k in (0, 1)], axis=-1)


def _headings(points: Array) -> Array:
    """Unit vectors along points (n, 2)."""
    if len(points) < 2:
        return np.tile([1.0, 0.0], (len(points), 1))
    d = np.gradient(points, axis=0)
    return np.asarray(d / np.maximum(np.hypot(d[:, 0], d[:, 1]), 1e-9)[:, None])


def _reference(line: Array) -> Array:
    """The line at every STEP_M, its corners rounded, run on straight so that neighbours have a place."""
    p = evenly(line, STEP_M)
    run = int(RUN_ON_M / STEP_M)
    d = _headings(evenly(line, 10.0)) if len(p) > 60 else _headings(p)
    a, b = d[0] * STEP_M, d[-1] * STEP_M
    k = np.arange(1, run + 1)[:, None]
    p = np.concatenate([p[0] - a * k[::-1], p, p[-1] + b * k])
    return np.asarray(gaussian_filter1d(p, BEND_M / STEP_M, axis=0, mode="nearest"))


def _normals(points: Array) -> Array:
    h = _headings(points)
    return np.stack([-h[:, 1], h[:, 0]], axis=-1)
