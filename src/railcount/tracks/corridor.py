"""The yard's direction, and the image straightened along it.

Tracks are long, parallel and smooth, so where they are, the image hardly changes along one
direction. That direction is searched block by block, a smooth curve is laid through the
answers, and the image is sampled along the curve's parallels: tracks become nearly straight rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from railcount.beside import side_by_side
from railcount.raster.tile import interpolate
from railcount.shade import block_means
from railcount.sharpness import sharpened
from railcount.tracks.areas import CELL_M, SHARE_OF_NOISE, Areas, areas_of, boxes
from railcount.tracks.directions import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid
    from railcount.raster.tile import Pixels

    Array = NDArray[np.float64]

STEP_M = 0.5
"""Working resolution: a track is 5-6 pixels wide, the space between two at least 7."""
TENSOR_M = 10.0
"""Radius over which gradients are gathered: about two track spacings."""
ROWS_AT_ONCE = 256
"""Corridor rows sampled at once: bounds the memory of the coordinates."""
CLEARLY_ABOVE = 2.0
"""A direction stands out where its weight is this many times the mean of those still unexplained."""
MOST_EMPTINESS = 8.0
"""Largest area of a corridor over that of its tile: more is a long thin tile, taken aslant."""
OVERLAP_M = 30.0
"""Of a curve that goes on from a track, with that track."""
UNCLEAR_M = 40.0
"""Longest way without a clear direction that such a curve spans."""
CLEAR_WEIGHT = 0.3
MOST_OFF = np.deg2rad(20.0)
TIGHTEST_M = 120.0
"""Radius of the curve; sidings go down to 150 m."""
MOST_STEPS = 4000
BLOCK = 8
"""Corridor columns (4 m) averaged into one block: gaps, sleepers and masts blur away."""
ASLANT = np.deg2rad(7.0)
"""Between the picture and a corridor: the tracks of a switch of 1:9 run 6.3 degrees aslant of each other."""
ASLANT_WEIGHT = 0.4
"""How clear the picture's direction must be."""
CLIP_PERCENTILE = 85
"""Stronger edges (roofs, shadows) count no more than this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Corridor:
    """The image in coordinates u (metres along the reference curve) and v (to its right)."""

    bands: NDArray[np.float32]
    """(bands, v, u)."""
    valid: NDArray[np.bool_]
    """(v, u)."""
    points: Array
    """(u, 2): the reference curve in local metres at each column."""
    normal: Array
    """(u, 2): unit vector to the right of it."""
    first_v_m: float
    """v of the first row's centre."""
    tone: tuple[float, float, float] | None = None
    """Brightness of the picture it is a part of: 10th, 50th and 90th percentile; None for a whole."""
    step_m: float = STEP_M

    def to_local(self, u_px: Array, v_px: Array) -> Array:
        """Local metres (n, 2) of corridor positions in columns and rows (centres at integers)."""
        at = np.arange(len(self.points))
        point = np.stack([np.interp(u_px, at, self.points[:, k]) for k in (0, 1)], axis=-1)
        normal = np.stack([np.interp(u_px, at, self.normal[:, k]) for k in (0, 1)], axis=-1)
        v = self.first_v_m + np.asarray(v_px) * self.step_m
        return np.asarray(point + v[:, None] * normal)


@dataclass(frozen=True, eq=False)
class Working:
    """The tile at the working resolution, in an isotropic grid of local metres."""

    bands: NDArray[np.float32]
    valid: NDArray[np.bool_]
    origin: Array
    """(2,): local metres of the first pixel's centre."""
    step_m: float = STEP_M

    @cached_property
    def slope(self) -> Slope:
        """How brightness changes from place to place."""
        return Slope.of(self)

    @classmethod
    def of(cls, pixels: Pixels, *, grid: Grid) -> Working:
        corners = grid.to_local(
            np.array([[0, 0], [grid.width, 0], [0, grid.height], [grid.width, grid.height]], float)
        )
        low, high = corners.min(axis=0), corners.max(axis=0)
        cols, rows = np.maximum(((high - low) / STEP_M).astype(int), 1)
        x = low[0] + (np.arange(cols) + 0.5) * STEP_M
        y = low[1] + (np.arange(rows) + 0.5) * STEP_M
        px = grid.to_pixel(np.stack(np.meshgrid(x, y), axis=-1))
        blur = 0.4 * STEP_M / grid.gsd_m
        bands = pixels.bands if blur < 0.6 else np.stack([gaussian_filter(b, blur) for b in pixels.bands])
        at = np.stack([px[..., 1] - 0.5, px[..., 0] - 0.5])
        sampled = np.empty((len(bands), rows, cols), dtype=bands.dtype)
        interpolate(bands, at, out=sampled)
        r = np.clip(np.floor(px[..., 1]), 0, grid.height - 1).astype(int)
        c = np.clip(np.floor(px[..., 0]), 0, grid.width - 1).astype(int)
        inside = (px >= 0).all(axis=-1) & (px[..., 0] <= grid.width) & (px[..., 1] <= grid.height)
        valid = inside & pixels.valid[r, c]
        return cls(_sharpened(sampled, valid, pixel_m=grid.gsd_m), valid, low + STEP_M / 2)


