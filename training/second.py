"""Pictures of the second renderer (benchmarks/crosscheck), as training needs them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from affine import Affine
from data import Drawn, Truth

from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.shadows import towards

sys.path.append(str(Path(__file__).parents[1] / "benchmarks" / "crosscheck"))
import kinds
import render

SIZE_M = (250.0, 360.0)
LOOKALIKES, TERMINALS = 0.2, 0.15
GSDS_M = (0.3, 0.4, 0.5, 0.5, 0.6, 0.6, 0.7, 0.8, 0.95)
TERMINAL_GSDS_M = (0.84, 0.9, 0.95)
FILLS = ((0.02, 0.12), (0.1, 0.4), (0.3, 0.7), (0.7, 0.95))


def second_scene(seed, engines=None):
    """A scene whose circumstances are mixed anew from those of several kinds.

    With ``engines``, that share of its strings has a locomotive at its head.
    """
    if seed < kinds.FIRST_TO_LEARN_FROM:
        raise ValueError(f"seeds below {kinds.FIRST_TO_LEARN_FROM} are for measuring")
    rng = np.random.default_rng([19, seed])
    yards = [name for name, plan in kinds.KINDS.items() if plan.layout != "none"]
    lookalike = rng.random() < LOOKALIKES and engines is None
    without = [name for name, plan in kinds.KINDS.items() if plan.layout == "none"]
    name = str(rng.choice(without if lookalike else yards))
    if rng.random() < TERMINALS:
        name = "autorack_terminal"
    plan = kinds.KINDS[name]
    gsd = float(rng.choice(TERMINAL_GSDS_M if name == "autorack_terminal" else GSDS_M))
    plan = replace(plan, gsd_m=(gsd, gsd), rows_cols=tuple(int(m / gsd) for m in SIZE_M))
    plan = mixed(plan, [kinds.KINDS[k] for k in yards], rng)
    if engines is not None:
        plan = replace(plan, engines=engines)
    return adapted(render.draw(plan, kind=name, seed=seed))


def mixed(plan, yards, rng):
    """The plan with some of its circumstances taken from others."""

    def other():
        return yards[rng.integers(len(yards))]

    def maybe(chance):
        return rng.random() < chance

    changes = {"blur_px": (0.35, 0.9), "noise": (0.004, 0.03)}
    if maybe(0.4):
        changes["sun_deg"] = (12.0, 75.0)
    if maybe(0.25):
        changes["jpeg"] = (35, 85)
    if maybe(0.2):
        changes["haze"] = (0.05, 0.3)
    if maybe(0.15):
        changes["snow"] = (0.2, 1.0)
    if maybe(0.5):
        changes["stock"] = other().stock
    if maybe(0.5):
        changes["tones"] = other().tones
    if plan.layout != "none" and plan.fill[1] > 0:
        if maybe(0.5):
            changes["fill"] = FILLS[rng.integers(len(FILLS))]
        if maybe(0.5):
            changes["string"], changes["block"] = other().string, other().block
        if maybe(0.3):
            changes["n_tracks"] = (1, 6)
        if maybe(0.3):
            changes["beside"] = other().beside
        if maybe(0.25):
            changes["engines"] = 0.4
    return replace(plan, **changes)


def adapted(picture):
    """In the form of our own scenes."""
    image = np.moveaxis(picture.image, -1, 0).astype(np.float32)
    rows, cols = image.shape[1:]
    grid = Grid(
        width=cols,
        height=rows,
        transform=Affine.identity(),
        crs=None,
        local_from_pixel=np.eye(2) * picture.gsd_m,
    )
    cars = [
        Truth(grid.to_local(c.polygon_px), c.kind if c.visible_fraction > 0.3 else "hidden")
        for c in picture.cars
    ]
    return Drawn(
        pixels=Pixels(bands=image, valid=np.ones((rows, cols), bool), names=()),
        grid=grid,
        tracks=list(picture.tracks_px),
        cars=cars,
        shadow=towards(picture.light.sun_azimuth),
    )
