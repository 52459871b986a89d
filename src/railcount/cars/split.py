"""The row of cars on every strip, and how many there are in all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from railcount.cars.lengths import COUPLED_GAP_M, LONGEST_BODY_M
from railcount.cars.reading import segments
from railcount.cars.sentence import Segment, Words, both_ends, count_distribution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.cars.lengths import Stock
    from railcount.occupancy import Evidence
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
    """(most + 1,): probability of each total number of cars, if the model is right."""
    step_m: float


def split(
    strips: Sequence[Strip],
    evidence: Sequence[Evidence],
    *,
    stock: Stock,
) -> Split:
    """Read every strip as a row of cars; twice, the second time with the lengths the tile shows."""
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
    return Split(cars=tuple(cars), counts=counts, step_m=step_m)


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