def _sharpened(
    bands: NDArray[np.float32], valid: NDArray[np.bool_], *, pixel_m: float
) -> NDArray[np.float32]:
    image = np.concatenate([brightness(bands)[None], bands])
    (out,) = sharpened([image], [valid], steps_m=(STEP_M, STEP_M), pixel_m=pixel_m)
    return np.asarray(out[1:], dtype=np.float32)


def brightness(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, cols): mean of the visible bands."""
    return np.asarray(bands[:3].mean(axis=0), dtype=np.float32)


def orientation(work: Working) -> tuple[Array, Array]:
    """Direction along which the image changes least, and how clearly (0-1), for every pixel.

    In radians from x (right) towards y (down), -pi/2..pi/2.
    """
    slope = work.slope
    radius = TENSOR_M / work.step_m / 2

    def gather(a: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(gaussian_filter(a, radius, truncate=2.5))

    xx, yy, xy, inside = side_by_side(
        [
            lambda: gather(slope.x * slope.x),
            lambda: gather(slope.y * slope.y),
            lambda: gather(slope.x * slope.y),
            lambda: gather(slope.inside.astype(np.float32)),
        ]
    )
    along = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    least = SHARE_OF_NOISE * slope.limit**2 + np.finfo(np.float32).tiny  # gradients can all be 0
    clear = np.hypot(xx - yy, 2 * xy) / (xx + yy + least)
    return turn(along), clear * (inside > 0.3)


@dataclass(frozen=True, eq=False)
class Slope:
    """How brightness changes from place to place, strong edges cut off; arrays are (rows, cols)."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    limit: float
    """The strongest that is left."""
    inside: NDArray[np.bool_]
    """True away from the image's edge."""

    @classmethod
    def of(cls, work: Working) -> Slope:
        """In units of the image's spread; zero for an image without any."""
        image = brightness(work.bands)
        spread = float(image[work.valid].std()) if work.valid.any() else 0.0
        if not spread > 1e-30:  # so small that squares of it vanish
            none = np.zeros(image.shape, dtype=np.float32)
            return cls(none, none, 1.0, np.zeros(image.shape, dtype=bool))
        image = image / np.float32(spread)
        gx = gaussian_filter(image, 1.0, order=(0, 1))
        gy = gaussian_filter(image, 1.0, order=(1, 0))
        size = np.hypot(gx, gy)
        inside = gaussian_filter(work.valid.astype(np.float32), 2.0) > 0.98
        limit = float(np.percentile(size[inside], CLIP_PERCENTILE)) if inside.any() else 1.0
        shrink = np.where(inside, np.minimum(1.0, limit / np.maximum(size, 1e-9)), 0.0).astype(np.float32)
        return cls(gx * shrink, gy * shrink, limit, inside)

    def areas(self, work: Working) -> Areas:
        """Where tracks may run."""
        size = max(1, round(CELL_M / work.step_m))
        parts = [block_means(a, size) for a in (self.x * self.x, self.y * self.y, self.x * self.y)]
        first = work.origin + (size - 1) / 2 * work.step_m
        return areas_of(
            np.stack(parts).astype(np.float64), limit=self.limit, first=first, cell_m=size * work.step_m
        )


