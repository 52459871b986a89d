"""What runs far and clearly in a picture, and is explained by no track that was found there.

The main directions of a tile are those of most of it. A siding that leaves the yard, or a second yard beside
it, has too little weight among them, but its cells stand out once those of the known tracks are taken away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import label
from scipy.spatial import cKDTree

from railcount.tracks.directions import turn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from railcount.tracks.areas import Areas
    from railcount.tracks.corridor import Corridor

    Array = NDArray[np.float64]

CLEAR_SUPPORT = 0.42
"""Of a cell: tracks have 0.4 to 0.8 over most of their length, plain ground beside a yard up to 0.5."""
BESIDE_M = 12.0
"""So near to a track the gradients of a cell are still the track's: a cell and a half."""
SAME_WAY = np.deg2rad(11.0)
"""One and a half of the steps in which directions are known."""
STEEP = np.deg2rad(6.0)
"""To a corridor that was searched; rows in it are followed to 7 degrees, a row a block."""
LONG_M = 80.0
"""Of cells that hang together: longer than most roofs."""


def unsearched(areas: Areas, corridors: Iterable[Corridor]) -> Areas:
    """The same without support where a corridor was searched that runs in about the cell's direction."""
    left = areas.support > CLEAR_SUPPORT
    at = _centres(areas)
    for corridor in corridors:
        ahead = np.arctan2(-corridor.normal[:, 0], corridor.normal[:, 1])
        _, u = cKDTree(corridor.points).query(at[left])
        v_m = ((at[left] - corridor.points[u]) * corridor.normal[u]).sum(axis=-1) - corridor.first_v_m
        across = (v_m >= 0) & (v_m < corridor.valid.shape[0] * corridor.step_m)
        left[left] = ~(across & (np.abs(turn(areas.direction[left], ahead[u])) < STEEP))
    return replace(areas, support=np.where(left, areas.support, 0.0))


def unexplained(areas: Areas, lines: Iterable[Array]) -> Areas:
    """The same with support only where it is clear and reaches far, and no line runs beside in its direction.

    A line (n, 2) has a point at least every metre.
    """
    at, left = _centres(areas), areas.support > CLEAR_SUPPORT
    for line in lines:
        step = np.gradient(line, axis=0)
        off, i = cKDTree(line).query(at[left])
        same = _same_way(areas.direction[left], np.arctan2(step[i, 1], step[i, 0]))
        left[left] = (off > BESIDE_M) | ~same
    keep = np.zeros_like(left)
    for direction in np.unique(areas.direction[left]):
        own = areas.direction == direction
        same = left & _same_way(areas.direction, direction)
        keep |= own & _far_reaching(same, at @ [np.cos(direction), np.sin(direction)])
    return replace(areas, support=np.where(keep, areas.support, 0.0))


def strongest(areas: Areas) -> float | None:
    """The direction (rad) in which most support lies; None where there is none."""
    directions = np.unique(areas.direction[areas.support > 0])
    totals = [areas.support[_same_way(areas.direction, d)].sum() for d in directions]
    return float(directions[int(np.argmax(totals))]) if totals else None


def only(areas: Areas, direction: float) -> Areas:
    """The same with support in about this direction (rad) alone."""
    return replace(areas, support=np.where(_same_way(areas.direction, direction), areas.support, 0.0))


def without(areas: Areas, direction: float) -> Areas:
    """The same without support in exactly this direction (rad): what lies beside it may be another's."""
    return replace(areas, support=np.where(areas.direction == direction, 0.0, areas.support))


def _centres(areas: Areas) -> Array:
    """(rows, cols, 2): local metres."""
    rows, cols = areas.support.shape
    grid = np.stack(np.meshgrid(np.arange(cols), np.arange(rows)), axis=-1)
    return np.asarray(areas.first + grid * areas.cell_m)


def _far_reaching(mask: NDArray[np.bool_], u_m: Array) -> NDArray[np.bool_]:
    """Of cells (rows, cols) those that hang together over LONG_M; ``u_m`` is how far along each lies."""
    parts, n = label(mask, np.ones((3, 3)))
    long = [np.ptp(u_m[parts == k]) >= LONG_M for k in range(1, n + 1)]
    return np.asarray(np.array([False, *long])[parts])


def _same_way(a: Array, b: Array | float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(turn(a, b)) < SAME_WAY)
