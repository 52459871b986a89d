"""No two cars in one place: of lines too near each other for both to bear cars, one does.

Lines that were found meet at switches, or one was found beside a track that another is on. Cars seen on both
would count twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from railcount.occupancy import emptied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.occupancy import Evidence
    from railcount.strips import Strip

NO_ROOM_M = 2.7
"""Between centrelines: cars are 2.8 to 3.2 m wide, and lines lie a little beside their tracks."""
SAMPLED, SAMPLED_M = 4, 0.5
"""Columns of which one is looked at first, and half of how far apart they are."""


def one_each(strips: Sequence[Strip], evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The evidence of a tile's lines with every place on one line: the one on which its cars are surer.

    Where blobs of two lines run along each other nearer than ``NO_ROOM_M``, the sums of their log-odds tell.
    """
    pixel_m = float(np.median([strip.pixel_m for strip in strips])) if strips else 0.0
    lines = [strip.centre_px * pixel_m for strip in strips]
    blobs = [one.body > 0 for one in evidence]
    lost = [np.zeros_like(blob) for blob in blobs]
    for i, j in _meeting([line[blob][::SAMPLED] for line, blob in zip(lines, blobs, strict=True)]):
        far_m, at = cKDTree(lines[j]).query(lines[i], distance_upper_bound=NO_ROOM_M)
        both = np.isfinite(far_m) & blobs[i]
        both[both] = blobs[j][at[both]]
        for start, end in np.flatnonzero(np.diff(both, prepend=False, append=False)).reshape(-1, 2):
            beside = slice(at[start:end].min(), at[start:end].max() + 1)
            if evidence[i].body[start:end].sum() >= evidence[j].body[beside].sum():
                lost[j][beside] = True
            else:
                lost[i][start:end] = True
    return tuple(
        emptied(one, columns) if columns.any() else one for one, columns in zip(evidence, lost, strict=True)
    )


def _meeting(bodies: Sequence[NDArray[np.float64]]) -> list[tuple[int, int]]:
    """Pairs of lines on which bodies, points (n, 2) of each in metres, are so near each other."""
    if not bodies:
        return []
    line = np.repeat(np.arange(len(bodies)), [len(body) for body in bodies])
    pairs = cKDTree(np.concatenate(bodies)).query_pairs(NO_ROOM_M + SAMPLED_M, output_type="ndarray")
    return sorted({(i, j) for i, j in line[pairs].tolist() if i != j})
