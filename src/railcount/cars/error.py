"""How wrong the model itself may be about a total: an error that all cars of a tile share.

Single cars are there or not, each with its own probability, and the sum over them is the posterior of
`railcount.cars.sentence`. Light, snow, paints and stock that was never learned from mislead everywhere at
once; no posterior shows that. But where the pictures mislead, the network doubts more columns than in a
clear one, and that it can be asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from railcount.occupancy import LIMIT
from railcount.regimes import COARSEST_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.occupancy import Evidence
    from railcount.regimes import Regime
    from railcount.tracks.network import TrackSource

    Array = NDArray[np.float64]

ERROR_CARS = 0.6
"""Standard error of the total, in cars, however few there are."""
LEAST_SHARE = 0.02
"""Of the total, in the clearest picture."""
CLEAR_DOUBT = 0.01
"""Doubt of a clear picture: that of the columns at the ends of cars."""
SHARE_OF_DOUBT = 1.5
"""Of the total, for what is doubted beyond that."""
FOUND_SHARE = 0.04
"""Of the total: tracks that were found can miss a part of the yard."""
PIXEL_SHARES = {"finest": 0.06, "coarsest": 0.2}
"""Of the total, for pixels of 0.8 m and of 1.5 m; in between it grows evenly."""
LEAST_OCCUPIED_M = 30.0
"""Two cars: with fewer, a share of them says nothing."""


def doubt(evidence: Sequence[Evidence], *, step_m: float) -> float:
    """Metres of track of which it is not known whether they are occupied, per metre that is.

    The variance of each column's state beyond that of a column as sure as the log-odds' limit lets it be,
    summed, over the expected number of occupied columns.
    """
    p = np.concatenate([np.zeros(0), *(expit(e.body[e.seen]) for e in evidence)])
    least = expit(LIMIT) * expit(-LIMIT)
    return float((p * (1 - p) - least).clip(0.0).sum() / max(p.sum(), LEAST_OCCUPIED_M / step_m))


def error_share(regime: Regime, *, gsd_m: float, doubt: float, source: TrackSource) -> float:
    """Standard error of the total that all cars share, as a share of it, where cars are told apart."""
    parts = [LEAST_SHARE, SHARE_OF_DOUBT * max(doubt - CLEAR_DOUBT, 0.0)]
    if regime == "pitch":
        parts.append(_pixel_share(gsd_m))
    if source == "found":
        parts.append(FOUND_SHARE)
    return float(np.hypot.reduce(parts))


def _pixel_share(gsd_m: float) -> float:
    fine, coarse = COARSEST_M["cars"], COARSEST_M["pitch"]
    if gsd_m <= fine:  # resampled from pixels of whatever size
        return PIXEL_SHARES["coarsest"]
    return float(np.interp(gsd_m, (fine, coarse), list(PIXEL_SHARES.values())))


def with_error(counts: Array, *, share: float) -> Array:
    """Probability of each total (n,) once the model itself may be wrong.

    A normal error, of ``share`` of the total and of ERROR_CARS, is added to the total where there are cars;
    what would be negative is 0.
    """
    mean = float((np.arange(len(counts)) * counts).sum())
    if mean < 0.5:
        return counts
    spread = float(np.hypot(share * mean, ERROR_CARS))
    shift = np.arange(-int(4 * spread) - 1, int(4 * spread) + 2)
    weight = np.exp(-0.5 * (shift / spread) ** 2)
    blurred = np.convolve(counts, weight / weight.sum())
    below = -int(shift[0])
    out = blurred[below:].copy()
    out[0] += blurred[:below].sum()
    return np.asarray(out)
