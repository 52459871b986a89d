"""Pictures of the worst scenes of each factor, so that a person can look at what went wrong.

    python benchmarks/accuracy/worst.py results.jsonl FOLDER --mode found --scenes 2

Draws the scenes again and counts them again with the present code. Left the simulated scene; right the
same with cars that were found (green), false (red) and missed (blue), vehicles that cannot be judged
(grey), and the tracks that were used (yellow).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import shapely
from factors import FACTORS
from measure import MODES, count, draw
from tally import read_records

from railcount.evaluate import IOUS, MIN_VISIBLE_FRACTION, match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from tally import Record

    from railcount.counts import TileCount
    from railcount.simulate import RenderedScene

INCHES = 9.0
"""Width of one of the two pictures of a scene."""
DPI = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """One PNG per factor that has errors, in the folder."""
    options = _options(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    wanted = options.factors.split(",") if options.factors else list(FACTORS)
    for name in wanted:
        records = [r for r in read_records(options.results) if r["factor"] == name]
        records.sort(key=lambda r: (-badness(r, mode=options.mode), r["seed"]))
        bad = [r for r in records if badness(r, mode=options.mode) > 0][: options.scenes]
        if bad:
            path = options.folder / f"{name}_{options.mode}_simulated.png"
            save(name, [r["seed"] for r in bad], mode=options.mode, path=path)
            print(path)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Draw the worst scenes of each factor.")
    parser.add_argument("results", type=Path, help="what grid.py wrote")
    parser.add_argument("folder", type=Path, help="for the pictures; not in the repository")
    parser.add_argument("--mode", choices=MODES, default="given")
    parser.add_argument("--factors", help="names, separated by commas; all where left out")
    parser.add_argument("--scenes", type=int, default=2, help="a factor (default 2)")
    return parser.parse_args(arguments)


def badness(record: Record, *, mode: str) -> float:
    """Cars false or missed, at IoU 0.3; all of them where there is no count."""
    one, n = record["modes"][mode], int(record["truth"]["n"])
    if not one.get("outlined"):
        return float(n)
    return float(one["predicted"] + n - 2 * one["matched"][0])


def save(factor: str, seeds: Sequence[int], *, mode: str, path: Path) -> None:
    """The scenes of one factor below one another."""
    from matplotlib.figure import Figure

    with tempfile.TemporaryDirectory(prefix="railcount-accuracy-") as folder:
        done = []
        for seed in seeds:
            one = Path(folder) / str(seed)
            one.mkdir()
            case = draw(factor, seed, folder=one)
            done.append((case.drawn, count(case, mode=mode)))
    shape = max(drawn.grid.height / drawn.grid.width for drawn, _ in done)
    figure = Figure(figsize=(2 * INCHES, len(done) * (INCHES * shape + 0.5)), layout="constrained")
    rows = figure.subplots(len(done), 2, squeeze=False)
    for (plain, marked), (drawn, result) in zip(rows, done, strict=True):
        told = "no count" if result.railcars is None else f"{result.railcars.best} said"
        true = sum(c.visible >= MIN_VISIBLE_FRACTION for c in drawn.railcars)
        for axes in (plain, marked):
            axes.imshow(picture(drawn.bands), interpolation="nearest")
            axes.set_axis_off()
        extent = (0, drawn.grid.width), (drawn.grid.height, 0)
        plain.set_title(f"simulated: {factor}, seed {drawn.seed}, {true} railcars", fontsize=9)
        mark(marked, drawn, result)
        marked.set_title(
            f"tracks {mode}: {result.status}, {told}. {' '.join(result.reasons)[:80]}", fontsize=9
        )
        marked.set_xlim(np.array(extent[0]) - 0.5)
        marked.set_ylim(np.array(extent[1]) - 0.5)
    figure.savefig(path, dpi=DPI)


def picture(bands: NDArray[Any]) -> NDArray[np.float64]:
    """(rows, cols, 3) from 0 to 1: the visible bands, stretched."""
    visible = bands[:3].astype(np.float64) if len(bands) >= 3 else np.repeat(bands[:1], 3, axis=0)
    low, high = np.percentile(visible, [0.5, 99.5])
    return np.asarray(np.clip((visible - low) / max(high - low, 1e-9), 0, 1).transpose(1, 2, 0))


def mark(axes: Any, drawn: RenderedScene, result: TileCount) -> None:
    """Outlines of what was found, false, missed; locomotives dashed."""
    if result.network is not None:
        for track in result.network.tracks:
            axes.plot(*(track.line_px - 0.5).T, color="yellow", linewidth=0.4, alpha=0.8)
    true = [c for c in drawn.cars if c.kind != "locomotive" and c.visible >= MIN_VISIBLE_FRACTION]
    said = [c for c in result.cars if c.kind != "locomotive"]
    matching = match(
        [shapely.Polygon(c.outline_px) for c in said],
        [shapely.Polygon(c.outline_px) for c in true],
        min_iou=IOUS[0],
    )
    for i, _, _ in matching.pairs:
        _outline(axes, said[i].outline_px, "lime")
    for car in drawn.cars:
        if car.kind == "locomotive" or car.visible < MIN_VISIBLE_FRACTION:
            _outline(axes, car.outline_px, "silver", dashed=car.kind == "locomotive")
    for i in matching.unmatched_predicted:
        _outline(axes, said[i].outline_px, "red")
    for j in matching.unmatched_truth:
        _outline(axes, true[j].outline_px, "deepskyblue")


def _outline(axes: Any, corners: NDArray[np.float64], colour: str, *, dashed: bool = False) -> None:
    closed = np.vstack([corners, corners[:1]]) - 0.5
    axes.plot(*closed.T, color=colour, linewidth=0.9, linestyle="--" if dashed else "-")


if __name__ == "__main__":
    sys.exit(main())
