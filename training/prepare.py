"""Draw scenes and keep what the networks learn from: python prepare.py FOLDER FIRST LAST [KIND].

KIND is favoured, hard or kinds, none for look-alikes alone, second or painted for scenes and look-alikes of
the other two renderers.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
from data import Truth, decoys, examples, row_examples
from degrade import degraded
from lookalikes import lookalike, stray_lines
from painter import paint
from scenes import favoured_scene, hard_scene, kinds_scene, random_scene
from second import second_scene

from railcount.raster.tile import Pixels
from railcount.shadows import towards
from railcount.simulate import render
from railcount.tracks.corridor import Working, main_directions, orientation

VERY_COARSE_M = (1.5, 4.0)


def prepare(folder, seed, drawn=random_scene):
    """A scene of our own renderer."""
    scene = render(drawn(seed), seed=seed)
    pixels = Pixels(bands=scene.bands.astype(np.float32), valid=scene.valid, names=())
    cars = [
        Truth(scene.grid.to_local(c.outline_px), c.kind if c.visible > 0.5 else "hidden") for c in scene.cars
    ]
    tracks, shadow = [t.line_px for t in scene.tracks], towards(scene.sun_azimuth_deg)
    keep(folder, f"{seed:05d}.pkl", of_scene(pixels, scene.grid, tracks, cars, seed=seed, shadow=shadow))


def prepare_second(folder, seed):
    """A scene of the second renderer, with or without tracks."""
    one = second_scene(seed)
    if one.tracks:
        found = of_scene(one.pixels, one.grid, one.tracks, one.cars, seed=seed, shadow=one.shadow)
    else:
        found = of_lookalike(one.pixels, one.grid, seed=seed, shadow=one.shadow)
    keep(folder, f"s{seed:05d}.pkl", found)


def prepare_painted(folder, seed):
    """A scene of the painter, and of every sixth seed a look-alike besides."""
    one = paint(seed)
    cars = [Truth(one.grid.to_local(outline), kind) for outline, kind in one.cars]
    pixels = Pixels(bands=one.bands, valid=one.valid, names=())
    found = of_scene(pixels, one.grid, one.tracks, cars, seed=seed, shadow=one.shadow)
    keep(folder, f"q{seed:05d}.pkl", found)
    if seed % 6 == 0:
        one = paint(seed, lookalike=True)
        pixels = Pixels(bands=one.bands, valid=one.valid, names=())
        keep(folder, f"ql{seed:05d}.pkl", of_lookalike(pixels, one.grid, seed=seed, shadow=one.shadow))


def of_scene(pixels, grid, tracks, cars, *, seed, shadow):
    """What each network learns from a scene, as drawn and made worse."""
    rng = np.random.default_rng(seed)
    others = decoys(pixels, grid, tracks)
    found = {
        "cars": examples(pixels, grid, tracks, cars, rng=rng, shadow=shadow, others=others),
        "rows": row_examples(pixels, grid, tracks, rng=rng),
    }
    worse, coarser, scale = degraded(pixels, grid, rng=rng)
    lines, others = ([line * scale for line in those] for those in (tracks, others))
    found["cars"] += examples(worse, coarser, lines, cars, rng=rng, shadow=shadow, others=others)
    found["rows"] += row_examples(worse, coarser, lines, rng=rng)
    worse, coarser, scale = degraded(pixels, grid, rng=rng, to_m=VERY_COARSE_M)
    lines = [line * scale for line in tracks]
    found["coarse"] = examples(worse, coarser, lines, cars, rng=rng, shadow=shadow)
    return found


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
    found = of_lookalike(pixels, grid, seed=seed, shadow=towards(rng.uniform(0, 360)))
    keep(folder, f"l{seed:05d}.pkl", found)


def of_lookalike(pixels, grid, *, seed, shadow):
    """Lines anywhere, along the picture's directions, and where the finder falls for something."""
    rng = np.random.default_rng([seed, 1])
    work = Working.of(pixels, grid=grid)
    angle, weight = orientation(work)
    lines = stray_lines(rng, grid, 2)
    for direction in main_directions(angle, weight):
        d = np.array([np.cos(direction), np.sin(direction)]) * 160
        middle = rng.uniform(0.2, 0.8, (2, 2)) * [grid.width, grid.height]
        lines += [np.stack([m - d, m + d]) for m in middle]
    lines += decoys(pixels, grid, [])
    return {
        "cars": examples(pixels, grid, lines, [], rng=rng, shadow=shadow, strays=False),
        "rows": row_examples(pixels, grid, [], rng=rng),
    }


def main(folder, first, last, kind=""):
    """Everything of the seeds from ``first`` up to ``last``."""
    kinds = {"": random_scene, "favoured": favoured_scene, "hard": hard_scene, "kinds": kinds_scene}
    for seed in range(int(first), int(last)):
        if kind == "second":
            prepare_second(Path(folder), seed)
        if kind == "painted":
            prepare_painted(Path(folder), seed)
        if kind in kinds:
            prepare(Path(folder), seed, kinds[kind])
        if kind == "none" or (kind in kinds and seed % (6 if kind else 2) == 0):
            prepare_lookalike(Path(folder), seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
