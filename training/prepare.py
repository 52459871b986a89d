"""Draw scenes and keep what the networks learn from: python prepare.py FOLDER FIRST LAST [KIND].

KIND is favoured, hard or kinds, none for look-alikes alone.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
from data import Truth, decoys, examples, row_examples
from degrade import degraded
from lookalikes import lookalike, stray_lines
from scenes import favoured_scene, hard_scene, kinds_scene, random_scene

from railcount.raster.tile import Pixels
from railcount.shadows import towards
from railcount.simulate import render
from railcount.tracks.corridor import Working, main_directions, orientation

VERY_COARSE_M = (1.5, 4.0)


def prepare(folder, seed, drawn=random_scene):
    scene = render(drawn(seed), seed=seed)
    rng = np.random.default_rng(seed)
    pixels = Pixels(bands=scene.bands.astype(np.float32), valid=scene.valid, names=())
    tracks = [t.line_px for t in scene.tracks]
    cars = [
        Truth(scene.grid.to_local(c.outline_px), c.kind if c.visible > 0.5 else "hidden") for c in scene.cars
    ]
    shadow = towards(scene.sun_azimuth_deg)
    others = decoys(pixels, scene.grid, tracks)
    found = {
        "cars": examples(pixels, scene.grid, tracks, cars, rng=rng, shadow=shadow, others=others),
        "rows": row_examples(pixels, scene.grid, tracks, rng=rng),
    }
    worse, grid, scale = degraded(pixels, scene.grid, rng=rng)
    lines, others = ([line * scale for line in those] for those in (tracks, others))
    found["cars"] += examples(worse, grid, lines, cars, rng=rng, shadow=shadow, others=others)
    found["rows"] += row_examples(worse, grid, lines, rng=rng)
    worse, grid, scale = degraded(pixels, scene.grid, rng=rng, to_m=VERY_COARSE_M)
    lines = [line * scale for line in tracks]
    found["coarse"] = examples(worse, grid, lines, cars, rng=rng, shadow=shadow)
    keep(folder, f"{seed:05d}.pkl", found)


def keep(folder, name, found):
    """One file for each network, in a folder of its own."""
    for network, what in found.items():
        (folder / network).mkdir(parents=True, exist_ok=True)
        (folder / network / name).write_bytes(pickle.dumps(what))


def prepare_lookalike(folder, seed):
    """Furrows, lots and roads: no tracks in the corridors, nothing on lines, nor along their directions."""
    pixels, grid = lookalike(seed)
    rng = np.random.default_rng(seed)
    if rng.random() < 0.5:
        pixels, grid, _ = degraded(pixels, grid, rng=rng)
    work = Working.of(pixels, grid=grid)
    angle, weight = orientation(work)
    lines = stray_lines(rng, grid, 2)
    for direction in main_directions(angle, weight):
        d = np.array([np.cos(direction), np.sin(direction)]) * 160
        middle = rng.uniform(0.2, 0.8, (2, 2)) * [grid.width, grid.height]
        lines += [np.stack([m - d, m + d]) for m in middle]
    lines += decoys(pixels, grid, [])
    shadow = towards(rng.uniform(0, 360))
    found = {
        "cars": examples(pixels, grid, lines, [], rng=rng, shadow=shadow, strays=False),
        "rows": row_examples(pixels, grid, [], rng=rng),
    }
    keep(folder, f"l{seed:05d}.pkl", found)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    drawn = {"favoured": favoured_scene, "hard": hard_scene, "kinds": kinds_scene, "none": None}.get(
        "".join(sys.argv[4:]), random_scene
    )
    for seed in range(int(sys.argv[2]), int(sys.argv[3])):
        if drawn:
            prepare(folder, seed, drawn)
        if not drawn or seed % (2 if drawn is random_scene else 6) == 0:
            prepare_lookalike(folder, seed)
