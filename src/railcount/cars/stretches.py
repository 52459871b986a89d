"""Occupied stretches of track, where pixels are too coarse to tell cars apart, and how many cars fit in.

The evidence says of every column of a strip whether vehicles stand on it, be it a body or a gap. The
number of cars is the occupied length over a mean length over couplers, and both are uncertain: the
length because metres are in doubt and because the evidence may be wrong for a whole tile, the mean
because the kinds that stand there are not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, ndtr
from skimage.morphology import closing, opening

from railcount.cars.describe import BODY_WIDTH_M
from railcount.cars.lengths import COUPLED_GAP_M
from railcount.counts import Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.cars.lengths import Stock
    from railcount.occupancy import Evidence
    from railcount.raster.grid import Grid
    from railcount.strips import Strip

    Array = NDArray[np.float64]

SHORTEST_M = 8.0
"""Of a stretch, and of the empty track between two: below it neither can be seen in pixels of 2 to 4 m."""
DOUBT_M = 30.0
"""Metres that are wrong together: the evidence looks about so far along the track."""
LENGTH_ERROR_SHARE = 0.2
"""Of the occupied length: standard error that a whole tile shares. ``benchmarks/accuracy/calibrate.py``
prints the coverage of the interval and the share needed."""
LENGTH_ERROR_M = 15.0
"""The same for what does not grow with the length: about one car."""
KINDS_A_TILE = 3
"""Cars come in blocks of one kind: a tile's mean length is taken as that of so many draws from the table.
With the table ``any`` its middle 90 % are 13 to 23 m."""
LONGEST_OUTLINE_STEP_M = 10.0
"""Between the corners of a stretch's outline, so that it follows a curve."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Occupied:
    """What stands on the tracks of a tile, in metres."""

    stretches: tuple[Stretch, ...]
    length_m: float
    """Of all stretches."""
    error_m: float
    """Standard error of ``length_m``."""


def occupied_probability(evidence: Evidence) -> Array:
    """(along,): that a vehicle, or the gap between two coupled ones, is there; 0 where too little is seen."""
    likely = np.logaddexp(evidence.body, evidence.gap)
    return np.asarray(np.where(evidence.seen, expit(likely), 0.0))


def read_stretches(
    strips: Sequence[Strip],
    evidence: Sequence[Evidence],
    *,
    grid: Grid,
    error_share: float = LENGTH_ERROR_SHARE,
) -> Occupied:
    """The occupied stretches of all strips and their length with its standard error.

    ``error_share`` of the length is what the evidence may be wrong by for the whole tile.
    """
    stretches: list[Stretch] = []
    variance, length_m, expected_m = 0.0, 0.0, 0.0
    for strip, one in zip(strips, evidence, strict=True):
        p = occupied_probability(one)
        for start, end in runs(p, shortest=round(SHORTEST_M / strip.step_m)):
            stretches.append(_stretch(strip, start, end, p[start:end], grid=grid))
            length_m += (end - start) * strip.step_m
        variance += float((p * (1 - p)).sum()) * strip.step_m * min(DOUBT_M, strip.length_m)
        expected_m += float(p.sum()) * strip.step_m
    # Where much is neither likely nor unlikely, the stretches are not what is to be expected.
    variance += (expected_m - length_m) ** 2
    shared = (error_share * length_m) ** 2 + (LENGTH_ERROR_M**2 if stretches else 0.0)
    return Occupied(stretches=tuple(stretches), length_m=length_m, error_m=float(np.sqrt(variance + shared)))


def runs(probability: Array, *, shortest: int) -> list[tuple[int, int]]:
    """[start, end) of the columns that are likely occupied, after closing and opening by ``shortest``."""
    element = np.ones((1, max(shortest, 1)), dtype=np.uint8)
    row = np.pad((probability > 0.5).astype(np.uint8)[None], ((0, 0), (shortest, shortest)), mode="edge")
    likely = opening(closing(row, element), element)[0, shortest : shortest + len(probability)]
    edge = np.flatnonzero(np.diff(np.concatenate([[0], likely, [0]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edge[::2], edge[1::2], strict=True)]


def mean_length_m(stock: Stock) -> float:
    """Mean length over couplers of the stock table."""
    return float(np.average(stock.lengths_m, weights=stock.weights))


def tile_means(stock: Stock) -> tuple[Array, Array]:
    """(n,) mean lengths over couplers that a tile may have, and their probabilities."""
    lengths, p = np.array(stock.lengths_m), np.array(stock.weights) / sum(stock.weights)
    total, chance = lengths, p
    for _ in range(KINDS_A_TILE - 1):
        total = np.add.outer(total, lengths).ravel()
        chance = np.multiply.outer(chance, p).ravel()
    means, at = np.unique(np.round(total / KINDS_A_TILE, 1), return_inverse=True)
    return means, np.asarray(np.bincount(at, weights=chance), dtype=np.float64)


def best_count(occupied: Occupied, *, stock: Stock) -> int:
    """The cars that fit into the stretches, each a coupling shorter than its cars are over couplers."""
    return round((occupied.length_m + COUPLED_GAP_M * len(occupied.stretches)) / mean_length_m(stock))


def count_distribution(occupied: Occupied, *, stock: Stock) -> Array:
    """(most + 1,): probability of each number of cars."""
    means, chance = tile_means(stock)
    length_m = occupied.length_m + COUPLED_GAP_M * len(occupied.stretches)
    error_m = max(occupied.error_m, 0.5)
    most = int((length_m + 5 * error_m) / means.min()) + 2
    edges = np.arange(most + 1) + 0.5
    below = ndtr((edges[None] * means[:, None] - length_m) / error_m)
    cumulative = chance @ below
    counts = np.diff(np.concatenate([[0.0], cumulative]))
    return np.asarray(counts / counts.sum())


def _stretch(strip: Strip, start: int, end: int, probability: Array, *, grid: Grid) -> Stretch:
    """A stretch between two strip columns, its outline along both sides of the track."""
    last = len(strip.centre_px) - 1
    n = max(2, int((end - start) * strip.step_m / LONGEST_OUTLINE_STEP_M) + 2)
    at = np.clip(np.round(np.linspace(start, end, n)).astype(int), 0, last)
    centre = grid.to_local(strip.centre_px[at])
    right = np.stack([-strip.direction[at][:, 1], strip.direction[at][:, 0]], axis=-1) * BODY_WIDTH_M / 2
    return Stretch(
        track=strip.track.id,
        start_m=start * strip.step_m,
        end_m=end * strip.step_m,
        confidence=float(probability.mean()),
        outline_px=grid.to_pixel(np.concatenate([centre - right, (centre + right)[::-1]])),
    )
