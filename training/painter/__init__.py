"""A third renderer, for training alone: many textures, many rules, everything drawn by lot.

A scene is a map of colours and heights on fine cells. Sun and view are walked over the heights, so that
shadows climb onto neighbours and tall things lean; then come air, optics, sensor and compression.
"""

from __future__ import annotations

import numpy as np
from affine import Affine
from data import Drawn, Truth

from railcount.raster.grid import Grid
from railcount.raster.tile import Pixels
from railcount.shadows import towards

from . import ground, light, sensor, things
from .canvas import MARGIN_M, Canvas, earth
from .cars import paint_car
from .layout import layout
from .lots import lots
from .stock import POOLS, placed

EMPTY = 1 / 6


def paint(seed, lookalike=False):
    """The scene of that seed; with ``lookalike`` one without tracks or cars."""
    rng = np.random.default_rng([71, seed, int(lookalike)])
    gsd = float(rng.choice([rng.uniform(0.3, 0.45), rng.uniform(0.45, 0.7), rng.uniform(0.55, 0.95)]))
    scale = 1.0 if gsd > 0.4 else 0.8
    shape = tuple(round(n * scale * rng.uniform(0.9, 1.1) / gsd) for n in (250, 360))
    canvas = Canvas(rng, shape[1] * gsd, shape[0] * gsd, float(np.clip(gsd / 2, 0.2, 0.32)))
    shadow, elevation = towards(rng.uniform(0, 360)), np.radians(rng.uniform(18, 68))
    lean = towards(rng.uniform(0, 360)) * np.tan(np.radians(rng.choice([0, 1, 1]) * rng.uniform(0, 25)))
    canvas.glint = float(rng.uniform(-1, 1))
    ground.terrain(canvas)
    lines, cars = ([], []) if lookalike else yard(canvas, rng)
    if lookalike:
        lots(canvas)
        things.trees(canvas, int(rng.integers(0, 30)))
    if rng.random() < 0.08:
        ground.snowed(canvas, roofs=rng.choice([0.0, rng.uniform(0, 1)]))
    bands = developed(canvas, rng, gsd=gsd, shape=shape, shadow=shadow, elevation=elevation, lean=lean)
    grid = Grid(width=shape[1], height=shape[0], transform=Affine.identity(), crs=None,
                local_from_pixel=np.eye(2) * gsd)  # fmt: skip
    outlines = [((outline + lean * height / 2) / gsd, kind) for outline, height, kind in cars]
    seen = [(o, k) for o, k in outlines if (o.max(0) > 0).all() and (o.min(0) < shape[::-1]).all()]
    return Drawn(
        pixels=Pixels(bands=bands, valid=np.ones(shape, bool), names=()),
        grid=grid,
        tracks=[line.points / gsd for line in lines],
        cars=[Truth(grid.to_local(outline), kind) for outline, kind in seen],
        shadow=shadow,
    )


def yard(canvas, rng):
    """Tracks with what stands on and about them: the lines, and (outline, height, kind) of every car."""
    size = (canvas.width_m, canvas.height_m)
    lines = layout(rng, size)
    while not lines:
        lines = layout(rng, size)
    for _ in range(rng.integers(0, 3)):
        path = ground.aside(lines[rng.integers(len(lines))].points, rng.choice([-1, 1]) * rng.uniform(5, 14))
        things.road(canvas, path, rng.uniform(1.5, 3.5), traffic=rng.uniform(0, 0.012), lorries=0.3)
    if rng.random() < 0.5:
        ground.stripe(canvas, lines[len(lines) // 2].points, len(lines) * 2.6 + rng.uniform(2, 15),
                      earth(rng, 0.1, 0.6), ragged=2.0)  # fmt: skip
    tastes, shared = {}, ground.Trackwork(canvas)
    for group in sorted({line.group for line in lines}):
        taste = shared if rng.random() < 0.6 else ground.Trackwork(canvas)
        taste.beds([line for line in lines if line.group == group])
        tastes[group] = taste
    for line in lines:
        tastes[line.group].track(line)
    shared.spills(lines, int(rng.integers(0, 12)))
    things.by_the_tracks(canvas, lines, crowded=int(rng.integers(0, 60)))
    things.trees(canvas, int(rng.choice([0, rng.integers(0, 30), rng.integers(20, 90)])),
                 clear=[line.points for line in lines])  # fmt: skip
    cars = [] if rng.random() < EMPTY else stand(canvas, rng, lines)
    if rng.random() < 0.35:
        things.masts(canvas, lines)
    return lines, cars


def stand(canvas, rng, lines):
    """Paint cars onto the lines."""
    fill = rng.choice([rng.uniform(0.05, 0.35), rng.uniform(0.25, 0.75), rng.uniform(0.65, 0.97)])
    pool = POOLS[rng.integers(len(POOLS))]
    few = rng.random() < 0.3
    if few:  # a yard of few types
        pool = list(rng.choice(pool, int(rng.integers(1, 4))))
    tarpaulins = rng.choice([0.0, 0.1, 0.7], p=[0.6, 0.3, 0.1])
    gap_tone = rng.choice([0.05, 0.15, 0.4]) * np.ones(3)
    out = []
    for line in lines:
        if rng.random() > min(1.0, fill * 1.3):
            continue
        for car, middle, d in placed(rng, line, pool, fill):
            canvas.box(middle, d, car.length + 0.9, 0.5, height=0.9, colour=gap_tone)
            found = paint_car(canvas, car, middle, d, tarpaulins=tarpaulins)
            if found:
                side = np.array([-d[1], d[0]])
                a, b = d * car.length / 2, side * car.width / 2
                corners = middle + np.stack([-a - b, a - b, a + b, -a + b])
                out.append((corners, found[1], found[0]))
    return out


def developed(canvas, rng, *, gsd, shape, shadow, elevation, lean):
    """The bands of a canvas under this sun, seen from there by some sensor."""
    direct = rng.uniform(0.55, 0.85) if rng.random() < 0.88 else rng.uniform(0.0, 0.35)
    sky = np.array([0.9, 1.0, 1.15]) ** rng.uniform(0, 1.8)
    seen = light.lit(canvas, shadow, elevation, direct=direct, sky_tint=sky)
    seen = light.leaning(canvas, seen, lean, shadow, direct=direct)
    blur = gsd * rng.choice([rng.uniform(0.3, 0.5), rng.uniform(0.4, 0.9)])
    bands = sensor.sampled(seen, canvas.step_m, gsd_m=gsd, margin_m=MARGIN_M, shape=shape, blur_m=blur)
    bands = sensor.toned(rng, sensor.air(rng, bands))
    bands = np.clip(sensor.grained(rng, bands, shape), 0, 1)
    return (sensor.developed(rng, bands) * rng.uniform(180, 255)).astype(np.float32)
