"""What stands on the tracks of a tile in all: from cars told apart, or from occupied length."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from railcount.cars.describe import chances, describe, interval
from railcount.cars.error import doubt, error_share, with_error
from railcount.cars.kinds import KINDS, kind_probabilities
from railcount.cars.split import split
from railcount.cars.stretches import (
    LENGTH_ERROR_SHARE,
    best_count,
    count_distribution,
    mean_length_m,
    read_stretches,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.cars.lengths import Stock
    from railcount.cars.split import Split
    from railcount.counts import Car, TileCount
    from railcount.occupancy import Evidence


LENGTH_TO_M = 2.001
"""Largest pixel in which most of the occupied track is seen. In coarser ones much of it passes for empty: on
simulated scenes 8 % of the length is missed at 2 m, and nearly half at 3 m."""
COVER_CORRELATION = 0.5
"""Of the doubts about what is covered: light and paints mislead in the whole tile. From the coverage on
simulated scenes, where locomotives, which stand alone, showed none."""


def car_by_car(result: TileCount, evidence: Sequence[Evidence], *, stock: Stock) -> TileCount:
    """Fill in the cars of ``result.strips`` and their totals, in the regimes ``cars`` and ``pitch``."""
    assert result.grid is not None  # set by count_cars
    assert result.regime is not None
    assert result.tracks is not None
    rows = split(result.strips, evidence, stock=stock)
    share = error_share(
        result.regime,
        gsd_m=result.grid.gsd_m,
        doubt=doubt(evidence, step_m=rows.step_m),
        source=result.tracks.source,
    )
    rows = replace(rows, counts=with_error(rows.counts, share=share))
    kinds = kind_probabilities(rows.cars, evidence)
    cars = describe(
        rows, result.strips, kinds, grid=result.grid, stock=stock, by_pitch=result.regime == "pitch"
    )
    return with_totals(replace(result, cars=cars, error_share=share), rows, kinds)


def by_length(
    result: TileCount,
    evidence: Sequence[Evidence],
    *,
    stock: Stock,
    error_share: float = LENGTH_ERROR_SHARE,
) -> TileCount:
    """Fill in the occupied stretches of ``result.strips`` and how many cars they hold.

    Locomotives and covers cannot be told: they are None, and locomotives are among the railcars.
    """
    assert result.grid is not None  # set by count_cars
    occupied = read_stretches(result.strips, evidence, grid=result.grid, error_share=error_share)
    best = best_count(occupied, stock=stock)
    told = interval(count_distribution(occupied, stock=stock), best=best)
    bound = ""
    if result.grid.gsd_m > LENGTH_TO_M:
        track_m = result.tracks.length_m if result.tracks is not None else 0.0
        told = replace(told, high=max(told.high, int(track_m / mean_length_m(stock))))
        bound = "; it is a lower bound, and the interval reaches up to full tracks"
    reason = (
        f"pixels of {result.grid.gsd_m:.1f} m do not tell cars apart: the count is the occupied length of "
        f"{occupied.length_m:.0f} m, give or take {1.645 * occupied.error_m:.0f} m, over a mean car length "
        f"of {mean_length_m(stock):.1f} m over couplers (stock {stock.name}); locomotives are in it{bound}"
    )
    return replace(
        result,
        status="degraded",
        reasons=(*result.reasons, reason),
        railcars=told,
        trains=len(occupied.stretches),
        occupied_m=occupied.length_m,
        by_type={"unknown": best} if best else {},
        stretches=occupied.stretches,
    )


def with_totals(result: TileCount, rows: Split, kinds: NDArray[np.float64]) -> TileCount:
    """The tile's totals from its cars, the distribution of their number, and their kinds (cars, KINDS)."""
    cars = result.cars
    n_locomotives = sum(c.kind == "locomotive" for c in cars)
    sure = np.array([s.probability for s in rows.cars])
    locomotives = chances(sure * kinds[:, KINDS.index("locomotive")])
    railcars = np.convolve(rows.counts, locomotives[::-1])[len(locomotives) - 1 :]
    covered = chances(sure * kinds[:, KINDS.index("covered")], correlation=COVER_CORRELATION)
    return replace(
        result,
        railcars=interval(railcars, best=len(cars) - n_locomotives),
        locomotives=interval(locomotives, best=n_locomotives),
        covered=interval(covered, best=sum(bool(c.covered) for c in cars)),
        trains=len({c.train for c in cars}),
        occupied_m=_occupied_m(cars),
        by_type=dict(sorted(Counter(c.kind for c in cars).items())),
    )


def _occupied_m(cars: Sequence[Car]) -> float:
    """Metres of track under trains, the gaps between coupled cars included."""
    ends: dict[int, list[float]] = {}
    for car in cars:
        ends.setdefault(car.train, []).extend((car.start_m, car.end_m))
    return float(sum(max(e) - min(e) for e in ends.values()))
