"""From columns of a strip to cars on the ground: outline, kind, confidence, flags."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from railcount.cars.kinds import KINDS
from railcount.cars.lengths import COUPLED_GAP_M
from railcount.counts import Car, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.cars.lengths import Stock
    from railcount.cars.sentence import Segment
    from railcount.cars.split import Split
    from railcount.counts import Kind
    from railcount.raster.grid import Grid
    from railcount.strips import Strip

    Array = NDArray[np.float64]

BODY_WIDTH_M = 3.1
"""Of the outlines; rolling stock is 2.8 to 3.3 m wide, a difference of one pixel at 0.5 m."""
SURE_KIND = 0.55
"""Below this probability the kind is ``unknown``."""
LOW_CONFIDENCE = 0.6
FACTOR_POINTS = 25
"""Of the quadrature over the common factor."""


def describe(
    split: Split,
    strips: Sequence[Strip],
    kinds: Array,
    *,
    grid: Grid,
    stock: Stock,
    by_pitch: bool = False,
) -> tuple[Car, ...]:
    """Every car with its outline, kind, confidence and flags, in the order of the strips.

    ``kinds`` (cars, KINDS) are their probabilities.
    ``by_pitch``: the gaps between coupled cars are narrower than a pixel, so such cars are flagged.
    """
    cars: list[Car] = []
    train, position, row = 0, 0, -1
    following = [s.coupled for s in split.cars[1:]]
    for segment, followed, p in zip(split.cars, [*following, False], kinds, strict=False):
        if segment.row != row or not segment.coupled:
            train, position, row = train + 1, 0, segment.row
        position += 1
        strip = strips[segment.row]
        car = _car(segment, strip, p, train=train, position=position, grid=grid, stock=stock)
        if by_pitch and (segment.coupled or followed):
            car = replace(car, flags=(*car.flags, "split_by_pitch"))
        cars.append(car)
    return tuple(cars)


def _car(
    segment: Segment, strip: Strip, p: Array, *, train: int, position: int, grid: Grid, stock: Stock
) -> Car:
    step = strip.step_m
    start_m, end_m = segment.start * step, segment.end * step
    kind: Kind = KINDS[int(p.argmax())] if p.max() >= SURE_KIND else "unknown"
    middle = (segment.start + segment.end) // 2
    direction = strip.direction[min(middle, len(strip.direction) - 1)]
    cut = segment.start == 0 or segment.end == len(strip.centre_px)
    covered_p = float(p[KINDS.index("covered")])
    return Car(
        track=strip.track.id,
        train=train,
        position=position,
        kind=kind,
        covered=None if 1 - SURE_KIND < covered_p < SURE_KIND else covered_p >= SURE_KIND,
        start_m=start_m,
        end_m=end_m,
        offset_m=0.0,
        length_m=end_m - start_m,
        width_m=BODY_WIDTH_M,
        heading_deg=None
        if grid.crs is None
        else float(np.degrees(np.arctan2(direction[0], -direction[1])) % 180),
        confidence=segment.probability,
        flags=_flags(segment, length_m=end_m - start_m, cut=cut, stock=stock),
        outline_px=outline(strip, segment.start, segment.end, grid=grid),
    )


def _flags(segment: Segment, *, length_m: float, cut: bool, stock: Stock) -> tuple[str, ...]:
    flags = []
    if cut:
        flags.append("cut")
    if segment.probability < LOW_CONFIDENCE:
        flags.append("low_contrast")
    nearest = min(abs(length_m + COUPLED_GAP_M - known) for known in stock.lengths_m)
    if not cut and nearest > 1.5:
        flags.append("length_unusual")
    return tuple(flags)


def outline(strip: Strip, start: int, end: int, *, grid: Grid) -> Array:
    """(4, 2): corners of a body between two columns of a strip, in pixel coordinates."""
    ends = np.array([start, min(end, len(strip.centre_px)) - 1])
    centre = grid.to_local(strip.centre_px[ends])
    along = strip.direction[ends] * strip.step_m / 2
    centre = centre + np.array([-1.0, 1.0])[:, None] * along
    right = np.stack([-strip.direction[ends][:, 1], strip.direction[ends][:, 0]], axis=-1) * BODY_WIDTH_M / 2
    corners = np.array(
        [centre[0] - right[0], centre[1] - right[1], centre[1] + right[1], centre[0] + right[0]]
    )
    return grid.to_pixel(corners)


def interval(distribution: Array, *, best: int, level: float = 0.9) -> Interval:
    """The central interval of a distribution over 0, 1, 2 ..., widened to hold ``best``."""
    total = np.cumsum(distribution / distribution.sum())
    low = int(np.searchsorted(total, (1 - level) / 2))
    high = int(np.searchsorted(total, (1 + level) / 2))
    return Interval(best=best, low=min(low, best), high=max(high, best), level=level)


def chances(probabilities: Array, *, correlation: float = 0.0) -> Array:
    """Distribution of the number of successes of trials that share a part of their luck.

    Given a standard normal variable that all share, the trials are independent, and their number is Poisson
    binomial: the one-factor model of Vasicek ("The distribution of loan portfolio value", Risk, 2002).
    ``correlation`` below 1 is the share of the common factor.
    """
    at, weight = np.polynomial.hermite_e.hermegauss(FACTOR_POINTS if correlation else 1)
    need = ndtri(np.clip(probabilities, 1e-12, 1 - 1e-12))
    out = np.zeros(len(probabilities) + 1)
    for z, w in zip(at, weight / weight.sum(), strict=True):
        one = np.full(1, w)
        for p in ndtr((need - np.sqrt(correlation) * z) / np.sqrt(1 - correlation)):
            one = np.convolve(one, [1 - p, p])
        out += one
    return out
