"""Lines cut at the raster's edge."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid

_NO_STEP = 1e-100
"""Pixels: a quotient by less can leave the range of floats."""


def clip_to_raster(line_px: NDArray[np.float64], *, grid: Grid, margin_m: float) -> list[NDArray[np.float64]]:
    """Pieces of a line (n, 2) within the raster plus a margin, in pixels and in the line's own direction.

    Repeated vertices are dropped; a line without length gives no piece.
    """
    margin = margin_m / np.linalg.norm(grid.local_from_pixel, axis=0)
    low, high = -margin, np.array([grid.width, grid.height]) + margin
    moved = np.ones(len(line_px), dtype=np.bool_)
    moved[1:] = (np.diff(line_px, axis=0) != 0).any(axis=1)
    line = line_px[moved]
    if (line.max(axis=0) < low).any() or (line.min(axis=0) > high).any():
        return []
    pieces: list[list[NDArray[np.float64]]] = []
    joined = False
    for start, end in pairwise(line):
        enter, leave = _inside(start, end, low=low, high=high)
        if enter < leave:
            if not (joined and enter == 0):
                pieces.append([start + enter * (end - start)])
            pieces[-1].append(start + leave * (end - start) if leave < 1 else end)
        joined = enter < leave and leave == 1
    return [np.array(piece) for piece in pieces]


def _inside(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    *,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> tuple[float, float]:
    """Fractions of a segment where it enters and leaves a box (Liang and Barsky 1984)."""
    enter, leave = 0.0, 1.0
    for position, step, least, most in zip(start, end - start, low, high, strict=True):
        if abs(step) < _NO_STEP:
            if not least <= position <= most:
                return 1.0, 0.0
            continue
        near, far = sorted(((least - position) / step, (most - position) / step))
        enter, leave = max(enter, float(near)), min(leave, float(far))
    return enter, leave
