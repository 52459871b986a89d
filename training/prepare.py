"""Draw scenes and keep what the networks learn from: python prepare.py FOLDER FIRST LAST [KIND].

KIND is favoured, hard, sparse or built, none for look-alikes alone, second or painted for scenes and
look-alikes of the other two renderers; kinds for tracks of all three with many locomotives.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
from data import Drawn, Truth, decoys, examples, mistaken, row_examples
from degrade import degraded
from lookalikes import lookalike, stray_lines
from painter import paint
from scenes import built_scene, favoured_scene, hard_scene, kinds_scene, random_scene, sparse_scene
from second import second_scene

from railcount.raster.tile import Pixels
from railcount.shadows import towards
from railcount.simulate import render
from railcount.tracks.corridor import Working, main_directions, orientation

VERY_COARSE_M = (1.5, 4.0)


def simulated(scene, seed):
    """A scene of our own renderer."""
    one = render(scene, seed=seed)
    kinds = [c.kind if c.visible > 0.5 else "hidden" for c in one.cars]
    return Drawn(
        pixels=Pixels(bands=one.bands.astype(np.float32), valid=one.valid, names=()),
        grid=one.grid,
        tracks=[t.line_px for t in one.tracks],
        cars=[Truth(one.grid.to_local(c.outline_px), k) for c, k in zip(one.cars, kinds, strict=True)],
        shadow=towards(one.sun_azimuth_deg),
    )


def prepare(folder, name, one, *, seed):
    """Keep what is learned from a picture, with or without tracks."""
    keep(folder, f"{name}{seed:05d}.pkl", (of_scene if one.tracks else of_lookalike)(one, seed=seed))


def of_scene(one, *, seed):
    """What each network learns from a scene, as drawn and made worse."""
    rng = np.random.default_rng(seed)
    pixels, grid, tracks, cars, shadow = one.pixels, one.grid, one.tracks, one.cars, one.shadow
    others = decoys(pixels, grid, tracks) + mistaken(pixels, grid, tracks, rng=rng, shadow=shadow)
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


def of_tracks(one, *, seed):
    """What is learned from the tracks alone, as drawn and made worse."""
    rng = np.random.default_rng(seed)
    worse, coarser, scale = degraded(one.pixels, one.grid, rng=rng)
    pictures = ((one.pixels, one.grid, one.tracks), (worse, coarser, [line * scale for line in one.tracks]))
    found = [examples(*picture, one.cars, rng=rng, shadow=one.shadow, strays=False) for picture in pictures]
    return {"cars": [example for those in found for example in those]}


def with_engines(seed):
    """A scene with locomotives, by turns of the three renderers; every other one is ours."""
    which = seed % 4
    if which == 0:
        return paint(seed)
    if which == 3:
        return second_scene(seed, engines=0.5)
    return simulated(kinds_scene(seed), seed)


def keep(folder, name, found):
    """One file for each network, in a folder of its own."""
    for network, what in found.items():
        (folder / network).mkdir(parents=True, exist_ok=True)
        (folder / network / name).write_bytes(pickle.dumps(what))


def lookalike_scene(seed):
    """Furrows, lots, roofs, roads or stacks, half of them made worse."""
    pixels, grid = lookalike(seed)
    rng = np.random.default_rng(seed)
    if rng.random() < 0.5:
        pixels, grid, _ = degraded(pixels, grid, rng=rng)
    return Drawn(pixels=pixels, grid=grid, tracks=[], cars=[], shadow=towards(rng.uniform(0, 360)))


def of_lookalike(one, *, seed):
    """No tracks in corridors, nothing on lines: anywhere, along main directions, where the finder fails."""
    rng = np.random.default_rng([seed, 1])
    pixels, grid, shadow = one.pixels, one.grid, one.shadow
    work = Working.of(pixels, grid=grid)
    angle, weight = orientation(work)
    lines = stray_lines(rng, grid, 2)
    for direction in main_directions(angle, weight):
        d = np.array([np.cos(direction), np.sin(direction)]) * 160
        middle = rng.uniform(0.2, 0.8, (2, 2)) * [grid.width, grid.height]
        lines += [np.stack([m - d, m + d]) for m in middle]
    lines += decoys(pixels, grid, []) + mistaken(pixels, grid, [], rng=rng, shadow=shadow)
    return {
        "cars": examples(pixels, grid, lines, [], rng=rng, shadow=shadow, strays=False),
        "rows": row_examples(pixels, grid, [], rng=rng),
    }


def main(folder, first, last, kind=""):
    """Everything of the seeds from ``first`` up to ``last``."""
    folder = Path(folder)
    kinds = {
        "": random_scene,
        "favoured": favoured_scene,
        "hard": hard_scene,
        "sparse": sparse_scene,
        "built": built_scene,
    }
    for seed in range(int(first), int(last)):
        if kind == "kinds":
            keep(folder, f"k{seed:05d}.pkl", of_tracks(with_engines(seed), seed=seed))
        elif kind == "second":
            prepare(folder, "s", second_scene(seed), seed=seed)
        elif kind == "painted":
            prepare(folder, "q", paint(seed), seed=seed)
            if seed % 6 == 0:
                prepare(folder, "ql", paint(seed, lookalike=True), seed=seed)
        else:
            if kind != "none":
                prepare(folder, "", simulated(kinds[kind](seed), seed), seed=seed)
            if kind == "none" or seed % (6 if kind else 2) == 0:
                prepare(folder, "l", lookalike_scene(seed), seed=seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
