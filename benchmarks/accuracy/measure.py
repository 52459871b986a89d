"""One scene of the benchmark: drawn once, written, counted as ``railcount scan`` counts it, scored."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from factors import FACTORS
from yardsticks import otsu_cars, threshold_cars

import railcount
from railcount.counts import STATUSES_WITH_COUNT
from railcount.evaluate import IOUS, MIN_VISIBLE_FRACTION, match, score
from railcount.outlines import Outline
from railcount.pipeline import scan_tile
from railcount.raster import open_tile
from railcount.simulate import render
from railcount.simulate.truth import TruthLine, tracks_geojson
from railcount.simulate.write import write_scene
from railcount.tracks.network import Track, TrackNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from railcount.counts import Interval, TileCount
    from railcount.simulate import RenderedScene, Scene

    Record = dict[str, Any]

MODES = ("given", "displaced", "found")
"""Tracks given; given, but moved; not given."""
FARTHEST_M = 12.0
"""Lines of a map lie up to this far off an image."""
BEYOND_M = 20.0
"""Map lines go on outside the tile; so do the displaced ones."""
TOUCHES = 0.1
"""A prediction of which a smaller part lies on any true vehicle stands on empty ground."""
NOT_COUNTING = ("cli", "outputs")
"""Parts of the package that cannot change a count."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A drawn scene and its files."""

    drawn: RenderedScene
    image: Path
    lines: Path
    displaced: Path
    shift_m: tuple[float, float]
    """East, south: how far the displaced lines are off."""


def code_hash() -> str:
    """Of everything that decides a number: the package's source and weights, and this measure."""
    root = Path(railcount.__file__).parent
    files = [p for p in root.rglob("*") if p.suffix in (".py", ".toml", ".npz")]
    files = [p for p in files if p.relative_to(root).parts[0] not in NOT_COUNTING]
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in [*sorted(files), here / "measure.py", here / "yardsticks.py"]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def scene_hash(scene: Scene) -> str:
    """Of what is to be drawn."""
    return hashlib.sha256(repr(scene).encode()).hexdigest()[:16]


def measure_scene(factor: str, seed: int, *, modes: Sequence[str] = MODES, yardsticks: bool = True) -> Record:
    """Draw a scene, count it in every mode, run the yardsticks, and score all of it."""
    with tempfile.TemporaryDirectory(prefix="railcount-accuracy-") as folder:
        began = time.perf_counter()
        case = draw(factor, seed, folder=Path(folder))
        seconds = {"draw": time.perf_counter() - began}
        record: Record = {
            "factor": factor,
            "seed": seed,
            "scene": scene_hash(case.drawn.scene),
            "truth": _truth(case.drawn),
            "shift_m": [round(x, 2) for x in case.shift_m],
            "modes": {},
        }
        for mode in modes:
            began = time.perf_counter()
            result = count(case, mode=mode)
            seconds[mode] = time.perf_counter() - began
            record["modes"][mode] = judge(result, case.drawn)
            if mode == "given":
                record["kinds"] = confusion(result, case.drawn)
        if yardsticks:
            began = time.perf_counter()
            record["yardsticks"] = _yardsticks(case)
            seconds["yardsticks"] = time.perf_counter() - began
    record["seconds"] = {name: round(value, 2) for name, value in seconds.items()}
    return record


def draw(factor: str, seed: int, *, folder: Path) -> Case:
    """Draw a factor's scene and write its image, its lines, and its lines displaced."""
    drawn = render(FACTORS[factor].scene(seed), seed=seed)
    written = write_scene(drawn, folder, stem="scene_simulated")
    rng = np.random.default_rng([43, seed])
    far, where = FARTHEST_M * rng.random(), 2 * np.pi * rng.random()
    shift = float(far * np.cos(where)), float(far * np.sin(where))
    displaced = folder / "displaced.geojson"
    moved = replace(drawn, tracks=tuple(_moved(t, drawn, shift=shift) for t in drawn.tracks))
    displaced.write_text(tracks_geojson(moved), encoding="utf-8")
    return Case(drawn=drawn, image=written.image, lines=written.tracks, displaced=displaced, shift_m=shift)


def count(case: Case, *, mode: str) -> TileCount:
    """What ``railcount scan`` says of the scene's file."""
    lines = {"given": case.lines, "displaced": case.displaced, "found": None}[mode]
    return scan_tile(case.image, tracks=lines, baseline=False)


def _moved(track: TruthLine, drawn: RenderedScene, *, shift: tuple[float, float]) -> TruthLine:
    """The line moved, and longer where it leaves the tile."""
    grid = drawn.grid
    line = grid.to_local(track.line_px)
    size = np.array([grid.width, grid.height]) * grid.gsd_m
    for end, inner in ((0, 1), (-1, -2)):
        if len(line) > 1 and ((line[end] <= 0) | (line[end] >= size)).any():
            out = (line[end] - line[inner]) / np.hypot(*(line[end] - line[inner]))
            tip = line[end] + BEYOND_M * out
            line = np.vstack([tip, line]) if end == 0 else np.vstack([line, tip])
    pixels = grid.to_pixel(line + shift)
    return TruthLine(id=track.id, line_px=pixels, line_world=grid.to_world(pixels))