def main_directions(angle: Array, weight: Array, *, most: int = 3) -> list[float]:
    """The strongest directions of the tile (rad), the strongest first."""
    bins = 180
    histogram, edges = np.histogram(angle, bins=bins, range=(-np.pi / 2, np.pi / 2), weights=weight)
    smooth = gaussian_filter1d(histogram, 2.0, mode="wrap")
    found: list[float] = []
    left = np.ones(bins, dtype=bool)  # what stronger directions explain does not raise the bar
    for _ in range(most):
        k = int(smooth.argmax())
        if not left.any() or smooth[k] <= CLEARLY_ABOVE * smooth[left].mean():
            break
        found.append(float((edges[k] + edges[k + 1]) / 2))
        near = np.abs((np.arange(bins) - k + bins // 2) % bins - bins // 2) <= 12
        smooth[near] = 0.0
        left &= ~near
    return found


def reference_curve(angle: Array, weight: Array, direction: float, work: Working) -> tuple[Array, Array]:
    """A curve through the middle of what runs in ``direction``: points (n, 2) and headings (n,), every step.

    The heading as a function of the distance along the yard is a cubic polynomial, fitted to the
    orientations that agree with it.
    """
    rows, cols = angle.shape
    sub = max(1, round(4.0 / work.step_m))
    yy, xx = np.mgrid[0:rows:sub, 0:cols:sub].astype(float)
    xy = np.stack([xx, yy], axis=-1).reshape(-1, 2) * work.step_m + work.origin
    a, w = angle[::sub, ::sub].ravel(), weight[::sub, ::sub].ravel() ** 2
    off = turn(a, direction)
    unit = np.array([np.cos(direction), np.sin(direction)])
    near = np.abs(off) < np.deg2rad(25)
    centre = np.average(xy[near], axis=0, weights=w[near] + 1e-9)
    u = (xy - centre) @ unit
    span = max(float(np.abs(u).max()), 1.0)
    coefficients = np.zeros(4)
    for tolerance in np.deg2rad([15.0, 8.0, 5.0, 3.0, 3.0]):
        fit = np.polynomial.polynomial.polyval(u / span, coefficients)
        use = w * np.exp(-0.5 * ((off - fit) / tolerance) ** 2) * near
        basis = np.stack([(u / span) ** k for k in range(4)], axis=-1)
        ridge = np.diag([0.0, 0.01, 0.02, 0.04]) * use.sum()
        coefficients = np.linalg.solve(
            basis.T @ (use[:, None] * basis) + ridge + 1e-9 * np.eye(4), basis.T @ (use * off)
        )
    corners = np.array([[0, 0], [cols, 0], [0, rows], [cols, rows]], float) * work.step_m + work.origin
    ends = (corners - centre) @ unit
    n_back, n_ahead = int(max(-ends.min(), 1) / work.step_m) + 20, int(max(ends.max(), 1) / work.step_m) + 20
    at = np.arange(-n_back, n_ahead + 1) * work.step_m
    heading = direction + np.polynomial.polynomial.polyval(np.clip(at / span, -1, 1), coefficients)
    delta = np.stack([np.cos(heading), np.sin(heading)], axis=-1) * work.step_m
    points = np.cumsum(delta, axis=0)
    points += centre - points[n_back]
    return points, heading


def run_on(angle: Array, weight: Array, line: Array, work: Working) -> tuple[Array, Array]:
    """A curve that leaves a line (n, 2) at its end and follows the orientations as far as they are clear.

    Points (n, 2) in local metres and headings (n,), every step. It begins OVERLAP_M before the line's end.
    """
    step = work.step_m
    back = np.hypot(*(line - line[-1]).T)
    start = line[np.flatnonzero(back >= min(OVERLAP_M, back.max()))[-1]]
    out = (line[-1] - start) / max(float(np.hypot(*(line[-1] - start))), 1e-9)
    heading, at = float(np.arctan2(out[1], out[0])), start
    points, headings, unclear = [start], [heading], 0
    overlap, most_turn = round(OVERLAP_M / step), step / TIGHTEST_M
    while unclear * step < UNCLEAR_M:
        at = at + step * np.array([np.cos(heading), np.sin(heading)])
        col, row = np.rint((at - work.origin) / step).astype(int).tolist()
        if not (0 <= row < angle.shape[0] and 0 <= col < angle.shape[1] and len(points) < MOST_STEPS):
            break
        off = float(turn(angle[row, col], heading))
        clear = weight[row, col] > CLEAR_WEIGHT and abs(off) < MOST_OFF
        unclear = 0 if clear else unclear + 1
        if clear and len(points) > overlap:
            heading += float(np.clip(off, -most_turn, most_turn))
        points.append(at)
        headings.append(heading)
    n = len(points) - unclear
    return np.array(points[:n]), np.array(headings[:n])


def runs_aslant(corridor: Corridor, angle: Array, weight: Array, work: Working) -> NDArray[np.bool_]:
    """(blocks, v): where the picture clearly runs in another direction than the corridor."""
    middle = np.arange(BLOCK // 2, corridor.valid.shape[1] // BLOCK * BLOCK, BLOCK)
    normal = corridor.normal[middle]
    v = corridor.first_v_m + np.arange(corridor.valid.shape[0]) * corridor.step_m
    ground = corridor.points[middle, None] + v[None, :, None] * normal[:, None]
    col, row = np.moveaxis(np.rint((ground - work.origin) / work.step_m).astype(int), -1, 0)
    at = np.clip(row, 0, angle.shape[0] - 1), np.clip(col, 0, angle.shape[1] - 1)
    heading = np.arctan2(-normal[:, 0], normal[:, 1])[:, None]
    return np.asarray((np.abs(turn(angle[at], heading)) > ASLANT) & (weight[at] > ASLANT_WEIGHT))


def parts_of(work: Working, areas: Areas, direction: float, points: Array, heading: Array) -> list[Corridor]:
    """The tile straightened along a curve, where tracks may run in its direction."""
    normal = np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
    seen = brightness(work.bands)[work.valid]
    low, middle, high = np.percentile(seen, [10, 50, 90]).tolist() if seen.size else (0.0, 0.0, 1.0)
    out = []
    for columns, from_m, to_m in boxes(areas.along(direction), points, normal, step_m=work.step_m):
        if (columns.stop - columns.start) * (to_m - from_m) / work.step_m > MOST_EMPTINESS * work.valid.size:
            continue
        part = straighten_corridor(work, points[columns], heading[columns], across_m=(from_m, to_m))
        if part is not None:
            out.append(replace(part, tone=(low, middle, high)))
    return out


def straighten_corridor(
    work: Working, points: Array, heading: Array, *, across_m: tuple[float, float] | None = None
) -> Corridor | None:
    """Sample the tile along the parallels of a curve, as wide as it reaches or from and to ``across_m``.

    None where that is not in the image.
    """
    normal = np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
    rows, cols = work.valid.shape
    corners = np.array([[0, 0], [cols, 0], [0, rows], [cols, rows]], float) * work.step_m + work.origin
    middle = len(points) // 2
    if across_m is None:
        reach = (corners - points[middle]) @ normal[middle]
        across_m = float(reach.min()), float(reach.max())
    first, last = int(np.floor(across_m[0] / work.step_m)), int(np.ceil(across_m[1] / work.step_m))
    v = np.arange(first, last + 1) * work.step_m
    bands = np.zeros((len(work.bands), len(v), len(points)), dtype=np.float32)
    valid = np.zeros((len(v), len(points)), dtype=bool)
    for first in range(0, len(v), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        ground = points[None] + v[part, None, None] * normal[None]
        at = np.moveaxis((ground - work.origin) / work.step_m, -1, 0)[::-1]
        near = np.rint(at).astype(np.int32)
        inside = (near[0] >= 0) & (near[0] < rows) & (near[1] >= 0) & (near[1] < cols)
        if not inside.any():
            continue
        valid[part] = inside & work.valid[np.clip(near[0], 0, rows - 1), np.clip(near[1], 0, cols - 1)]
        interpolate(work.bands, at, out=bands[:, part])
    if not valid.any():
        return None
    seen_v, seen_u = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
    vs, us = slice(seen_v[0], seen_v[-1] + 1), slice(seen_u[0], seen_u[-1] + 1)
    return Corridor(
        bands=bands[:, vs, us],
        valid=valid[vs, us],
        points=points[us],
        normal=normal[us],
        first_v_m=float(v[seen_v[0]]),
    )
