"""The most probable row of cars on every strip, and how many there are in all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from railcount.cars.lengths import COUPLED_GAP_M, LONGEST_BODY_M
from railcount.cars.sentence import Segment, Words, both_ends, count_distribution, segments
from railcount.regimes import COARSEST_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.cars.lengths import Stock
    from railcount.occupancy import Evidence
    from railcount.regimes import Regime
    from railcount.strips import Strip

    Array = NDArray[np.float64]

LONGEST_GAP_M = 2.5
"""Body to body; farther apart are two trains."""
GAP_SPREAD_M = 0.4
LOG_TRAIN = -15.5
"""Log-weight of a train against empty track: most of the columns of a car must speak for it."""
LOG_CAR = 0.0
BODY_WEIGHT = 0.2
"""Neighbouring columns see the same thing: each counts as this share of an independent witness."""
GAP_WEIGHT = 1.0
"""The same for the few columns of a gap."""
MODEL_ERROR_SHARE = 0.04
"""Of the total, for pixels to 0.8 m: a little more than our own simulated scenes ask for, since on those of
another renderer 0.03 held the truth in about eight of ten only."""
PITCH_ERROR_SHARES = {"finest": 0.08, "coarsest": 0.2}
"""Of the total, for pixels of 0.8 m and of 1.5 m; in between it grows evenly. docs/ACCURACY.md has the
coverage; ``benchmarks/accuracy/calibrate.py`` prints the share needed."""
MODEL_ERROR_CARS = 0.6
TOLERANCE_M = 1.5
"""A car found within this of the truth at both ends is the same car."""
PITCH_SHARE = 0.7
"""Weight of the lengths that the tile itself shows against the table's, once enough are seen."""
CARS_TO_TRUST_PITCH = 12.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Rows of cars of all strips of a tile."""

    cars: tuple[Segment, ...]
    """In columns of their strip; ``row`` is the strip's number."""
    counts: Array
    """(most + 1,): probability of each total number of cars."""
    step_m: float


def split(
    strips: Sequence[Strip],
    evidence: Sequence[Evidence],
    *,
    stock: Stock,
    error_share: float | None = MODEL_ERROR_SHARE,
) -> Split:
    """Read every strip as a row of cars; twice, the second time with the lengths the tile shows.

    ``error_share`` of the total is what the model itself may be wrong by; None leaves its error out.
    """
    if not strips:
        return Split(cars=(), counts=np.ones(1), step_m=0.25)
    step_m = strips[0].step_m
    body_m = step_m * np.arange(round(LONGEST_BODY_M / step_m) + 1, dtype=np.float64)
    prior = stock.body_prior(body_m)
    words = _words(evidence, prior, step_m=step_m)
    first = segments(words, tolerance=round(TOLERANCE_M / step_m))
    prior = _with_pitch(prior, first, words, step_m=step_m)
    words = replace(words, body_prior=_log(prior) + LOG_CAR)
    swept = both_ends(words, max_cars=round(max(s.length_m for s in strips) / 8.0) + 1)
    cars = segments(words, tolerance=round(TOLERANCE_M / step_m), swept=swept)
    counts = np.ones(1)
    for row in count_distribution(swept[0]):
        counts = np.convolve(counts, row)
    if error_share is not None:
        counts = with_model_error(counts, share=error_share)
    return Split(cars=tuple(cars), counts=counts, step_m=step_m)


def model_error_share(regime: Regime, *, gsd_m: float) -> float:
    """Of the total: what the model itself may be wrong by, where cars are told apart."""
    if regime == "cars":
        return MODEL_ERROR_SHARE
    fine, coarse = COARSEST_M["cars"], COARSEST_M["pitch"]
    if gsd_m <= fine:  # resampled from pixels of whatever size
        return PITCH_ERROR_SHARES["coarsest"]
    return float(np.interp(gsd_m, (fine, coarse), list(PITCH_ERROR_SHARES.values())))


def with_model_error(
    counts: Array, *, share: float = MODEL_ERROR_SHARE, cars: float = MODEL_ERROR_CARS
) -> Array:
    """Probability of each total once the model itself may be wrong: it sees no error that all cars share.

    A normal error, of ``share`` of the total and of ``cars``, is added to the total (n,) where there are
    cars; what would be negative is 0.
    """
    mean = float((np.arange(len(counts)) * counts).sum())
    if mean < 0.5:
        return counts
    spread = float(np.hypot(share * mean, cars))
    shift = np.arange(-int(4 * spread) - 1, int(4 * spread) + 2)
    weight = np.exp(-0.5 * (shift / spread) ** 2)
    blurred = np.convolve(counts, weight / weight.sum())
    below = -int(shift[0])
    out = blurred[below:].copy()
    out[0] += blurred[:below].sum()
    return np.asarray(out)


def _log(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p))


def _words(evidence: Sequence[Evidence], prior: Array, *, step_m: float) -> Words:
    n = max(len(e.body) for e in evidence)

    def stack(rows: list[Array], width: int) -> Array:
        out = np.zeros((len(rows), width))
        for r, row in enumerate(rows):
            out[r, : len(row)] = row
        return out

    gap_m = np.arange(round(LONGEST_GAP_M / step_m) + 1) * step_m
    gap = np.exp(-0.5 * ((gap_m - COUPLED_GAP_M) / GAP_SPREAD_M) ** 2) + 0.05
    gap[0] = 0.0
    return Words(
        body=stack([BODY_WEIGHT * e.body for e in evidence], n),
        gap=stack([BODY_WEIGHT * e.body + GAP_WEIGHT * (e.gap - e.body) for e in evidence], n),
        body_prior=_log(prior) + LOG_CAR,
        gap_prior=_log(gap / gap.sum()),
        log_train=LOG_TRAIN,
        length=np.array([len(e.body) for e in evidence]),
    )


def _with_pitch(prior: Array, cars: Sequence[Segment], words: Words, *, step_m: float) -> Array:
    """The prior, drawn towards the lengths of the surely seen cars of this tile."""
    size = np.array(
        [c.end - c.start for c in cars if c.start > 0 and c.end < words.length[c.row]], dtype=float
    )
    sure = np.array([c.probability for c in cars if c.start > 0 and c.end < words.length[c.row]])
    seen = float(sure.sum())
    if seen < 3:
        return prior
    columns = np.arange(len(prior))
    spread = 0.3 / step_m
    shown = (sure[:, None] * np.exp(-0.5 * ((columns[None] - size[:, None]) / spread) ** 2)).sum(axis=0)
    shown *= prior > 0
    share = PITCH_SHARE * seen / (seen + CARS_TO_TRUST_PITCH)
    return np.asarray((1 - share) * prior + share * shown / shown.sum())
