"""Trains of a pass where pixels are too coarse for cars: occupied stretches that are one over a seam."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from railcount.cars.stretches import SHORTEST_M
from railcount.observation.lines import STEP_M, joined_tracks, sampled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from railcount.observation.ground import Footprint, Frame
    from railcount.observation.lines import Lines
    from railcount.records import TileRecord

    Array = NDArray[np.float64]


def n_trains(
    coarse: Mapping[int, TileRecord],
    *,
    lines: Sequence[Lines],
    frame: Frame,
    finer: Sequence[Footprint],
) -> int:
    """Trains in the tiles whose cars are not told apart, by their number in the pass; each once.

    Stretches of two tiles are one where they stand on one track of the pass, nearer to each other than
    empty track can be seen in such pixels. What lies in ``finer`` tiles is told by those.
    """
    tracks = joined_tracks(lines, ())
    found = [
        (n, tracks[n, stretch.track], points)
        for n, one in coarse.items()
        for stretch in one.stretches
        if len(points := _outside(sampled(frame.metres(stretch.line))[0], finer)) * STEP_M >= SHORTEST_M
    ]
    train = list(range(len(found)))
    for a, b in combinations(range(len(found)), 2):
        (tile, track, points), (other_tile, other_track, others) = found[a], found[b]
        if tile != other_tile and track == other_track and _apart_m(points, others) < SHORTEST_M:
            train = [train[a] if name == train[b] else name for name in train]
    return len(set(train))


def _outside(points: Array, finer: Sequence[Footprint]) -> Array:
    for footprint in finer:
        points = points[footprint.inside_m(points) < 0] if len(points) else points
    return points


def _apart_m(a: Array, b: Array) -> float:
    far, _ = cKDTree(a).query(b)
    return float(np.min(far))
