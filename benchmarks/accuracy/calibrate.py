"""How honest the 90 % intervals are in each regime, and what model error they need.

    python benchmarks/accuracy/calibrate.py                     every regime, 20 scenes each pixel size
    python benchmarks/accuracy/calibrate.py --regime pitch --scenes 40

Draws simulated scenes, clear ones and ones with a nuisance, counts them with the true tracks, and prints
for each regime: the share of the scenes whose interval holds the truth, with the model error of the
package and without any; the smallest share of the total that, as model error in every scene, makes it 90 %;
and the mean width against that of a perfectly calibrated interval of the same errors. The shares go into
cars/error.py and ``LENGTH_ERROR_SHARE`` (cars/stretches.py) by hand.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from factors import FACTORS, at_gsd

from railcount.cars.describe import describe, interval
from railcount.cars.error import doubt, error_share, with_error
from railcount.cars.kinds import kind_probabilities
from railcount.cars.lengths import COUPLED_GAP_M, Stock, load_stock
from railcount.cars.split import split
from railcount.cars.stretches import (
    LENGTH_ERROR_SHARE,
    Occupied,
    best_count,
    count_distribution,
    read_stretches,
)
from railcount.cars.totals import with_totals
from railcount.counts import Interval, TileCount
from railcount.evaluate import MIN_VISIBLE_FRACTION
from railcount.occupancy import Evidence, measure
from railcount.raster.tile import Pixels
from railcount.regimes import REGIMES, Regime
from railcount.simulate import RenderedScene, Scene, render
from railcount.strips import Strip, straighten
from railcount.tracks.network import Track, TrackNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_SEED = 950_000
LEVEL = 0.9
SIZES_M: dict[Regime, tuple[float, ...]] = {
    "cars": (0.3, 0.5, 0.7),
    "pitch": (0.9, 1.2, 1.5),
    "occupied_length": (2.0, 3.0, 4.0),
}
"""Pixel sizes drawn for each regime."""
LARGER_M, LARGER_BEYOND_M = (480.0, 320.0), 0.8
"""The frame of scenes in pixels beyond 0.8 m: they must show enough cars."""
NUISANCES = (
    "clear", "haze", "clear", "sun-15", "mixed", "snow-patches", "clear", "noise", "fill-95", "jpeg",
    "single-cars", "light-gravel", "fill-5", "dark-on-dark", "tarpaulins", "wet", "pan", "tight-3.6m",
    "curve-250m", "fill-0",
)  # fmt: skip
"""Of the scenes in turn."""
LARGEST_SHARE = 1.0
SHARE_STEP = 0.005


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One counted scene."""

    name: str
    least: int
    """Railcars that must be counted: those of which half is seen."""
    most: int
    """Railcars in the frame."""
    told: Callable[[float], Interval]
    """The interval with a share of model error."""
    share: float
    """Of model error, as the package reckons it."""
    length_error: tuple[float, float, float] | None = None
    """(true, told, standard error) of the occupied length in metres, in that regime."""

    def holds(self, share: float | None = None) -> bool:
        """Whether the interval holds the truth; what is half hidden may be counted or not.

        Without a share that of the package.
        """
        said = self.told(self.share if share is None else share)
        return said.low <= self.most and self.least <= said.high


def main() -> int:
    """Print the calibration of the regimes asked for."""
    parser = argparse.ArgumentParser(
        description="Coverage of the 90 % intervals, and the model error needed."
    )
    parser.add_argument("--regime", choices=REGIMES, action="append", help="all without it; may be repeated")
    parser.add_argument("--scenes", type=int, default=20, help="for each pixel size (default 20)")
    parser.add_argument("--gsd", type=float, action="append", help="instead of the regime's pixel sizes")
    parser.add_argument("--stock", default="any", help="table of car lengths (default any)")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("-v", action="store_true", help="print a line for every scene")
    asked = parser.parse_args()
    stock = load_stock(asked.stock)
    for regime in asked.regime or REGIMES:
        for gsd_m in asked.gsd or SIZES_M[regime]:
            trials = [
                trial(
                    scene(k, gsd_m=gsd_m), seed=asked.first_seed + k, regime=regime, stock=stock, talk=asked.v
                )
                for k in range(asked.scenes)
            ]
            print(f"{regime} at {gsd_m:g} m: {report(trials)}", flush=True)
    return 0


def scene(k: int, *, gsd_m: float) -> Scene:
    """The k-th scene: each with the next nuisance."""
    factor = FACTORS[NUISANCES[k % len(NUISANCES)]]
    coarser = at_gsd(gsd_m, size_m=LARGER_M) if gsd_m > LARGER_BEYOND_M else at_gsd(gsd_m)
    return replace(coarser(factor.scene(FIRST_SEED + k)), name=f"{factor.name}-{k}")


