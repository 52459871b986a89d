"""Where in a picture tracks may run: long stretches that hardly change along their own direction.

Rails, the shoulders of the bed and rows of cars all run along a track, so the gradients near one point
across it, for a hundred metres and more. A look at cells of 8 m is enough to see that, and the costly
search for the tracks themselves is kept to what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_dilation, find_objects, label
from scipy.spatial import cKDTree

from railcount.tracks.directions import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CELL_M = 8.0
HALF_M = 48.0
"""Of the stretch that a cell is judged by, to both sides: three cars."""
N_DIRECTIONS = 24
LEAST_SUPPORT = 0.2
"""Part of the gradients (squares) that points across, over the stretch. On tracks (35 kinds of scenes by
another renderer) 0.3 to 0.8, in noise, haze and low sun too, half as much under deep snow; on most
other ground 0.15, along roads and buildings as on tracks."""
SAME_WAY = np.deg2rad(20.0)
BESIDE_M = 24.0
AHEAD_M = 48.0
"""Of the picture around such a stretch that is searched with it, beside it and ahead."""
MOST_SHARED = 0.5
"""Of the smaller of two rectangles, in another: more, and they are searched as one."""
SHARE_OF_NOISE = 0.05
"""Of the strong gradients' square, added to what is compared: flat ground has no direction."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Areas:
    """Cells of a picture; arrays are (rows, cols)."""

    support: Array
    """Part of the gradients along a stretch through the cell that points across it, 0-1."""
    direction: Array
    """Of that stretch, radians from x (right) towards y (down), 0 to pi."""
    first: Array
    """(2,): local metres of the first cell's centre."""
    cell_m: float

    def along(self, direction: float) -> Array:
        """(n, 2): local metres of the cells with support in about this direction."""
        near = np.abs(turn(self.direction, direction)) < SAME_WAY
        row, col = np.nonzero((self.support > LEAST_SUPPORT) & near)
        return self.first + np.stack([col, row], axis=-1) * self.cell_m

    def around(self, origin: Array, step_m: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """(rows, cols) = ``shape``: the pixels of such a grid within two cells of one with support."""
        near = binary_dilation(self.support > 0, np.ones((5, 5)))
        row, col = (
            np.rint((origin[k] + np.arange(shape[1 - k]) * step_m - self.first[k]) / self.cell_m).astype(int)
            for k in (1, 0)
        )
        row, col = (np.clip(at, 0, n - 1) for at, n in zip((row, col), near.shape, strict=True))
        return np.asarray(near[np.ix_(row, col)])


def areas_of(tensor: Array, *, limit: float, first: Array, cell_m: float = CELL_M) -> Areas:
    """From the means (3, rows, cols) of gx gx, gy gy and gx gy over cells; ``limit`` is a strong gradient."""
    xx, yy, xy = tensor
    size, double = xx + yy, np.stack([yy - xx, -2 * xy])
    support, direction = np.zeros(xx.shape), np.zeros(xx.shape)
    n = round(HALF_M / cell_m)
    for angle in np.arange(N_DIRECTIONS) * np.pi / N_DIRECTIONS:
        across = double[0] * np.cos(2 * angle) + double[1] * np.sin(2 * angle)
        of = np.stack([across, size, np.ones_like(size)]).astype(np.float32)
        total = np.zeros_like(of)
        for k in range(-n, n + 1):
            _add(total, of, round(k * np.sin(angle)), round(k * np.cos(angle)))
        here = total[0] / np.maximum(total[1] + SHARE_OF_NOISE * limit**2 * total[2], 1e-30)
        direction = np.where(here > support, angle, direction)
        support = np.maximum(support, here)
    return Areas(support=support, direction=direction, first=first, cell_m=cell_m)


def _add(total: NDArray[np.float32], of: NDArray[np.float32], rows: int, cols: int) -> None:
    """Add to every cell of ``total`` (n, rows, cols) the one of ``of`` so many rows and columns on."""
    height, width = of.shape[1:]
    if abs(rows) >= height or abs(cols) >= width:
        return
    up, left = max(-rows, 0), max(-cols, 0)
    down, right = max(rows, 0), max(cols, 0)
    total[:, up : height - down, left : width - right] += of[:, down : height - up, right : width - left]


def boxes(places: Array, points: Array, normal: Array, *, step_m: float) -> list[tuple[slice, float, float]]:
    """Rectangles around places (n, 2) on a curve's own axes: its columns, and v from and to in metres.

    The largest comes first.

    The curve is given by ``points`` (u, 2) every ``step_m`` and the unit vectors ``normal`` to its right.
    """
    if not len(places):
        return []
    u = cKDTree(points).query(places)[1]
    v_m = ((places - points[u]) * normal[u]).sum(axis=-1)
    first, cell = float(v_m.min()), CELL_M / 2
    mask = np.zeros((int((v_m.max() - first) / cell) + 1, int(len(points) * step_m / cell) + 1), dtype=bool)
    mask[((v_m - first) / cell).astype(int), (u * step_m / cell).astype(int)] = True
    beside, ahead = round(BESIDE_M / cell), round(AHEAD_M / cell)
    mask = np.pad(mask, ((beside, beside), (0, 0)))
    mask = binary_dilation(mask, np.ones((2 * beside + 1, 1)))
    mask = binary_dilation(mask, np.ones((1, 2 * ahead + 1)))
    found = []
    for rows, cols in _apart([box for box in find_objects(label(mask)[0]) if box is not None]):
        columns = slice(int(cols.start * cell / step_m), int(cols.stop * cell / step_m))
        found.append((columns, first + (rows.start - beside) * cell, first + (rows.stop - beside) * cell))
    return sorted(found, key=lambda box: (box[0].start - box[0].stop) * (box[2] - box[1]))


def _apart(found: list[tuple[slice, ...]]) -> list[tuple[slice, ...]]:
    """Rectangles of which none holds most of another: those are made one."""
    found = list(found)
    k = 0
    while k < len(found):
        other = next((m for m in range(k) if _shared(found[k], found[m]) > MOST_SHARED), None)
        if other is None:
            k += 1
            continue
        both = zip(found[k], found[other], strict=True)
        found[other] = tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in both)
        del found[k]
        k = 0
    return found


def _shared(one: tuple[slice, ...], other: tuple[slice, ...]) -> float:
    """Area that two rectangles share, over that of the smaller."""
    both = zip(one, other, strict=True)
    shared = np.prod([max(0, min(a.stop, b.stop) - max(a.start, b.start)) for a, b in both])
    return float(shared / min(np.prod([part.stop - part.start for part in box]) for box in (one, other)))
