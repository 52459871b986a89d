"""Paths through a branching region, from its skeleton."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from railcount.raster.grid import Grid

_LOOK_M = 15.0
"""Directions at a joint are taken over this length: a switch opens by 1.7 m over it (1:9)."""
_MAX_TURN_DEG = 45.0
_EIGHT = np.ones((3, 3), dtype=np.int64)


def skeleton_paths(cells: NDArray[np.int64], *, grid: Grid, min_length_m: float) -> list[NDArray[np.float64]]:
    """Paths (n, 2) in local metres through connected pixels (n, 2) of col, row.

    The region's skeleton is cut at its joints, spurs shorter than ``min_length_m`` are dropped, and at
    each joint the two branches that go straightest through become one path.
    """
    low = cells.min(axis=0) - 1
    width, height = cells.max(axis=0) - low + 2
    region = np.zeros((height, width), dtype=np.bool_)
    region[cells[:, 1] - low[1], cells[:, 0] - low[0]] = True
    bones = _skeleton(region)
    while True:
        branches, joints = _cut(bones)
        lines = [grid.to_local(branch + low + 0.5) for branch, _ in branches]
        spurs = [
            branch
            for (branch, ends), line in zip(branches, lines, strict=True)
            if (ends[0] == 0) != (ends[1] == 0) and _length(line) < min_length_m
        ]
        if not spurs:
            break
        for spur in spurs:
            bones[spur[:, 1], spur[:, 0]] = False
        bones = _skeleton(bones)
    ends = [list(ends) for _, ends in branches]
    return [line for line in _joined(lines, ends, n_joints=joints) if _length(line) >= min_length_m]


def _skeleton(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from skimage import morphology

    thin: Any = morphology.skeletonize  # untyped
    return np.asarray(thin(region), dtype=np.bool_)


def _length(line: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _cut(bones: NDArray[np.bool_]) -> tuple[list[tuple[NDArray[np.int64], tuple[int, int]]], int]:
    """Branches as ordered (n, 2) col, row with the joints (0: none) at their two ends."""
    n_near = ndimage.convolve(bones.astype(np.int64), _EIGHT, mode="constant") - 1
    joint, n_joints = ndimage.label(bones & (n_near > 2), structure=_EIGHT)
    branch, n_branches = ndimage.label(bones & (joint == 0), structure=_EIGHT)
    found = []
    for number, place in enumerate(ndimage.find_objects(branch, max_label=n_branches), 1):
        rows, cols = np.nonzero(branch[place] == number)
        path = _walk(np.stack([cols + place[1].start, rows + place[0].start], axis=-1))
        touched = [
            int(joint[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2].max())
            for col, row in (path[0], path[-1])
        ]
        if len(path) == 1:
            touched[1] = 0
        found.append((path, (touched[0], touched[1])))
    return found, n_joints


def _walk(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pixels of an unbranched line in order."""
    left = {(int(col), int(row)) for col, row in cells}

    def near(cell: tuple[int, int]) -> list[tuple[int, int]]:
        col, row = cell
        # straight neighbours before slanted ones
        steps = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
        return [(col + dc, row + dr) for dc, dr in steps if (col + dc, row + dr) in left]

    ordered = sorted(left)
    here = next((cell for cell in ordered if len(near(cell)) <= 1), ordered[0])
    path = [here]
    left.discard(here)
    while ahead := near(here):
        here = ahead[0]
        path.append(here)
        left.discard(here)
    return np.array(path, dtype=np.int64)


def _joined(
    lines: list[NDArray[np.float64]], ends: list[list[int]], *, n_joints: int
) -> list[NDArray[np.float64]]:
    """Lines joined at each joint, the straightest pair first."""
    for joint in range(1, n_joints + 1):
        while True:
            here = [(i, end) for i, pair in enumerate(ends) for end in (0, 1) if pair[end] == joint]
            pairs = [
                (_turn_deg(lines[i], at, lines[j], to), i, at, j, to)
                for k, (i, at) in enumerate(here)
                for j, to in here[k + 1 :]
                if i != j
            ]
            if not pairs or min(pairs)[0] > _MAX_TURN_DEG:
                break
            _, i, at, j, to = min(pairs)
            first = lines[i] if at == 1 else lines[i][::-1]
            second = lines[j] if to == 0 else lines[j][::-1]
            kept = [ends[i][1 - at], ends[j][1 - to]]
            lines = [line for k, line in enumerate(lines) if k not in (i, j)] + [np.vstack([first, second])]
            ends = [pair for k, pair in enumerate(ends) if k not in (i, j)] + [kept]
    return lines


def _turn_deg(first: NDArray[np.float64], at: int, second: NDArray[np.float64], to: int) -> float:
    """How far the way bends that leaves ``first`` at its end and enters ``second``."""
    into, out = -_outward(first, at), _outward(second, to)
    cosine = float(np.clip(into @ out, -1, 1))
    return math.degrees(math.acos(cosine))


def _outward(line: NDArray[np.float64], end: int) -> NDArray[np.float64]:
    """Unit vector from an end of a line into it."""
    ordered = line if end == 0 else line[::-1]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(ordered, axis=0), axis=1))])
    inner = ordered[min(int(np.searchsorted(along, _LOOK_M)), len(ordered) - 1)]
    step = inner - ordered[0]
    return np.asarray(step / max(float(np.linalg.norm(step)), 1e-9), dtype=np.float64)