def trial(made: Scene, *, seed: int, regime: Regime, stock: Stock, talk: bool) -> Trial:
    """Draw a scene and count it in a regime."""
    drawn = render(made, seed=seed)
    names = {1: ("gray",), 3: ("red", "green", "blue")}.get(len(drawn.bands), ("red", "green", "blue", "nir"))
    pixels = Pixels(bands=drawn.bands.astype(np.float32), valid=drawn.valid, names=names)
    tracks = tuple(Track(id=t.id, line_px=t.line_px) for t in drawn.tracks)
    strips = straighten(pixels, TrackNetwork(tracks=tracks, source="given"), grid=drawn.grid)
    evidence = measure(strips, coarse=regime == "occupied_length")
    railcars = [c for c in drawn.cars if c.kind != "locomotive"]
    unsure = doubt(evidence, step_m=strips[0].step_m)
    one = Trial(
        name=made.name,
        least=sum(c.visible >= MIN_VISIBLE_FRACTION for c in railcars),
        most=len(railcars),
        told=_by_car(drawn, strips, evidence, stock=stock),
        share=error_share(regime, gsd_m=drawn.grid.gsd_m, doubt=unsure, source="given"),
    )
    if regime == "occupied_length":
        occupied = read_stretches(strips, evidence, grid=drawn.grid, error_share=0.0)
        error_m = float(np.hypot(occupied.error_m, LENGTH_ERROR_SHARE * occupied.length_m))
        one = replace(
            one,
            told=_by_length(occupied, stock=stock),
            share=LENGTH_ERROR_SHARE,
            length_error=(true_length_m(drawn), occupied.length_m, error_m),
        )
    if talk:
        said = one.told(one.share)
        length = (
            "" if one.length_error is None else " length {:.0f} m: {:.0f} +- {:.0f}".format(*one.length_error)
        )
        print(
            f"  simulated {one.name}: {said.best} ({said.low}-{said.high}) of {one.least}, doubt {unsure:.3f}"
            f"{length}",
            flush=True,
        )
    return one


def _by_car(
    drawn: RenderedScene, strips: tuple[Strip, ...], evidence: tuple[Evidence, ...], *, stock: Stock
) -> Callable[[float], Interval]:
    rows = split(strips, evidence, stock=stock)
    kinds = kind_probabilities(rows.cars, evidence)
    cars = describe(rows, strips, kinds, grid=drawn.grid, stock=stock)
    blank = TileCount(tile="drawn", sha256=None, status="counted", grid=drawn.grid, cars=cars)

    def told(share: float) -> Interval:
        counts = with_error(rows.counts, share=share)
        found = with_totals(blank, replace(rows, counts=counts), kinds).railcars
        assert found is not None  # with_totals fills it in
        return found

    return told


def _by_length(occupied: Occupied, *, stock: Stock) -> Callable[[float], Interval]:
    best = best_count(occupied, stock=stock)

    def told(share: float) -> Interval:
        error_m = float(np.hypot(occupied.error_m, share * occupied.length_m))
        return interval(count_distribution(replace(occupied, error_m=error_m), stock=stock), best=best)

    return told


def true_length_m(drawn: RenderedScene) -> float:
    """Metres of track under vehicles, the gaps between coupled ones included."""
    bodies = sum(c.length_m * c.in_frame for c in drawn.cars)
    trains = {(c.track, c.train) for c in drawn.cars}
    return bodies + COUPLED_GAP_M * (len(drawn.cars) - len(trains))


def report(trials: list[Trial]) -> str:
    """One line of figures."""
    said = [t.told(t.share) for t in trials]
    shares = np.array([t.share for t in trials])
    errors = np.array([s.best - np.clip(s.best, t.least, t.most) for s, t in zip(said, trials, strict=True)])
    width = np.mean([s.high - s.low for s in said])
    ideal = 2 * 1.645 * float(np.sqrt((errors**2).mean()))
    truth = np.mean([t.least for t in trials])
    text = (
        f"{len(trials)} scenes, {truth:.0f} cars in mean, bias {errors.mean():+.1f}, "
        f"mean absolute error {np.abs(errors).mean():.1f}, coverage {coverage(trials):.2f} "
        f"with shares of {shares.min():.3f} to {shares.max():.3f} ({coverage(trials, 0.0):.2f} with 0), "
        f"{needed(trials)}, "
        f"width {width:.1f} ({width / max(ideal, 1.0):.1f} x calibrated)"
    )
    lengths = np.array([t.length_error for t in trials if t.length_error is not None])
    if len(lengths):
        true, told, error = lengths.T
        inside = (np.abs(told - true) <= 1.645 * error).mean()
        some = true > 0
        ratio = told[some].sum() / true[some].sum()
        scatter = float(np.std(told[some] / true[some]))
        text += f"; length told / true {ratio:.2f} (scatter {scatter:.2f}), its interval holds {inside:.2f}"
    return text


def coverage(trials: list[Trial], share: float | None = None) -> float:
    """Share of the scenes whose interval holds the truth."""
    return float(np.mean([t.holds(share) for t in trials]))


def needed(trials: list[Trial]) -> str:
    """The smallest share of model error with which enough of the intervals hold the truth."""
    if coverage(trials, LARGEST_SHARE) < LEVEL:
        return f"no share to {LARGEST_SHARE:g} gives {LEVEL:g}: the count is biased, not uncertain"
    low, high = 0.0, LARGEST_SHARE
    while high - low > SHARE_STEP:
        middle = (low + high) / 2
        low, high = (low, middle) if coverage(trials, middle) >= LEVEL else (middle, high)
    return f"a share of {high if low else 0:.3f} gives {LEVEL:g}"


if __name__ == "__main__":
    sys.exit(main())