def _truth(drawn: RenderedScene) -> Record:
    """How many railcars there are, how many of them covered, and how much track stands empty."""
    railcars = [c for c in drawn.cars if c.kind != "locomotive"]
    seen = [c for c in railcars if c.visible >= MIN_VISIBLE_FRACTION]
    frame = shapely.box(0, 0, drawn.grid.width, drawn.grid.height)
    lines = [shapely.LineString(t.line_px) for t in drawn.tracks if len(t.line_px) > 1]
    track_m = sum(line.intersection(frame).length for line in lines) * drawn.grid.gsd_m
    occupied_m = sum(c.length_m * c.in_frame for c in drawn.cars)
    return {
        "n": len(seen),
        "n_ignored": len(railcars) - len(seen),
        "covered": sum(c.covered for c in seen),
        "covered_ignored": sum(c.covered for c in railcars) - sum(c.covered for c in seen),
        "track_km": round(track_m / 1000, 4),
        "empty_km": round(max(track_m - occupied_m, 0.0) / 1000, 4),
    }


def judge(result: TileCount, drawn: RenderedScene) -> Record:
    """A mode's figures: status, matches at each IoU, the total's error and interval."""
    record: Record = {"status": result.status, "reasons": list(result.reasons)}
    if result.tracks is not None:
        moved = result.tracks.registration
        record["tracks"] = result.tracks.n
        record["visible_fraction"] = round(result.tracks.visible_fraction, 3)
        record["registered_m"] = None if moved is None else [round(moved.east_m, 2), round(moved.south_m, 2)]
    if result.status not in STATUSES_WITH_COUNT or result.railcars is None:
        return record
    outlines = [_outline(c.outline_px, locomotive=c.kind == "locomotive") for c in result.cars]
    true = truth_outlines(drawn)
    scored = score(outlines, true, interval=result.railcars)
    # Where cars are not told apart there is a total without outlines.
    outlined = bool(result.cars) or result.railcars.best == 0
    error = scored.count_error
    if not outlined:
        least = scored.n_truth
        error = result.railcars.best - int(np.clip(result.railcars.best, least, least + scored.n_ignored))
    return record | {
        "outlined": outlined,
        "predicted": scored.n_predicted,
        "matched": [a.n_matched for a in scored.agreements],
        "false_on_empty": _on_empty([o.polygon for o in outlines if not o.locomotive], drawn),
        "error": error,
        "railcars": _ends(result.railcars),
        "holds": scored.covered,
        "covered": _ends(result.covered),
    }


def truth_outlines(drawn: RenderedScene) -> list[Outline]:
    """The scene's vehicles as `railcount.evaluate` takes them."""
    return [
        _outline(c.outline_px, locomotive=c.kind == "locomotive", visible_fraction=c.visible)
        for c in drawn.cars
    ]


def _outline(
    corners: NDArray[np.float64], *, locomotive: bool = False, visible_fraction: float = 1.0
) -> Outline:
    polygon = shapely.Polygon(corners)
    return Outline(polygon=polygon, locomotive=locomotive, visible_fraction=min(visible_fraction, 1.0))


def _ends(interval: Interval | None) -> list[int] | None:
    return None if interval is None else [interval.low, interval.best, interval.high]


def _on_empty(predicted: list[shapely.Polygon], drawn: RenderedScene) -> int:
    """How many predicted railcars stand where no vehicle is."""
    every = shapely.union_all([shapely.Polygon(c.outline_px) for c in drawn.cars])
    return sum(p.intersection(every).area < TOUCHES * p.area for p in predicted)


def confusion(result: TileCount, drawn: RenderedScene) -> dict[str, int]:
    """How often a true kind was said to be which kind, ``true>said``; locomotives take part."""
    true = [c for c in drawn.cars if c.visible >= MIN_VISIBLE_FRACTION]
    pairs = match(
        [shapely.Polygon(c.outline_px) for c in result.cars],
        [shapely.Polygon(c.outline_px) for c in true],
        min_iou=IOUS[0],
    ).pairs
    return dict(sorted(Counter(f"{true[j].kind}>{result.cars[i].kind}" for i, j, _ in pairs).items()))


def _yardsticks(case: Case) -> Record:
    """Predictions and matches of every variant of both yardsticks, on the true tracks."""
    tile = open_tile(case.image)
    pixels, grid = tile.read(), tile.grid
    tracks = tuple(Track(id=t.id, line_px=t.line_px) for t in case.drawn.tracks if len(t.line_px) > 1)
    network = TrackNetwork(tracks=tracks, source="given")
    true = truth_outlines(case.drawn)

    def scored(variants: dict[str, list[NDArray[np.float64]]]) -> Record:
        out = {}
        for name, cars in variants.items():
            one = score([_outline(c) for c in cars], true)
            out[name] = [one.n_predicted, *(a.n_matched for a in one.agreements)]
        return out

    return {
        "otsu": scored(otsu_cars(pixels, network, grid=grid)),
        "threshold": scored(threshold_cars(pixels, network, grid=grid)),
    }


def as_line(record: Record) -> str:
    """The record as one line of JSON."""
    return json.dumps(record, sort_keys=True) + "\n"
