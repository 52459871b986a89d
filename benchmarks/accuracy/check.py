"""Accuracy on drawn scenes, small enough to run on every change; fails on a loss.

    python benchmarks/accuracy/check.py

Draws clear yards at 0.5 m, counts them with the tracks given and with the tracks found, and an
empty yard. The scenes are simulated and their seeds are not among those the networks learned from.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from shapely import Polygon

from railcount.counts import TileCount
from railcount.evaluate import match
from railcount.raster.tile import Pixels
from railcount.scan import count_cars
from railcount.simulate import (
    Ground,
    Layout,
    Lineside,
    RenderedScene,
    Scene,
    Sensor,
    Stock,
    Sun,
    Weather,
    render,
)
from railcount.tracks.find import find_tracks
from railcount.tracks.network import Track, TrackNetwork

FIRST_SEED = 900_000
N_CLEAR = 8
IOU = 0.3
LEAST_F1 = {"given": 0.95, "found": 0.90}
MOST_COUNT_ERROR = 0.05


@dataclass
class Tally:
    """Matches of several scenes."""

    matched: int = 0
    predicted: int = 0
    truth: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.matched / max(self.predicted + self.truth, 1)

    @property
    def count_error(self) -> float:
        return abs(self.predicted - self.truth) / max(self.truth, 1)


def clear_yard(*, n_railcars: int, kind: str) -> Scene:
    """Eight tracks, a clear sky, 0.5 m: what the count must get right."""
    return Scene(
        layout=Layout(kind=kind, n_tracks=8, spacing_m=(4.2, 5.3)),
        sun=Sun(elevation_deg=(35.0, 65.0)),
        ground=Ground(),
        stock=Stock(n_railcars=n_railcars, n_locomotives=0 if n_railcars == 0 else None, camouflage=0.0),
        lineside=Lineside(canopies=0),
        weather=Weather(haze=0.0, snow=0.0, wet=0.0),
        sensor=Sensor(resolution_m=(0.5, 0.7), jpeg_quality=100),
    )


def count(scene: RenderedScene, *, found: bool) -> TileCount:
    """Count a drawn scene as ``railcount scan`` counts a tile."""
    pixels = Pixels(bands=scene.bands.astype(np.float32), valid=scene.valid, names=("red", "green", "blue"))
    if found:
        network = find_tracks(pixels, grid=scene.grid)
    else:
        tracks = tuple(Track(id=t.id, line_px=t.line_px) for t in scene.tracks)
        network = TrackNetwork(tracks=tracks, source="given")
    blank = TileCount(tile=scene.scene.name, sha256=None, status="counted", grid=scene.grid)
    return count_cars(blank, pixels, network, stock="any")


def add(tally: Tally, result: TileCount, scene: RenderedScene) -> None:
    """Match the railcars one to one; locomotives are left out on both sides."""
    predicted = [Polygon(c.outline_px) for c in result.cars if c.kind != "locomotive"]
    truth = [Polygon(c.outline_px) for c in scene.railcars if c.visible >= 0.5]
    tally.matched += len(match(predicted, truth, min_iou=IOU).pairs)
    tally.predicted += len(predicted)
    tally.truth += len(truth)


def main() -> int:
    """Run the scenes, print a line each, and return 1 on a loss."""
    failures = []
    for mode in ("given", "found"):
        tally = Tally()
        for k in range(N_CLEAR):
            drawn = render(
                clear_yard(n_railcars=100, kind="curved" if k % 4 == 3 else "straight"), seed=FIRST_SEED + k
            )
            one = Tally()
            result = count(drawn, found=mode == "found")
            add(one, result, drawn)
            print(
                f"simulated clear yard {k}, tracks {mode}: {one.predicted} of {one.truth}, F1 {one.f1:.3f}",
                flush=True,
            )
            tally.matched += one.matched
            tally.predicted += one.predicted
            tally.truth += one.truth
        print(f"tracks {mode}: F1 {tally.f1:.3f}, count error {tally.count_error:.1%}")
        if tally.f1 < LEAST_F1[mode] or tally.count_error > MOST_COUNT_ERROR:
            failures.append(
                f"tracks {mode}: F1 {tally.f1:.3f} below {LEAST_F1[mode]} or count off by over 5 %"
            )
    for k in range(2):
        empty = render(clear_yard(n_railcars=0, kind="straight"), seed=FIRST_SEED + 100 + k)
        for found in (False, True):
            n = len(count(empty, found=found).cars)
            print(f"simulated empty yard {k}, tracks {'found' if found else 'given'}: {n}")
            if n:
                failures.append(f"{n} cars on an empty yard")
    for failure in failures:
        print(f"LOSS: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
