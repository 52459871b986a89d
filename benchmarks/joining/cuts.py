"""Cut simulated scenes at random into tiles, count and join them, and compare with the whole.

    python benchmarks/joining/cuts.py --cuts 2 --seed 1
    python benchmarks/joining/cuts.py --scenes straight,curved --tracks given

Each cut makes 2 to 6 tiles that lie side by side or overlap by up to 30 m. A row says whether the joined
count lies in the interval of the whole and the whole's count in that of the joined, how many cars they
differ by, and how wide the joined interval is against that of the whole.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine

from railcount.observation import merge
from railcount.pipeline import scan_tile
from railcount.raster.write import write_geotiff
from railcount.records import record_of
from railcount.simulate import Layout, RenderedScene, Scene, Stock, Weather, render
from railcount.simulate.write import image_tags, write_scene

if TYPE_CHECKING:
    from railcount.observation import PassCount
    from railcount.records import TileRecord

MOMENT = datetime(2023, 10, 5, 2, 11, tzinfo=UTC)
MOST_OVERLAP_PX = 60


@dataclass(frozen=True, kw_only=True)
class Row:
    """One scene cut once."""

    tracks: str
    right: bool
    apart: int
    wider: float


def scene(n_tracks: int, n_cars: int, azimuth: float, *, kind: str = "straight", **more: object) -> Scene:
    """A scene of 800 x 500 pixels."""
    spacing = float(more.pop("spacing_m", 4.8))  # type: ignore[arg-type]
    values = {"width_px": 800, "height_px": 500, "acquired": MOMENT} | more
    layout = Layout(kind=kind, n_tracks=n_tracks, spacing_m=spacing, azimuth_deg=azimuth)
    return Scene(layout=layout, stock=Stock(n_railcars=n_cars), **values)  # type: ignore[arg-type]


SCENES = {
    "straight": scene(6, 60, 104.0),
    "dense": scene(8, 130, 95.0, spacing_m=4.6),
    "diagonal": scene(5, 50, 140.0),
    "curved": scene(4, 50, 100.0, kind="curved"),
    "ladder": scene(6, 60, 90.0, kind="ladder"),
    "tight": scene(6, 80, 84.0, spacing_m=3.6),
    "snow": scene(5, 45, 110.0, weather=Weather(snow=0.7)),
    "sparse": scene(4, 12, 90.0),
    "steep": scene(6, 60, 10.0),
    "pitch": scene(5, 70, 98.0, gsd_m=1.0, width_px=500, height_px=300),
}


def boxes(dice: np.random.Generator, *, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """First row, row after the last, first column, column after the last of each tile."""
    columns, rows = [(2, 1), (3, 1), (4, 1), (2, 2), (3, 2)][dice.integers(5)]
    overlap = int(dice.integers(1, MOST_OVERLAP_PX)) if dice.random() < 0.5 else 0

    def ends(n: int, size: int) -> list[tuple[int, int]]:
        cuts = [round(size * (k + dice.uniform(-0.25, 0.25)) / n) for k in range(1, n)]
        low, high = [0, *cuts], [*cuts, size]
        return [(a, min(b + overlap, size)) for a, b in zip(low, high, strict=True)]

    return [(*r, *c) for r in ends(rows, height) for c in ends(columns, width)]


def cut_out(drawn: RenderedScene, box: tuple[int, int, int, int], path: Path) -> None:
    """Write one tile of a scene."""
    top, bottom, left, right = box
    a, b, _, d, e, _ = drawn.grid.transform[:6]
    x, y = drawn.grid.to_world(np.array([left, top], dtype=np.float64))
    size = {"width": right - left, "height": bottom - top}
    grid = replace(drawn.grid, transform=Affine(a, b, float(x), d, e, float(y)), **size)
    imagery = {"ACQUISITIONDATETIME": f"{MOMENT:%Y-%m-%d %H:%M:%S}", "SATELLITEID": "SIMULATED"}
    write_geotiff(path, drawn.bands[:, top:bottom, left:right], grid, tags=image_tags(drawn), imagery=imagery)


def said(one: PassCount | TileRecord) -> str:
    """Best and interval."""
    told = one.railcars
    return one.status if told is None else f"{told.best} [{told.low}, {told.high}]"


def compare(name: str, tracks: str, tiles: list[TileRecord], whole: TileRecord) -> Row | None:
    """Print one row; None where either has no count."""
    joined = merge(tiles, id=name)
    a, b = joined.railcars, whole.railcars
    parts = " ".join(str(tile.railcars.best) if tile.railcars else tile.status for tile in tiles)
    print(f"{name:9} {tracks:6} whole {said(whole):16} joined {said(joined):16} tiles {parts}")
    if a is None or b is None:
        return None
    right = b.low <= a.best <= b.high and a.low <= b.best <= a.high
    return Row(
        tracks=tracks, right=right, apart=a.best - b.best, wider=(a.high - a.low) / max(b.high - b.low, 1)
    )


def measure(name: str, seed: int, n_cuts: int, sources: list[str], folder: Path) -> list[Row]:
    """Draw a scene, cut it, count everything."""
    drawn = render(SCENES[name], seed=seed)
    written = write_scene(drawn, folder, stem="whole_simulated")
    dice = np.random.default_rng([seed, len(name)])
    cuts = [boxes(dice, width=drawn.grid.width, height=drawn.grid.height) for _ in range(n_cuts)]
    rows = []
    for source in sources:
        lines = written.tracks if source == "given" else None
        whole = record_of(scan_tile(written.image, tracks=lines))
        for n, cut in enumerate(cuts):
            tiles = []
            for k, box in enumerate(cut):
                path = folder / f"cut{n}_simulated_R1C{k + 1}.tif"
                if not path.exists():
                    cut_out(drawn, box, path)
                tiles.append(record_of(scan_tile(path, tracks=lines)))
            rows.append(compare(name, source, tiles, whole))
    return [row for row in rows if row is not None]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--tracks", default="given,found")
    parser.add_argument("--cuts", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows: list[Row] = []
    for name in given.scenes.split(","):
        with tempfile.TemporaryDirectory(prefix="railcount-cuts-") as folder:
            rows += measure(name, given.seed, given.cuts, given.tracks.split(","), Path(folder))
    for source in given.tracks.split(","):
        mine = [row for row in rows if row.tracks == source]
        if mine:
            near = sum(abs(row.apart) <= 2 for row in mine)
            print(
                f"{source}: {sum(row.right for row in mine)} of {len(mine)} within each other's interval, "
                f"{near} within 2 cars, mean difference {statistics.mean(row.apart for row in mine):+.2f}, "
                f"interval {statistics.median(row.wider for row in mine):.2f} x as wide (median)"
            )


if __name__ == "__main__":
    main()
